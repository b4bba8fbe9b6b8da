/// Masks secrets wherever they appear in a line: as they are, percent-encoded, JSON-escaped, and in the userinfo of a
/// URL, whether known or not.
struct Redactor: Sendable {
    /// A shorter secret would mask half of every line.
    static let shortest = 4
    private static let mask = Array("***".utf8)

    /// How often each form of a secret was added and not removed again.
    private var forms: [[UInt8]: Int] = [:]
    /// Longest first, so that a secret that contains another is masked whole.
    private var needles: [[UInt8]] = []

    mutating func add(_ secrets: some Sequence<String>) { count(secrets, 1) }

    /// As often as it was added: what another has added stays masked.
    mutating func remove(_ secrets: some Sequence<String>) { count(secrets, -1) }

    private mutating func count(_ secrets: some Sequence<String>, _ change: Int) {
        for secret in secrets where secret.utf8.count >= Self.shortest {
            for form in Set(Self.forms(of: secret)) {
                let count = forms[form, default: 0] + change
                forms[form] = count > 0 ? count : nil
            }
        }
        needles = forms.keys.sorted { $0.count > $1.count }
    }

    func redacted(_ text: String) -> [UInt8] {
        var line = Array(text.utf8)
        for needle in needles { Self.replace(needle, in: &line) }
        Self.maskUserinfo(&line)
        return line
    }

    /// How the secret may be written.
    private static func forms(of secret: String) -> [[UInt8]] {
        let raw = Array(secret.utf8)
        var json: [UInt8] = []
        JSONWriter.appendEscaped(raw, to: &json)
        var escaped: [UInt8] = []
        LogLine.appendPrintable(raw, to: &escaped)
        return [raw, json, escaped]
            + ["0123456789ABCDEF", "0123456789abcdef"].flatMap { digits in
                [
                    percentEncoded(raw, Array(digits.utf8), keeping: "-._~"),
                    percentEncoded(raw, Array(digits.utf8), keeping: "-._~/:@!$&'()*+,;="),
                ]
            }
    }

    private static func percentEncoded(_ bytes: [UInt8], _ digits: [UInt8], keeping kept: String) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            let isAlphanumeric = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
            if isAlphanumeric || kept.utf8.contains(byte) { return [byte] }
            return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    private static func replace(_ needle: [UInt8], in line: inout [UInt8]) {
        guard let first = needle.first, line.count >= needle.count else { return }
        var index = 0
        while index + needle.count <= line.count {
            if line[index] == first, line[index..<index + needle.count].elementsEqual(needle) {
                line.replaceSubrange(index..<index + needle.count, with: mask)
                index += mask.count
            } else {
                index += 1
            }
        }
    }

    /// `scheme://user:password@host` becomes `scheme://***@host`.
    private static func maskUserinfo(_ line: inout [UInt8]) {
        var index = 0
        while index + 2 < line.count {
            guard line[index] == UInt8(ascii: ":"), line[index + 1] == 0x2F, line[index + 2] == 0x2F else {
                index += 1
                continue
            }
            let start = index + 3
            // The authority ends where path, query, fragment or the URL itself does.
            let end = line[start...].firstIndex { $0 <= 0x20 || "/?#\"'<>".utf8.contains($0) } ?? line.endIndex
            if let at = line[start..<end].lastIndex(of: UInt8(ascii: "@")), at > start {
                line.replaceSubrange(start..<at, with: mask)
            }
            index = start
        }
    }
}

/// Masks secrets in a text that is no line of the log.
package enum Redaction {
    package static func of(_ text: String, _ secrets: [String]) -> String {
        var redactor = Redactor()
        redactor.add(secrets)
        return String(decoding: redactor.redacted(text), as: UTF8.self)
    }
}
