import Foundation
import Observability
import Readings
import TestSupport
import Testing

@Suite struct JSONWriterTests {
    @Test func `what is written is what Foundation reads`() throws {
        let hostile = "a\"b\\c\n\r\t\u{0}\u{1b}\u{7f}é€😀\u{2028}\u{2029}</script>"
        var json = JSONWriter()
        json.beginObject()
        json.field("text", hostile)
        json.field(hostile, 1.5)
        json.field("nan", Double.nan)
        json.field("nothing", nil as Double?)
        json.field("count", 42)
        json.field("flag", true)
        json.key("list")
        json.beginArray()
        json.value(1)
        json.beginArray()
        json.endArray()
        json.null()
        json.endArray()
        json.endObject()
        // Nobody who reads lines finds more than one.
        #expect(!String(decoding: json.bytes, as: UTF8.self).contains { $0.isNewline })
        let read = try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any]
        let object = try #require(read)
        #expect(object["text"] as? String == hostile)
        #expect(object[hostile] as? Double == 1.5)
        #expect(object["nan"] is NSNull && object["nothing"] is NSNull)
        #expect(object["count"] as? Int == 42 && object["flag"] as? Bool == true)
        #expect((object["list"] as? [Any])?.count == 3)
    }

    @Test func `a number is written as Swift writes it`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        var numbers = [
            0, -0.0, 1, -1, 0.5, 1e-6, 9.99e-7, 1e9, 999_999_999.999_999, 1e15, 1e300, 0.1 + 0.2, 123_456.789,
        ]
        for _ in 0..<20_000 {
            numbers.append((Double.random(in: -1e6...1e6, using: &random) * 1000).rounded() / 1000)
            numbers.append(Double(bitPattern: random.next()))
        }
        for number in numbers where number.isFinite {
            var json = JSONWriter()
            json.value(number)
            let text = String(decoding: json.bytes, as: UTF8.self)
            // Small ones are written without an exponent.
            let isSame = text == number.description || (abs(number) < 1e-4 && Double(text) == number)
            #expect(isSame, "seed \(seed): \(text)")
        }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_999_999_999, "2000-02-29T00:00:00.999Z"),
        (-1_000_000, "1969-12-31T23:59:59.999Z"), (Int64.max, "2262-04-11T23:47:16.854Z"),
        (Int64.min, "1677-09-21T00:12:43.145Z"),
    ])
    func `an instant is written in UTC with milliseconds`(_ nanoseconds: Int64, _ text: String) {
        #expect(Timestamp.text(Instant(nanoseconds: nanoseconds)) == text)
    }
}
