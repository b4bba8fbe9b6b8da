/// The POSIX TZ rule in the footer of a zone file (RFC 9636, section 3.3.1): what holds after the last transition.
struct ZoneRule: Sendable {
    /// Seconds east of UTC.
    let standard: Int
    /// Nil where the zone no longer changes.
    let daylight: Daylight?

    struct Daylight: Sendable {
        let offset: Int
        let begin: Change
        let end: Change
    }

    struct Change: Sendable {
        let day: Day
        /// Seconds after local midnight; -167 to 167 hours.
        let time: Int64

        enum Day: Sendable {
            /// 1 to 365; February 29 is never counted.
            case julian(Int)
            /// 0 to 365; February 29 counts.
            case dayOfYear(Int)
            /// Week 5 = the last; weekday 0 = Sunday.
            case weekday(month: Int, week: Int, weekday: Int)
        }
    }

    /// Nil where the text is not such a rule.
    init?(_ text: some Sequence<UInt8>) {
        var parser = Parser(rest: Array(text)[...])
        guard parser.name(), let standard = parser.offset() else { return nil }
        self.standard = Int(-standard)
        if parser.rest.isEmpty {
            daylight = nil
            return
        }
        guard parser.name() else { return nil }
        var daylightOffset = self.standard + 3600
        if let next = parser.rest.first, next != UInt8(ascii: ",") {
            guard let offset = parser.offset() else { return nil }
            daylightOffset = Int(-offset)
        }
        guard let begin = parser.change(), let end = parser.change(), parser.rest.isEmpty else { return nil }
        daylight = Daylight(offset: daylightOffset, begin: begin, end: end)
    }

    /// The changes of the years around `second`, ascending: (UTC second, offset from then on).
    func transitions(around second: Int64) -> [(at: Int64, offset: Int)] {
        guard let daylight else { return [] }
        let year = CalendarDate(daysSinceEpoch: second.floorDivided(by: 86_400)).year
        return (year - 1...year + 1)
            .flatMap { year in
                [
                    (at: daylight.begin.second(of: year) - Int64(standard), offset: daylight.offset),
                    (at: daylight.end.second(of: year) - Int64(daylight.offset), offset: standard),
                ]
            }
            .sorted { $0.at < $1.at }
    }

    func offset(at second: Int64) -> Int {
        transitions(around: second).last { $0.at <= second }?.offset ?? standard
    }
}

extension ZoneRule.Change {
    /// Local seconds since the epoch.
    func second(of year: Int) -> Int64 {
        let newYear = CalendarDate(year: year, month: 1, day: 1).daysSinceEpoch
        let days =
            switch day {
            case .julian(let day): newYear + Int64(day - 1) + (CalendarDate.isLeap(year) && day >= 60 ? 1 : 0)
            case .dayOfYear(let day): newYear + Int64(day)
            case .weekday(let month, let week, let weekday): Self.day(year, month, week, weekday)
            }
        return days * 86_400 + time
    }

    private static func day(_ year: Int, _ month: Int, _ week: Int, _ weekday: Int) -> Int64 {
        let first = CalendarDate(year: year, month: month, day: 1)
        let next = CalendarDate(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1)
        var day = first.daysSinceEpoch + Int64((weekday - first.weekday + 7) % 7 + 7 * (week - 1))
        while day >= next.daysSinceEpoch { day -= 7 }
        return day
    }
}

private struct Parser {
    var rest: ArraySlice<UInt8>

    /// Letters, or anything in angle brackets; what it says is of no interest here.
    mutating func name() -> Bool {
        if rest.first == UInt8(ascii: "<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
            rest = rest[(end + 1)...]
            return true
        }
        let letters = rest.prefix { (0x61...0x7A).contains($0 | 0x20) }
        rest = rest.dropFirst(letters.count)
        return letters.count >= 3
    }

    /// [+-]h[:mm[:ss]] in seconds.
    mutating func offset() -> Int64? {
        var sign: Int64 = 1
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            rest.removeFirst()
        }
        guard let hours = number(0...167) else { return nil }
        var seconds = Int64(hours) * 3600
        for unit: Int64 in [60, 1] where skip(":") {
            guard let part = number(0...59) else { return nil }
            seconds += Int64(part) * unit
        }
        return sign * seconds
    }

    /// ,day[/time]
    mutating func change() -> ZoneRule.Change? {
        guard skip(","), let day = day() else { return nil }
        guard skip("/") else { return ZoneRule.Change(day: day, time: 7200) }
        return offset().map { ZoneRule.Change(day: day, time: $0) }
    }

    private mutating func day() -> ZoneRule.Change.Day? {
        if skip("J") { return number(1...365).map { .julian($0) } }
        guard skip("M") else { return number(0...365).map { .dayOfYear($0) } }
        guard let month = number(1...12), skip("."), let week = number(1...5), skip("."), let weekday = number(0...6)
        else { return nil }
        return .weekday(month: month, week: week, weekday: weekday)
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count)
        guard let value = Int(String(decoding: digits, as: UTF8.self)), range.contains(value) else { return nil }
        return value
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == character.value else { return false }
        rest.removeFirst()
        return true
    }
}
