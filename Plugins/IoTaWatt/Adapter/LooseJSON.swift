/// JSON as a small device writes it: numbers that end in a point, numbers in quotes, answers that are cut off. What can
/// be read is read; the rest is said to be missing.
enum LooseJSON: Equatable, Sendable {
    case null
    case flag(Bool)
    case number(Double)
    /// Also a bare word that is none of JSON's, such as `nan`.
    case text(String)
    case list([LooseJSON])
    case object([String: LooseJSON])

    /// Nil where nothing of a value is there; `isWhole` is false where it is cut off or goes on with something else.
    static func parse(_ bytes: [UInt8]) -> (value: LooseJSON, isWhole: Bool)? {
        var parser = Parser(bytes)
        guard let value = parser.value() else { return nil }
        return (value, parser.isWhole)
    }

    subscript(_ key: String) -> LooseJSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    var list: [LooseJSON]? {
        if case .list(let elements) = self { elements } else { nil }
    }

    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    /// A finite number, in quotes and padded or not.
    var number: Double? {
        switch self {
        case .number(let value): value.isFinite ? value : nil
        case .text(let text): Self.number(text)
        case .null, .flag, .list, .object: nil
        }
    }

    /// A whole number that an Int holds.
    var integer: Int? { number.flatMap { Int(exactly: $0.rounded(.down)) } }

    private static func number(_ text: String) -> Double? {
        var parser = Parser(Array(text.utf8))
        guard case .number(let value)? = parser.value(), parser.isAtEnd, value.isFinite else { return nil }
        return value
    }
}

private struct Parser {
    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0
    private(set) var isWhole = true

    /// Deeper than anything that a device says.
    private static let deepest = 32

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return place == bytes.count
        }
    }

    /// Nil at the end, before a closing bracket, and once the input has stopped making sense.
    mutating func value() -> LooseJSON? {
        skipSpace()
        guard place < bytes.count else {
            isWhole = false
            return nil
        }
        switch bytes[place] {
        case UInt8(ascii: "["): return nested { parser in .list(parser.elements()) }
        case UInt8(ascii: "{"): return nested { parser in .object(parser.members()) }
        case UInt8(ascii: "\""): return string().map(LooseJSON.text)
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), 0x30...0x39: return number()
        default: return word()
        }
    }

    private mutating func nested(_ body: (inout Parser) -> LooseJSON) -> LooseJSON? {
        guard depth < Self.deepest else { return fail() }
        depth += 1
        place += 1
        defer { depth -= 1 }
        return body(&self)
    }

    private mutating func fail() -> LooseJSON? {
        isWhole = false
        place = bytes.count
        return nil
    }

    private mutating func elements() -> [LooseJSON] {
        var elements: [LooseJSON] = []
        while !closes(with: UInt8(ascii: "]")), let value = value() {
            elements.append(value)
            take(UInt8(ascii: ","))
        }
        return elements
    }

    private mutating func members() -> [String: LooseJSON] {
        var members: [String: LooseJSON] = [:]
        while !closes(with: UInt8(ascii: "}")), let key = string(), take(UInt8(ascii: ":")), let value = value() {
            members[key] = value
            take(UInt8(ascii: ","))
        }
        return members
    }

    /// Takes the closing bracket where it comes next; a cut end closes too.
    private mutating func closes(with bracket: UInt8) -> Bool {
        skipSpace()
        guard place < bytes.count else {
            isWhole = false
            return true
        }
        return take(bracket)
    }

    @discardableResult
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func skipSpace() {
        while place < bytes.count, bytes[place] <= 0x20 { place += 1 }
    }

    // MARK: Scalars

    /// Nil where it is cut off: half a name is none.
    private mutating func string() -> String? {
        guard take(UInt8(ascii: "\"")) else { return unexpected() }
        var text: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += escape()
            default: text.append(byte)
            }
        }
        isWhole = false
        return nil
    }

    private mutating func unexpected() -> String? {
        _ = fail()
        return nil
    }

    private mutating func escape() -> [UInt8] {
        guard place < bytes.count else { return [] }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "b"), UInt8(ascii: "f"): return []
        case UInt8(ascii: "u"): return unicode()
        default: return [byte]
        }
    }

    /// Halves of a surrogate pair become replacement characters: the device has no use for them.
    private mutating func unicode() -> [UInt8] {
        let digits = bytes[place..<min(place + 4, bytes.count)]
        guard let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16), digits.count == 4 else {
            return []
        }
        place += 4
        return Array(String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8)
    }

    /// Digits with a point anywhere, or at the end, and an exponent.
    private mutating func number() -> LooseJSON? {
        let start = place
        var mantissa: UInt64 = 0
        var digits = 0
        var decimals = 0
        var hasPoint = false
        let isNegative = bytes[place] == UInt8(ascii: "-")
        if isNegative || bytes[place] == UInt8(ascii: "+") { place += 1 }
        while place < bytes.count {
            if case 0x30...0x39 = bytes[place] {
                digits += 1
                if digits <= 15 { mantissa = mantissa * 10 + UInt64(bytes[place] - 0x30) }
                if hasPoint { decimals += 1 }
            } else if bytes[place] == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            place += 1
        }
        if isCutOff { return fail() }
        let isPlain = digits > 0 && digits <= 15 && decimals <= 15 && isDelimiter
        guard !isPlain else {
            let value = Double(mantissa) / Self.powers[decimals]
            return .number(isNegative ? -value : value)
        }
        while place < bytes.count, !isDelimiter { place += 1 }
        if isCutOff { return fail() }
        let word = bytes[start..<place]
        let text = String(decoding: word, as: UTF8.self)
        // Swift reads more than decimals.
        guard word.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }) else { return .text(text) }
        return Double(text.hasSuffix(".") ? text + "0" : text).map(LooseJSON.number) ?? .text(text)
    }

    /// null, true, false, or what is no JSON.
    private mutating func word() -> LooseJSON? {
        let start = place
        while place < bytes.count, !isDelimiter { place += 1 }
        guard place > start, !isCutOff else { return fail() }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        switch text {
        case "null": return .null
        case "true": return .flag(true)
        case "false": return .flag(false)
        default: return .text(text)
        }
    }

    /// A scalar of a list or an object that the input ends in: the rest of it may be missing.
    private var isCutOff: Bool { place == bytes.count && depth > 0 }

    private var isDelimiter: Bool {
        guard place < bytes.count else { return true }
        switch bytes[place] {
        case 0...0x20, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"): return true
        default: return false
        }
    }

    private static let powers: [Double] = (0...15).map { index in (0..<index).reduce(1.0) { value, _ in value * 10 } }
}
