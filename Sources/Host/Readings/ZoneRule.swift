/// The rule that goes on after a zone file's last transition: a POSIX TZ string with RFC 8536's extensions, such as
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRule: Sendable {
    /// Seconds east of UTC.
    private let standard: Int
    private let summer: (offset: Int, start: Change, end: Change)?

    /// When the clock changes in a year.
    private struct Change: Sendable {
        enum Date: Sendable {
            /// Jn: 1 to 365, 29 February never counts.
            case julian(Int)
            /// n: 0 to 365.
            case dayOfYear(Int)
            /// Mm.w.d: the w-th d-day of a month; 5 = the last.
            case weekday(month: Int, week: Int, day: Int)
        }
        var date: Date
        /// Seconds of local time after midnight; may lie outside of the day.
        var time: Int

        /// Seconds since the epoch of the local calendar.
        func seconds(in year: Int) -> Int64 {
            let newYear = LocalTime.days(year: year, month: 1, day: 1)
            let day: Int64
            switch date {
            case .julian(let number):
                let isLeap = LocalTime.days(year: year + 1, month: 1, day: 1) - newYear == 366
                day = newYear + Int64(number - 1) + (isLeap && number >= 60 ? 1 : 0)
            case .dayOfYear(let number): day = newYear + Int64(number)
            case .weekday(let month, let week, let weekday):
                let first = LocalTime.days(year: year, month: month, day: 1)
                let next = LocalTime.days(
                    year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1)
                // 1970-01-01 was a Thursday.
                let firstWeekday = Int((first + 4) % 7 + 7) % 7
                var candidate = first + Int64((weekday - firstWeekday + 7) % 7 + (week - 1) * 7)
                while candidate >= next { candidate -= 7 }
                day = candidate
            }
            return day * 86400 + Int64(time)
        }
    }

    /// Nil for an empty or malformed rule.
    init?(_ text: String) {
        var scanner = Scanner(text)
        guard scanner.name(), let west = scanner.time() else { return nil }
        standard = -west
        guard !scanner.isAtEnd else {
            summer = nil
            return
        }
        guard scanner.name() else { return nil }
        let offset = scanner.peek == "," ? standard + 3600 : scanner.time().map { -$0 }
        guard let offset, scanner.take(","), let start = scanner.change(), scanner.take(","),
            let end = scanner.change(), scanner.isAtEnd
        else { return nil }
        summer = (offset, start, end)
    }

    /// Seconds east of UTC.
    func offset(at seconds: Int64) -> Int {
        guard let summer else { return standard }
        let year = LocalTime(secondsOfEra: seconds + Int64(standard)).year
        let start = summer.start.seconds(in: year) - Int64(standard)
        let end = summer.end.seconds(in: year) - Int64(summer.offset)
        // South of the equator summer goes over the new year; Morocco's "summer" is the rest of the year.
        let isSummer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isSummer ? summer.offset : standard
    }

    private struct Scanner {
        private var rest: Substring

        init(_ text: String) { rest = text[...] }

        var isAtEnd: Bool { rest.isEmpty }
        var peek: Character? { rest.first }

        mutating func take(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        /// `CEST`, or `<+0330>`.
        mutating func name() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: ">") else { return false }
                rest = rest[rest.index(after: end)...]
                return true
            }
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        mutating func number() -> Int? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard (1...3).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            return Int(digits)
        }

        /// [+-]hh[:mm[:ss]] in seconds.
        mutating func time() -> Int? {
            let sign = take("-") ? -1 : 1
            if sign == 1 { _ = take("+") }
            guard let hours = number() else { return nil }
            var seconds = hours * 3600
            if take(":") {
                guard let minutes = number() else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let rest = number() else { return nil }
                    seconds += rest
                }
            }
            return sign * seconds
        }

        mutating func change() -> Change? {
            guard let date = date() else { return nil }
            guard take("/") else { return Change(date: date, time: 7200) }
            return time().map { Change(date: date, time: $0) }
        }

        private mutating func date() -> Change.Date? {
            if take("J") { return number().map { .julian($0) } }
            guard take("M") else { return number().map { .dayOfYear($0) } }
            guard let month = number(), (1...12).contains(month), take("."), let week = number(),
                (1...5).contains(week), take("."), let day = number(), (0...6).contains(day)
            else { return nil }
            return .weekday(month: month, week: week, day: day)
        }
    }
}
