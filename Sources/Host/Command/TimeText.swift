import Readings

/// Times as operators write them.
enum TimeText {
    /// (from, to]; nil = it was complained about.
    static func span(_ from: String?, _ to: String?, _ console: some Console) -> Range<Instant>? {
        var bounds = (Instant(nanoseconds: 0), Instant(nanoseconds: .max))
        for (text, isStart) in [(from, true), (to, false)] {
            guard let text else { continue }
            guard let instant = instant(text) else {
                console.complain(
                    "smart-meter: '\(text)' is not a time: 2026-11-23T07:00:00Z or seconds since 1970 are understood")
                return nil
            }
            if isStart { bounds.0 = instant } else { bounds.1 = instant }
        }
        guard bounds.0 < bounds.1 else {
            console.complain("smart-meter: --from must be before --to")
            return nil
        }
        return bounds.0..<bounds.1
    }

    /// `2026-11-23T07:00:00Z`, `2026-11-23` (its UTC midnight), or seconds since 1970.
    static func instant(_ text: String) -> Instant? {
        if let seconds = Int64(text) { return Instant(seconds: seconds) }
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard let date = numbers(parts[0], "-", 3), (1970...2200).contains(date[0]), (1...12).contains(date[1]),
            (1...31).contains(date[2])
        else { return nil }
        var seconds = CalendarDate(year: date[0], month: date[1], day: date[2]).daysSinceEpoch * 86400
        if parts.count == 2 {
            guard parts[1].hasSuffix("Z"), let time = numbers(parts[1].dropLast(), ":", 3), (0..<24).contains(time[0]),
                (0..<60).contains(time[1]), (0..<60).contains(time[2])
            else { return nil }
            seconds += Int64(time[0] * 3600 + time[1] * 60 + time[2])
        }
        return parts.count <= 2 ? Instant(seconds: seconds) : nil
    }

    private static func numbers(_ text: Substring, _ separator: Character, _ count: Int) -> [Int]? {
        let numbers = text.split(separator: separator, omittingEmptySubsequences: false).compactMap { Int($0) }
        return numbers.count == count ? numbers : nil
    }
}
