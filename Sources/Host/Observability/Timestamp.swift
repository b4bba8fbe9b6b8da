package import Readings

/// Instants as people and JSON read them: RFC 3339, UTC, milliseconds.
package enum Timestamp {
    package static func text(_ instant: Instant) -> String {
        var bytes: [UInt8] = []
        append(instant, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    package static func append(_ instant: Instant, to bytes: inout [UInt8]) {
        let seconds = instant.seconds
        // The product may leave 64 bits at the lower end; the difference is right all the same.
        let milliseconds = (instant.nanoseconds &- seconds &* Duration.second) / Duration.millisecond
        let date = CalendarDate(daysSinceEpoch: seconds.floorDivided(by: 86_400))
        let second = seconds - seconds.floorDivided(by: 86_400) * 86_400
        digits(date.year, 4, &bytes)
        bytes.append(UInt8(ascii: "-"))
        digits(date.month, 2, &bytes)
        bytes.append(UInt8(ascii: "-"))
        digits(date.day, 2, &bytes)
        bytes.append(UInt8(ascii: "T"))
        digits(Int(second / 3600), 2, &bytes)
        bytes.append(UInt8(ascii: ":"))
        digits(Int(second / 60 % 60), 2, &bytes)
        bytes.append(UInt8(ascii: ":"))
        digits(Int(second % 60), 2, &bytes)
        bytes.append(UInt8(ascii: "."))
        digits(Int(milliseconds), 3, &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// With leading zeros. An instant's years are 1677 to 2262, so nothing here is negative.
    private static func digits(_ number: Int, _ width: Int, _ bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
