/// The `.env` file of the working directory: `NAME=value` lines, as shells and Docker write them. Nothing is expanded.
package struct DotEnv: Sendable {
    package struct Entry: Hashable, Sendable {
        package let value: String
        package let line: Int
    }

    package private(set) var entries: [String: Entry] = [:]
    /// One line each: file, line number, what is wrong.
    package private(set) var problems: [String] = []

    /// `path` names the file in problems. A name given twice has its last value.
    package init(_ text: String, path: String = ".env") {
        let body = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        let lines = body.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            do {
                guard let (name, value) = try Self.parse(bytes) else { continue }
                entries[name] = Entry(value: value, line: index + 1)
            } catch {
                problems.append("\(path):\(index + 1): \(error.reason)")
            }
        }
    }

    private struct Malformed: Error {
        let reason: String
    }

    /// Nil for an empty line and a comment.
    private static func parse(_ bytes: Substring.UTF8View) throws(Malformed) -> (String, String)? {
        var line = trimmed(Array(bytes)[...])
        if line.isEmpty || line.first == UInt8(ascii: "#") { return nil }
        let export = Array("export".utf8)
        if line.starts(with: export), let next = line.dropFirst(export.count).first, isSpace(next) {
            line = trimmed(line.dropFirst(export.count))
        }
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
            throw Malformed(reason: "expected NAME=value")
        }
        let name = trimmed(line[..<equals])
        guard isName(name) else { throw Malformed(reason: "the name before = must be letters, digits and _") }
        let value = try value(trimmed(line[(equals + 1)...]))
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    private static func value(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> [UInt8] {
        guard let quote = bytes.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            return unquoted(bytes)
        }
        var value: [UInt8] = []
        var rest = bytes.dropFirst()
        while let byte = rest.popFirst() {
            if byte == quote {
                let after = trimmed(rest)
                guard after.isEmpty || after.first == UInt8(ascii: "#") else {
                    throw Malformed(reason: "text after the closing quote")
                }
                return value
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), let escaped = rest.popFirst() {
                value += unescaped(escaped)
            } else {
                value.append(byte)
            }
        }
        throw Malformed(reason: "the closing quote is missing")
    }

    /// A `#` begins a comment only after a space: `#` is common in passwords.
    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var end = bytes.startIndex
        while end < bytes.endIndex {
            let followsSpace = end == bytes.startIndex || isSpace(bytes[end - 1])
            if bytes[end] == UInt8(ascii: "#"), followsSpace { break }
            end += 1
        }
        return Array(trimmed(bytes[..<end]))
    }

    private static func unescaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "n"): [0x0A]
        case UInt8(ascii: "r"): [0x0D]
        case UInt8(ascii: "t"): [0x09]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"): [byte]
        default: [UInt8(ascii: "\\"), byte]
        }
    }

    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, !(0x30...0x39).contains(first) else { return false }
        return bytes.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || $0 == UInt8(ascii: "_")
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }
}
