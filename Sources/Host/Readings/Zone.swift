/// A time zone, read from its TZif file (RFC 8536): glibc's own zone is process-wide, and an adapter's `setenv` would
/// change it.
public struct Zone: Sendable {
    /// `Europe/Berlin`; `UTC` where nothing else is known.
    public let name: String
    private let transitions: [Transition]
    /// The offset before the first transition.
    private let first: Int
    /// What holds after the last transition.
    private let rule: ZoneRule?

    struct Transition: Sendable {
        /// Seconds since the epoch.
        var at: Int64
        /// Seconds east of UTC from then on.
        var offset: Int
    }

    public static let utc = Zone(name: "UTC", transitions: [], first: 0, rule: nil)

    init(name: String, transitions: [Transition], first: Int, rule: ZoneRule?) {
        self.name = name
        self.transitions = transitions
        self.first = first
        self.rule = rule
    }

    /// Nil where the bytes are no zone file.
    public init?(name: String, file bytes: [UInt8]) {
        guard let file = ZoneFile(bytes) else { return nil }
        self.init(name: name, transitions: file.transitions, first: file.first, rule: file.rule)
    }

    /// Seconds east of UTC.
    public func offset(at instant: Instant) -> Int {
        let seconds = instant.seconds
        guard let last = transitions.last else { return rule?.offset(at: seconds) ?? first }
        if seconds >= last.at, let rule { return rule.offset(at: seconds) }
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : transitions[low - 1].offset
    }

    /// What the local clock and calendar show.
    public func localTime(at instant: Instant) -> LocalTime {
        LocalTime(secondsOfEra: instant.seconds + Int64(offset(at: instant)))
    }

    /// YYYY-MM-DD.
    public func dateString(at instant: Instant) -> String { localTime(at: instant).dateString }

    /// The first instant of the local day that `instant` lies in; where the clock skips midnight, the first that exists.
    public func startOfDay(containing instant: Instant) -> Instant {
        let day = (instant.seconds + Int64(offset(at: instant))).floorDivided(by: 86400)
        return firstInstant(ofDay: day)
    }

    /// The first instant of the local day after the one that `instant` lies in.
    public func nextDayStart(after instant: Instant) -> Instant {
        let day = (instant.seconds + Int64(offset(at: instant))).floorDivided(by: 86400)
        return firstInstant(ofDay: day + 1)
    }

    /// When the local clock shows `hour` on the local day that `instant` lies in: one span as a rule, none where the
    /// clock skips it, two where it shows it twice with something between, one long one where it does so in a row.
    public func spans(ofHour hour: Int, onDayOf instant: Instant) -> [(start: Instant, end: Instant)] {
        let start = startOfDay(containing: instant).seconds
        let end = nextDayStart(after: instant).seconds
        var spans: [(start: Instant, end: Instant)] = []
        // Between two changes of the offset the clock runs evenly; no zone changes it twice within a quarter of an hour.
        var quarter = start
        while quarter < end {
            let next = min(quarter + 900, end)
            if localTime(at: Instant(seconds: quarter)).hour == hour {
                if let last = spans.last, last.end.seconds == quarter {
                    spans[spans.count - 1].end = Instant(seconds: next)
                } else {
                    spans.append((Instant(seconds: quarter), Instant(seconds: next)))
                }
            }
            quarter = next
        }
        return spans
    }

    /// The first instant whose local date is the given day of the era.
    private func firstInstant(ofDay day: Int64) -> Instant {
        let midnight = day * 86400
        // No offset is more than a day from UTC, so the day begins within this window; the local date never goes back
        // by more than the repeated part of an evening, which still belongs to the day before.
        var low = midnight - 30 * 3600
        var high = midnight + 30 * 3600
        // Guess with the offset in force around it; exact unless a change lies between.
        let guess =
            midnight - Int64(offset(at: Instant(seconds: midnight - Int64(offset(at: Instant(seconds: midnight))))))
        if isFirst(guess, day) { return Instant(seconds: guess) }
        while high - low > 1 {
            let middle = (low + high) / 2
            if dayNumber(middle) >= day { high = middle } else { low = middle }
        }
        return Instant(seconds: high)
    }

    private func isFirst(_ seconds: Int64, _ day: Int64) -> Bool {
        dayNumber(seconds) == day && dayNumber(seconds - 1) == day - 1
            && dayNumber(seconds - 3 * 3600) == day - 1
    }

    private func dayNumber(_ seconds: Int64) -> Int64 {
        (seconds + Int64(offset(at: Instant(seconds: seconds)))).floorDivided(by: 86400)
    }
}

/// A date and time of the local calendar (Gregorian).
public struct LocalTime: Hashable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    /// `seconds` since 1970-01-01T00:00:00 of the same calendar.
    public init(secondsOfEra seconds: Int64) {
        let days = seconds.floorDivided(by: 86400)
        let rest = Int(seconds - days * 86400)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
    }

    /// YYYY-MM-DD.
    public var dateString: String { "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))" }

    /// Days since 1970-01-01 of a date.
    public static func days(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = Int64(month <= 2 ? year - 1 : year)
        let era = shifted.floorDivided(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
