/// Numbers as text.
package enum DecimalText {
    /// The shortest text that reads back as the same number. Values with up to six decimals, which is all that the
    /// host stores, take a quick way.
    /// - Parameter wholeWithPoint: a whole number ends in ".0", as Swift writes it.
    package static func append(_ value: Double, to bytes: inout [UInt8], wholeWithPoint: Bool = false) {
        let scaled = value * 1e6
        let rounded = scaled.rounded()
        guard abs(rounded) < 1e15, rounded / 1e6 == value, let whole = Int64(exactly: rounded),
            whole != 0 || value.sign == .plus || !wholeWithPoint
        else {
            bytes.append(contentsOf: value.description.utf8)
            return
        }
        if whole < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = whole.magnitude
        append(magnitude / 1_000_000, to: &bytes)
        var rest = magnitude % 1_000_000
        guard rest > 0 else {
            if wholeWithPoint { bytes += [UInt8(ascii: "."), UInt8(ascii: "0")] }
            return
        }
        bytes.append(UInt8(ascii: "."))
        var divisor: UInt64 = 100_000
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    package static func append(_ value: Int64, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &bytes)
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        guard value >= 10 else {
            bytes.append(UInt8(ascii: "0") + UInt8(value))
            return
        }
        let start = bytes.count
        var rest = value
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }
}
