/// Times of ISO 8601, as instants in nanoseconds since the epoch.
public enum ISOTime {
    /// `2026-11-24T06:21:33.575527+00:00`, or with `Z`; nil for anything else.
    public static func nanoseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, 4), take(&rest, "-"), let month = number(&rest, 2), take(&rest, "-"),
            let day = number(&rest, 2), take(&rest, "T"), let hour = number(&rest, 2), take(&rest, ":"),
            let minute = number(&rest, 2), take(&rest, ":"), let second = number(&rest, 2),
            (1970...2199).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        let nanoseconds = take(&rest, ".") ? fraction(&rest) : 0
        guard let offset = offset(&rest), rest.isEmpty else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Int64(seconds) * 1_000_000_000 + nanoseconds
    }

    /// With whole seconds, in UTC.
    public static func text(_ nanoseconds: Int64) -> String {
        let time = UTCTime(nanoseconds: nanoseconds)
        return "\(UTCTime.digits(time.year, 4))-\(UTCTime.digits(time.month, 2))-\(UTCTime.digits(time.day, 2))T"
            + "\(time.clock)Z"
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, _ digits: Int) -> Int? {
        let part = rest.prefix(digits)
        guard part.count == digits, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return part.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Nanoseconds of the digits behind the point.
    private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int64 {
        var value: Int64 = 0
        var unit: Int64 = 100_000_000
        while let digit = rest.first, (0x30...0x39).contains(digit) {
            value += Int64(digit - 0x30) * unit
            unit /= 10
            rest.removeFirst()
        }
        return value
    }

    /// Seconds ahead of UTC.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int? {
        if take(&rest, "Z") { return 0 }
        let isNegative = rest.first == UInt8(ascii: "-")
        guard take(&rest, "+") || take(&rest, "-"), let hours = number(&rest, 2), take(&rest, ":"),
            let minutes = number(&rest, 2)
        else { return nil }
        return (isNegative ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// Days since 1970-01-01 of a day of the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
