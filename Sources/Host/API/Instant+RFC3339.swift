import Readings

extension Instant {
    /// UTC with milliseconds: `2026-11-23T18:26:30.000Z`.
    var rfc3339: String {
        let day = seconds.floorDivided(by: 86_400)
        let second = seconds - day * 86_400
        let fraction = nanoseconds % Duration.second
        let millisecond = (fraction < 0 ? fraction + Duration.second : fraction) / Duration.millisecond
        let (year, month, dayOfMonth) = Self.civil(day)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
        let time = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(date)T\(time).\(padded(millisecond, 3))Z"
    }

    /// Days since 1970 as a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible date algorithms"):
    /// eras of 400 years that begin on the first of March.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
