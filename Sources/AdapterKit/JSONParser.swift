/// Reads one JSON value front to back. It never goes on behind what made no sense: the place is then the end.
struct JSONParser {
    private let bytes: [UInt8]
    private let isLoose: Bool
    private var place = 0
    private var depth = 0
    /// How many more values are read.
    private var valuesLeft = Int.max
    private(set) var isWhole = true

    init(_ bytes: [UInt8], isLoose: Bool) {
        self.bytes = bytes
        self.isLoose = isLoose
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return place == bytes.count
        }
    }

    /// Nil at the end, before a closing bracket, and once the input has stopped making sense.
    mutating func value() -> JSON? {
        skipSpace()
        guard place < bytes.count, valuesLeft > 0 else { return fail() }
        valuesLeft -= 1
        switch bytes[place] {
        case UInt8(ascii: "["): return nested { parser in .list(parser.elements()) }
        case UInt8(ascii: "{"): return nested { parser in .object(parser.members()) }
        case UInt8(ascii: "\""): return string().map(JSON.text)
        default: return scalar()
        }
    }

    /// A value that is made of so many at most.
    mutating func value(most: Int) -> JSON? {
        valuesLeft = most
        return value()
    }

    /// Goes into the list that comes next; false where something else does.
    mutating func enterList() -> Bool {
        guard depth < JSON.deepest, take(UInt8(ascii: "[")) else { return false }
        depth += 1
        return true
    }

    /// Goes to the next element of a list that was entered; false where the list ends, which is left then.
    mutating func goToElement(isFirst: Bool) -> Bool {
        if !isFirst { separate(before: UInt8(ascii: "]")) }
        guard closes(with: UInt8(ascii: "]")) else { return true }
        depth -= 1
        return false
    }

    private mutating func nested(_ body: (inout JSONParser) -> JSON) -> JSON? {
        guard depth < JSON.deepest else { return fail() }
        depth += 1
        place += 1
        defer { depth -= 1 }
        return body(&self)
    }

    private mutating func fail<Value>() -> Value? {
        isWhole = false
        place = bytes.count
        return nil
    }

    private mutating func elements() -> [JSON] {
        var elements: [JSON] = []
        while !closes(with: UInt8(ascii: "]")), let value = value() {
            elements.append(value)
            separate(before: UInt8(ascii: "]"))
        }
        return elements
    }

    private mutating func members() -> [String: JSON] {
        var members: [String: JSON] = [:]
        while !closes(with: UInt8(ascii: "}")), let key = string() {
            guard take(UInt8(ascii: ":")) else {
                isWhole = false
                place = bytes.count
                break
            }
            guard let value = value() else { break }
            members[key] = value
            separate(before: UInt8(ascii: "}"))
        }
        return members
    }

    /// Takes the closing bracket where it comes next; a cut end closes too.
    private mutating func closes(with bracket: UInt8) -> Bool {
        if take(bracket) { return true }
        guard place == bytes.count else { return false }
        isWhole = false
        return true
    }

    /// Between two values stands one comma, and none before the closing bracket.
    private mutating func separate(before bracket: UInt8) {
        let isSeparated = take(UInt8(ascii: ","))
        guard !isLoose else { return }
        skipSpace()
        if place < bytes.count, (bytes[place] == bracket) == isSeparated {
            isWhole = false
            place = bytes.count
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func skipSpace() {
        while place < bytes.count, bytes[place] <= 0x20 {
            switch bytes[place] {
            case 0x20, 0x0A, 0x0D, 0x09: place += 1
            default:
                guard isLoose else { return }
                place += 1
            }
        }
    }
}

// Texts.
extension JSONParser {
    /// Nil where it is cut off: half a name is none.
    private mutating func string() -> String? {
        guard take(UInt8(ascii: "\"")) else { return fail() }
        let start = place
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                place += 1
                return String(decoding: bytes[start..<(place - 1)], as: UTF8.self)
            case UInt8(ascii: "\\"): return stringWithEscapes(from: start)
            case 0..<0x20 where !isLoose: return fail()
            default: place += 1
            }
        }
        return fail()
    }

    private mutating func stringWithEscapes(from start: Int) -> String? {
        var text = Array(bytes[start..<place])
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(to: &text) else { return fail() }
            case 0..<0x20 where !isLoose: return fail()
            default: text.append(byte)
            }
        }
        return fail()
    }

    /// False where it is none of JSON's; loosely a sign stands for itself.
    private mutating func escape(to text: inout [UInt8]) -> Bool {
        guard place < bytes.count else { return false }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard let character = unicode() else { return isLoose }
            text += String(character).utf8
        default:
            guard isLoose else { return false }
            text.append(byte)
        }
        return true
    }

    private mutating func unicode() -> Unicode.Scalar? {
        guard let first = hexadecimal(at: place) else { return nil }
        place += 4
        if 0xD800..<0xDC00 ~= first, place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"),
            bytes[place + 1] == UInt8(ascii: "u"), let second = hexadecimal(at: place + 2), 0xDC00..<0xE000 ~= second
        {
            place += 6
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        }
        return Unicode.Scalar(first) ?? "\u{FFFD}"
    }

    /// Four digits.
    private func hexadecimal(at start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var code: UInt32 = 0
        for byte in bytes[start..<(start + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            code = code << 4 | UInt32(digit)
        }
        return code
    }
}

// Numbers and words.
extension JSONParser {
    private mutating func scalar() -> JSON? {
        let start = place
        while place < bytes.count, !isDelimiter(bytes[place]) { place += 1 }
        let word = bytes[start..<place]
        // At the end of a list or an object that is cut off, the rest of the scalar may be missing too.
        guard !word.isEmpty, place < bytes.count || depth == 0 else { return fail() }
        if let number = JSONNumber.read(word, isLoose: isLoose) { return number }
        switch String(decoding: word, as: UTF8.self) {
        case "null": return .null
        case "true": return .flag(true)
        case "false": return .flag(false)
        case let text: return isLoose ? .text(text) : fail()
        }
    }

    private func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"): true
        default: false
        }
    }
}
