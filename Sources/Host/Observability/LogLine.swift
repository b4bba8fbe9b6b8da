import Readings

/// A field of a log line: `key=value`.
package struct LogField: Sendable {
    package let key: String
    package let value: String

    package init(_ key: String, _ value: some CustomStringConvertible) {
        self.key = key
        self.value = value.description
    }
}

/// Makes the bytes of one line. Nothing in an event can begin a second line or move a terminal's cursor.
enum LogLine {
    /// Longer lines are cut.
    static let limit = 8192

    static func bytes(
        _ format: LogFormat, _ level: LogLevel, at instant: Instant, _ event: String, _ fields: [LogField],
        _ redactor: Redactor
    ) -> [UInt8] {
        let line =
            switch format {
            case .text: text(level, instant, event, fields, redactor)
            case .json: json(level, instant, event, fields, redactor)
            }
        return line + [0x0A]
    }

    private static func text(
        _ level: LogLevel, _ instant: Instant, _ event: String, _ fields: [LogField], _ redactor: Redactor
    ) -> [UInt8] {
        var line: [UInt8] = []
        line.append(contentsOf: "\(Timestamp.text(instant)) \(level.word.uppercased()) ".utf8)
        appendPrintable(cut(redactor.redacted(event)), to: &line)
        for field in fields {
            line.append(UInt8(ascii: " "))
            appendPrintable(field.key.utf8, to: &line)
            line.append(UInt8(ascii: "="))
            let value = cut(redactor.redacted(field.value))
            let isPlain = !value.isEmpty && value.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") }
            if isPlain {
                appendPrintable(value, to: &line)
            } else {
                line.append(UInt8(ascii: "\""))
                JSONWriter.appendEscaped(value, to: &line)
                line.append(UInt8(ascii: "\""))
            }
        }
        return line.count <= limit ? line : cut(line, limit - 3) + Array("...".utf8)
    }

    /// Cut value by value, so that what is left is still JSON.
    private static func json(
        _ level: LogLevel, _ instant: Instant, _ event: String, _ fields: [LogField], _ redactor: Redactor
    ) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.field("time", instant)
        json.field("level", level.word)
        json.field("event", String(decoding: cut(redactor.redacted(event), limit / 2), as: UTF8.self))
        for field in fields where json.bytes.count < limit {
            let room = max(limit - json.bytes.count, 64) / 2
            json.field(field.key, String(decoding: cut(redactor.redacted(field.value), room), as: UTF8.self))
        }
        json.endObject()
        return json.bytes
    }

    /// Control characters as `\n` or `\u001b`; everything else as it is.
    static func appendPrintable(_ text: some Sequence<UInt8>, to line: inout [UInt8]) {
        for byte in text {
            if byte < 0x20 || byte == 0x7F {
                JSONWriter.appendEscaped(CollectionOfOne(byte), to: &line)
            } else {
                line.append(byte)
            }
        }
    }

    /// At most `count` bytes, never half a character. Always after masking: a cut secret would not be recognised.
    private static func cut(_ bytes: [UInt8], _ count: Int = limit) -> [UInt8] {
        guard bytes.count > count else { return bytes }
        var end = count
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(bytes[..<end])
    }
}
