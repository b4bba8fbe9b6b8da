import AdapterABI

/// Texts laid end to end, so that many of them cross the interface with one pointer.
struct TextArena {
    private var bytes: [UInt8] = []

    /// Where a text stands.
    typealias Place = Range<Int>

    mutating func add(_ text: String) -> Place {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        return start..<bytes.count
    }

    /// Hands out `meter_text`s that are valid for the duration of `body`.
    func withTexts<Result>(_ body: ((Place) -> meter_text) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe body { place in
                let start = unsafe buffer.baseAddress.map { unsafe $0 + place.lowerBound }
                return unsafe meter_text(
                    data: start?.assumingMemoryBound(to: CChar.self), length: UInt32(place.count), reserved: 0)
            }
        }
    }
}

extension String {
    /// A copy of a text of the interface.
    init(_ text: meter_text) {
        guard let data = unsafe text.data, unsafe text.length > 0 else {
            self = ""
            return
        }
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: Int(text.length))
        self = unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// At most so many bytes, in whole characters as people see them; within one only where it is longer by itself.
    public func cut(toBytes capacity: Int) -> String {
        guard utf8.count > capacity else { return self }
        var end = startIndex
        var length = 0
        for index in indices {
            length += self[index].utf8.count
            guard length <= capacity else { break }
            end = self.index(after: index)
        }
        return end > startIndex ? String(self[..<end]) : String(decoding: utf8Prefix(capacity), as: UTF8.self)
    }

    /// At most `capacity` bytes, cut before a scalar and not within one.
    func utf8Prefix(_ capacity: Int) -> [UInt8] {
        let bytes = Array(utf8)
        var length = min(bytes.count, capacity)
        while length > 0, length < bytes.count, bytes[length] & 0xC0 == 0x80 { length -= 1 }
        return Array(bytes.prefix(length))
    }

    /// This string as a text that is valid for the duration of `body`.
    func withText<Result>(_ body: (meter_text) -> Result) -> Result {
        var arena = TextArena()
        let place = arena.add(self)
        return unsafe arena.withTexts { text in unsafe body(text(place)) }
    }
}
