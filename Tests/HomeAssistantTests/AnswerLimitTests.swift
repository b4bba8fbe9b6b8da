import AdapterKit
import Foundation
import Testing

@testable import HomeAssistantAdapter

/// Answers that are too much, through the parsers themselves.
@Suite(.serialized) struct AnswerLimitTests {
    private static let size = 30 << 20

    private static func filled(_ head: String, _ piece: String, _ tail: String) -> [UInt8] {
        Array((head + String(repeating: piece, count: size / piece.utf8.count) + tail).utf8)
    }

    static let nothings: [(String, [UInt8])] = [
        ("numbers", filled("[", "1,", "1]")), ("empty lists", filled("[", "[],", "1]")),
        ("one list", filled("[[", "1,", "1]]")),
        ("one object", filled("[{\"entity_id\":\"a.b\",\"x\":[", "1,", "1]}]")),
        ("empty objects", filled("[", "{},", "1]")), ("brackets", filled("", "[", "")),
        ("no list", filled("{\"a\":[", "1,", "1]}")),
    ]

    /// A line of /proc/self/status, in bytes.
    private func memory(_ line: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let found = try #require(status.split(separator: "\n").first { $0.hasPrefix(line) })
        return try #require(Int(found.filter(\.isNumber))) << 10
    }

    /// What something takes at its most, beside what is there already.
    private func cost(_ body: () -> Void) throws -> (bytes: Int, seconds: Double) {
        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        let before = try memory("VmRSS")
        let begin = Self.processorSeconds
        body()
        return (try memory("VmHWM") - before, Self.processorSeconds - begin)
    }

    /// Of this thread: other work of the machine does not count.
    private static var processorSeconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test(arguments: nothings.indices)
    func `an answer of 30 MB of nothing is refused within a second and 100 MB`(index: Int) throws {
        let (name, body) = Self.nothings[index]
        let states = try cost {
            #expect(throws: AnswerFault.self, "\(name)") { try StatesAnswer.parse(body) { false } }
        }
        #expect(states.bytes < 100 << 20 && states.seconds < 1, "\(name): \(states)")
        let history = try cost {
            #expect(throws: AnswerFault.self, "\(name)") { try HistoryAnswer.parse(body, clockAhead: 0) { false } }
        }
        #expect(history.bytes < 100 << 20 && history.seconds < 1, "\(name): \(history)")
    }

    @Test func `who asks to stop does not wait for the end of an answer`() {
        let state = #"{"state":"700","last_changed":"2025-12-31T23:50:00Z"},"#
        let states = Self.filled("[", #"{"entity_id":"sensor.a","state":"1"},"#, "1]")
        let history = Self.filled("[[", state, "1]]")
        var looks = 0
        let isCancelled = {
            looks += 1
            return looks > 2
        }
        #expect(throws: AnswerFault.cancelled) { try StatesAnswer.parse(states, isCancelled: isCancelled) }
        #expect(looks == 3)
        looks = 0
        #expect(throws: AnswerFault.cancelled) {
            try HistoryAnswer.parse(history, clockAhead: 0, isCancelled: isCancelled)
        }
        #expect(looks == 3)
    }

    @Test func `a house of twenty thousand entities is read, one of more is too much`() throws {
        func house(_ count: Int) -> [UInt8] {
            let entities = (0..<count).map { #"{"entity_id":"sensor.n\#($0)","state":"1"}"# }
            return Array("[\(entities.joined(separator: ","))]".utf8)
        }
        #expect(try StatesAnswer.parse(house(20_000)) { false }.rows.count == 20_000)
        #expect(throws: AnswerFault.tooMuch) { try StatesAnswer.parse(house(20_001)) { false } }
    }
}
