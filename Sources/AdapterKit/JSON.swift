/// JSON (RFC 8259) that came from outside. Any bytes may be read: what is no JSON gives nil and never a trap, in a
/// time and a depth that the length of the input and `deepest` bound. The accessors give nil where a value is of
/// another kind, so that a path is written `json["a"]?["b"]?.number`.
public enum JSON: Equatable, Sendable {
    case null
    case flag(Bool)
    /// Written without point and exponent, exact.
    case integer(Int64)
    /// Any other number; infinite where it is larger than a Double can be.
    case number(Double)
    case text(String)
    case list([JSON])
    /// Of a key that is there twice, the last value.
    case object([String: JSON])

    /// More levels than this are no JSON for anybody here.
    public static let deepest = 32

    /// Nil where the bytes are anything else than one JSON value. Bytes of a text that are no UTF-8, and halves of a
    /// surrogate pair, become replacement characters.
    public static func parse(_ bytes: [UInt8]) -> JSON? {
        var parser = JSONParser(bytes, isLoose: false)
        guard let value = parser.value(), parser.isWhole, parser.isAtEnd else { return nil }
        return value
    }

    /// As a small device writes it: numbers that begin or end with a point, bare words such as `nan` (which become
    /// texts), missing and superfluous commas, answers that are cut off. What can be read is read.
    ///
    /// Nil where nothing of a value is there; `isWhole` is false where it is cut off or goes on with something else.
    public static func parseLoosely(_ bytes: [UInt8]) -> (value: JSON, isWhole: Bool)? {
        var parser = JSONParser(bytes, isLoose: true)
        guard let value = parser.value() else { return nil }
        return (value, parser.isWhole && parser.isAtEnd)
    }
}

extension JSON {
    /// A member of an object.
    public subscript(_ key: String) -> JSON? { members?[key] }

    public var members: [String: JSON]? {
        if case .object(let members) = self { members } else { nil }
    }

    public var list: [JSON]? {
        if case .list(let elements) = self { elements } else { nil }
    }

    public var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    public var flag: Bool? {
        if case .flag(let flag) = self { flag } else { nil }
    }

    /// A finite number.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value.isFinite ? value : nil
        default: nil
        }
    }

    /// A whole number, be it written `2`, `2.0` or `2e0`.
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// Whether it is the word `null`.
    public var isNull: Bool { self == .null }

    /// A text as JSON writes it, in its quotes.
    public static func quoted(_ text: String) -> String {
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: quoted += "\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: quoted.append(byte)
            }
        }
        quoted.append(UInt8(ascii: "\""))
        return String(decoding: quoted, as: UTF8.self)
    }
}
