package import Readings

/// Writes JSON into bytes, front to back. Commas are its own affair; that opened objects and arrays are closed, and
/// that a key stands before each value of an object, is the caller's.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    package mutating func key(_ name: String) {
        separate()
        quoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A key with its quotes and colon, for one that is written many times.
    package static func encodedKey(_ name: String) -> [UInt8] {
        var json = JSONWriter()
        json.key(name)
        return json.bytes
    }

    /// - Parameter key: what `encodedKey` made.
    package mutating func key(encoded key: [UInt8]) {
        separate()
        bytes.append(contentsOf: key)
        needsComma = false
    }

    /// What was written so far, to be handed on; writing goes on behind it.
    package mutating func takeBytes() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    package mutating func null() { literal("null") }
    package mutating func value(_ value: Bool) { literal(value ? "true" : "false") }
    package mutating func value(_ value: some FixedWidthInteger) { literal(String(value)) }

    package mutating func value(_ text: String) {
        separate()
        quoted(text)
    }

    /// Not finite = null: JSON has no other word for it.
    package mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        // Whole numbers keep ".0", so that a reader sees a number of the same kind in every answer.
        separate()
        DecimalText.append(number, to: &bytes, wholeWithPoint: true)
    }

    /// RFC 3339 in UTC with milliseconds.
    package mutating func value(_ instant: Instant) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        Timestamp.append(instant, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func value(_ number: Double?) { if let number { value(number) } else { null() } }
    package mutating func value(_ text: String?) { if let text { value(text) } else { null() } }
    package mutating func value(_ instant: Instant?) { if let instant { value(instant) } else { null() } }

    package mutating func field(_ name: String, _ text: String?) {
        key(name)
        value(text)
    }

    package mutating func field(_ name: String, _ number: Double?) {
        key(name)
        value(number)
    }

    package mutating func field(_ name: String, _ instant: Instant?) {
        key(name)
        value(instant)
    }

    package mutating func field(_ name: String, _ number: some FixedWidthInteger) {
        key(name)
        value(number)
    }

    package mutating func field(_ name: String, _ flag: Bool) {
        key(name)
        value(flag)
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        Self.appendEscaped(text.utf8, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// The inside of a JSON string.
    static func appendEscaped(_ text: some Collection<UInt8>, to bytes: inout [UInt8]) {
        // Most texts have nothing to escape, and go in one piece.
        if text.allSatisfy(isPlain) {
            bytes.append(contentsOf: text)
        } else {
            for byte in text { append(escaped: byte, to: &bytes) }
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != 0x7F && byte != 0xE2
    }

    private static func append(escaped byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x0A: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
        case 0x0D: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
        case 0x09: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
        case 0..<0x20, 0x7F:
            let digits = Array("0123456789abcdef".utf8)
            bytes += Array("\\u00".utf8)
            bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        case 0xA8, 0xA9:
            // U+2028 and U+2029 end a line for some who read lines, JavaScript's `.` and Python's splitlines among them.
            if bytes.suffix(2) == [0xE2, 0x80] {
                bytes.removeLast(2)
                bytes += Array(byte == 0xA8 ? "\\u2028".utf8 : "\\u2029".utf8)
            } else {
                bytes.append(byte)
            }
        default: bytes.append(byte)
        }
    }
}
