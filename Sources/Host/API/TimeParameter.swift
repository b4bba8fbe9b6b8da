package import Readings

/// A time in a query: RFC 3339, a local date (its first instant), or seconds since the epoch.
package enum TimeParameter {
    /// What looks like one of these: a day that its month has not passes it all the same.
    static let pattern =
        "^(((1[7-9]|2[01])\\d\\d|22[0-5]\\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])"
        + "([Tt]([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d))?"
        + "|-?(\\d{1,9}|[1-8]\\d{9}))$"

    static let grammar = "a time such as 2026-06-01T12:00:00Z, a local date such as 2026-06-01, or Unix seconds"

    /// Of 1684 and 2255: what is computed with such an instant stays within 64 bits of nanoseconds.
    private static let secondsLimit: Int64 = 8_999_999_999

    /// Nil where it is none of these.
    package static func parse(_ text: String, in zone: Zone) -> Instant? {
        let bytes = Array(text.utf8)
        if bytes.first != UInt8(ascii: "+"), let seconds = Int64(text) {
            return (-secondsLimit...secondsLimit).contains(seconds) ? Instant(seconds: seconds) : nil
        }
        guard let date = date(bytes) else { return nil }
        if bytes.count == 10 { return zone.start(of: date) }
        guard bytes.count >= 20, bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), let hour = number(bytes[11..<13], upTo: 23),
            let minute = number(bytes[14..<16], upTo: 59), let second = number(bytes[17..<19], upTo: 60)
        else { return nil }
        var rest = bytes[19...]
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            var unit = Duration.second
            var digits = 0
            while let byte = rest.first, (0x30...0x39).contains(byte) {
                unit /= 10
                fraction += unit * Int64(byte - 0x30)
                digits += 1
                rest = rest.dropFirst()
            }
            guard digits > 0 else { return nil }
        }
        guard let offset = offset(rest) else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
        return Instant(seconds: seconds) + fraction
    }

    private static func date(_ bytes: [UInt8]) -> CalendarDate? {
        guard bytes.count >= 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = number(bytes[0..<4], upTo: 9999), let month = number(bytes[5..<7], upTo: 12),
            let day = number(bytes[8..<10], upTo: 31)
        else { return nil }
        let date = CalendarDate(year: year, month: month, day: day)
        // A day that the calendar has not comes back as another.
        guard (1700...2260).contains(year), month > 0, day > 0,
            CalendarDate(daysSinceEpoch: date.daysSinceEpoch) == date
        else { return nil }
        return date
    }

    /// Seconds east of UTC: `Z` or `+HH:MM`.
    private static func offset(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let sign = bytes.first else { return nil }
        if sign | 0x20 == UInt8(ascii: "z") { return bytes.count == 1 ? 0 : nil }
        let rest = Array(bytes.dropFirst())
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), rest.count == 5, rest[2] == UInt8(ascii: ":"),
            let hour = number(rest[0..<2], upTo: 23), let minute = number(rest[3..<5], upTo: 59)
        else { return nil }
        return (hour * 3600 + minute * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    private static func number(_ digits: ArraySlice<UInt8>, upTo limit: Int) -> Int? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return value <= limit ? value : nil
    }
}
