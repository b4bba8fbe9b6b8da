/// Instants as the cloud writes them: UTC, to the second. Nanoseconds since the epoch.
enum UTCTime {
    static let second: Int64 = 1_000_000_000
    static let hour: Int64 = 3_600_000_000_000

    /// `2026-01-05T07:08:09`, rounded down.
    static func text(_ instant: Int64) -> String {
        let seconds = floor(instant, second) / second
        let day = floor(seconds, 86_400) / 86_400
        let clock = seconds - day * 86_400
        // Civil date of a day number: years begin in March, eras have 146,097 days.
        let shifted = day + 719_468
        let era = floor(shifted, 146_097) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(padded(year, 4))-\(padded(month))-\(padded(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))"
        return "\(date)T\(padded(clock / 3600)):\(padded(clock / 60 % 60)):\(padded(clock % 60))"
    }

    /// `2026-01-05T05:00:00.000Z`, fractions left aside; nil where it is none, or of a time before 1970.
    static func instant(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40, bytes.last == UInt8(ascii: "Z"),
            [4, 7, 10, 13, 16].map({ bytes[$0] }) == Array("--T::".utf8),
            bytes[19...].dropLast().allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hours = number(bytes[11..<13]), let minutes = number(bytes[14..<16]),
            let seconds = number(bytes[17..<19]), (1970...2200).contains(year), (1...12).contains(month),
            (1...31).contains(day), hours < 24, minutes < 60, seconds < 61
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = shiftedYear * 365 + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400 + dayOfYear - 719_468
        return (days * 86_400 + hours * 3600 + minutes * 60 + seconds) * second
    }

    /// The largest multiple of `unit` that is not after it.
    static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        let remainder = value % unit
        return value - (remainder < 0 ? remainder + unit : remainder)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    private static func padded(_ number: Int64, _ width: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
