/// Appends little-endian values: the form of what the store keeps as a blob. Inlinable: called across modules for each
/// number of each emission.
public struct ByteWriter: Sendable {
    @usableFromInline var storage: [UInt8] = []

    /// - Parameter capacity: bytes that will be written, about.
    @inlinable
    public init(capacity: Int = 0) { storage.reserveCapacity(capacity) }

    @inlinable public var bytes: [UInt8] { storage }

    @inlinable
    public mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        // The bytes are copied within the call.
        unsafe withUnsafeBytes(of: value.littleEndian) { bytes in
            unsafe storage.append(contentsOf: bytes)
        }
    }

    /// The bytes as they are; how many there are is not said.
    @inlinable public mutating func write(bytes: some Sequence<UInt8>) { storage.append(contentsOf: bytes) }

    @inlinable public mutating func write(_ value: Double) { write(value.bitPattern) }
    @inlinable public mutating func write(_ value: Float) { write(value.bitPattern) }
    @inlinable public mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

    /// A presence byte, then the value.
    @inlinable
    public mutating func write(_ value: Int64?) {
        write(value != nil)
        if let value { write(value) }
    }

    /// A presence byte, then the value.
    @inlinable
    public mutating func write(_ value: Double?) {
        write(value != nil)
        if let value { write(value) }
    }
}

/// Reads what `ByteWriter` wrote; nil at the end of the bytes, never a trap.
public struct ByteReader: Sendable {
    @usableFromInline var rest: ArraySlice<UInt8>

    public init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    public var isAtEnd: Bool { rest.isEmpty }

    @inlinable
    public mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        let size = Value.bitWidth / 8
        guard rest.count >= size else { return nil }
        var value: Value = 0
        for index in 0..<size {
            value |= Value(truncatingIfNeeded: rest[rest.startIndex + index]) << (index * 8)
        }
        rest = rest.dropFirst(size)
        return value
    }

    /// As many bytes as they are.
    public mutating func readBytes(_ count: Int) -> [UInt8]? {
        guard count >= 0, rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    public mutating func readDouble() -> Double? { read(UInt64.self).map(Double.init(bitPattern:)) }
    public mutating func readFloat() -> Float? { read(UInt32.self).map(Float.init(bitPattern:)) }
    public mutating func readBool() -> Bool? { read(UInt8.self).map { $0 != 0 } }

    /// The outer nil: there are no more bytes.
    public mutating func readOptionalDouble() -> Double?? {
        guard let isPresent = readBool() else { return nil }
        guard isPresent else { return .some(nil) }
        return readDouble().map { .some($0) }
    }

    /// The outer nil: there are no more bytes.
    public mutating func readOptionalInt64() -> Int64?? {
        guard let isPresent = readBool() else { return nil }
        guard isPresent else { return .some(nil) }
        return read(Int64.self).map { .some($0) }
    }
}
