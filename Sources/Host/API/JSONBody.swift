/// JSON as it is written, for bodies: no tree is built. Text from outside is escaped; a number that is not finite, and
/// nil, are null.
struct JSONBody {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    mutating func object(_ content: (inout JSONBody) -> Void) { nest("{", "}", content) }

    mutating func array(_ name: String, _ content: (inout JSONBody) -> Void) {
        key(name)
        nest("[", "]", content)
    }

    mutating func object(_ name: String, _ content: (inout JSONBody) -> Void) {
        key(name)
        nest("{", "}", content)
    }

    mutating func field(_ name: String, _ value: String?) {
        key(name)
        if let value { text(value) } else { append("null") }
    }

    mutating func field(_ name: String, _ value: Double?) {
        key(name)
        if let value, value.isFinite { append(value.description) } else { append("null") }
    }

    mutating func field(_ name: String, _ value: (some BinaryInteger)?) {
        key(name)
        append(value.map { String($0) } ?? "null")
    }

    mutating func field(_ name: String, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
    }

    private mutating func nest(_ open: String, _ close: String, _ content: (inout JSONBody) -> Void) {
        if needsComma { append(",") }
        append(open)
        needsComma = false
        content(&self)
        append(close)
        needsComma = true
    }

    private mutating func key(_ name: String) {
        if needsComma { append(",") }
        text(name)
        append(":")
        needsComma = false
    }

    private mutating func text(_ value: String) {
        append("\"")
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes += [UInt8(ascii: "\\"), byte]
            // `<` too, so that a body is harmless where it is put into a page.
            case 0..<0x20, 0x7F, UInt8(ascii: "<"):
                append("\\u00")
                append(byte < 0x10 ? "0" : "")
                append(String(byte, radix: 16))
            default:
                bytes.append(byte)
            }
        }
        append("\"")
        needsComma = true
    }

    private mutating func append(_ raw: String) {
        bytes.append(contentsOf: raw.utf8)
        needsComma = true
    }
}
