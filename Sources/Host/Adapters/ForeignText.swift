import AdapterABI

/// Texts as they come from an adapter: hostile until checked.
enum ForeignText {
    /// Bytes of a line that an adapter logs.
    static let longestMessage = 4096

    /// A copy; nil where it is longer than `limit`, has no bytes where it says it has, or is not UTF-8.
    static func string(_ text: meter_text, limit: Int) -> String? {
        guard unsafe text.length > 0 else { return "" }
        guard let bytes = unsafe bytes(text, limit: limit) else { return nil }
        return unsafe String(validating: bytes, as: UTF8.self)
    }

    /// As `string`, of what is shown to people: no line ends or other control characters.
    static func line(_ text: meter_text, limit: Int) -> String? {
        guard let string = unsafe string(text, limit: limit) else { return nil }
        return string.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? string : nil
    }

    /// The bytes, not copied: valid for the adapter's call only.
    static func bytes(_ text: meter_text, limit: Int) -> UnsafeRawBufferPointer? {
        guard unsafe text.length <= limit else { return nil }
        guard unsafe text.length > 0 else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        guard let data = unsafe text.data else { return nil }
        return unsafe UnsafeRawBufferPointer(start: data, count: Int(text.length))
    }

    /// A text for a person: what is not UTF-8 is replaced, what is too long is cut.
    static func words(_ text: meter_text, limit: Int) -> String {
        guard let data = unsafe text.data else { return "" }
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: min(Int(text.length), limit))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// The message of a failed call.
    static func message(_ error: meter_error) -> String {
        let length = min(Int(error.message_length), 488)
        return unsafe withUnsafeBytes(of: error.message) { bytes in
            unsafe String(decoding: bytes.prefix(length), as: UTF8.self)
        }
    }
}
