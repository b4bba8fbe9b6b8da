/// A time zone of its own making: glibc's is process-wide, and an adapter's `setenv` changes it.
public struct Zone: Sendable {
    /// Such as Europe/Berlin; `localtime` where it is not known.
    public let name: String
    private let table: ZoneTable

    init(name: String, table: ZoneTable) {
        self.name = name
        self.table = table
    }

    public static let utc = Zone(name: "UTC", table: .utc)

    /// Local wall time.
    public struct LocalTime: Hashable, Sendable {
        public let date: CalendarDate
        public let hour: Int
        public let minute: Int
        public let second: Int
    }

    /// Seconds east of UTC.
    public func offset(at instant: Instant) -> Int { offset(atSecond: instant.seconds) }

    public func localTime(at instant: Instant) -> LocalTime {
        let local = instant.seconds + Int64(offset(at: instant))
        let days = local.floorDivided(by: 86_400)
        let second = Int(local - days * 86_400)
        return LocalTime(
            date: CalendarDate(daysSinceEpoch: days), hour: second / 3600, minute: second / 60 % 60, second: second % 60
        )
    }

    public func localDate(at instant: Instant) -> CalendarDate { localTime(at: instant).date }

    /// The first instant that exists of that local day. A day that a zone left out altogether (Samoa, 2011-12-30)
    /// begins where the next one does.
    public func start(of date: CalendarDate) -> Instant {
        firstInstant(atOrAfter: date.daysSinceEpoch * 86_400)
    }

    public func startOfDay(containing instant: Instant) -> Instant { start(of: localDate(at: instant)) }

    /// The start of the local day after the one that `instant` lies in.
    public func nextDayStart(after instant: Instant) -> Instant {
        let days = localDate(at: instant).daysSinceEpoch
        return start(of: CalendarDate(daysSinceEpoch: days + 1))
    }

    public func startOfMonth(containing instant: Instant) -> Instant {
        let date = localDate(at: instant)
        return start(of: CalendarDate(year: date.year, month: date.month, day: 1))
    }

    public func nextMonthStart(after instant: Instant) -> Instant {
        let date = localDate(at: instant)
        let isLast = date.month == 12
        return start(
            of: CalendarDate(year: isLast ? date.year + 1 : date.year, month: isLast ? 1 : date.month + 1, day: 1))
    }

    /// The start of the local hour: the last instant at which a clock on the wall showed a full hour, or was changed.
    public func startOfHour(containing instant: Instant) -> Instant {
        let offset = offset(at: instant)
        let local = instant.seconds + Int64(offset)
        let start = local.floorDivided(by: 3600) * 3600 - Int64(offset)
        let changed = changes(from: start, to: instant.seconds).last?.at
        return Instant(seconds: max(start, changed ?? .min))
    }

    public func nextHourStart(after instant: Instant) -> Instant {
        let start = instant.seconds
        let next =
            (start + Int64(offset(at: instant))).floorDivided(by: 3600) * 3600 + 3600 - Int64(offset(at: instant))
        let changed = changes(from: start, to: next).first?.at
        return Instant(seconds: min(next, changed ?? .max))
    }

    /// When clocks on the wall showed a time from `from` until before `to` (seconds after midnight) on that date:
    /// nothing where it was left out, two spans or one long one where it came twice. Ascending, never touching.
    public func spans(on date: CalendarDate, from: Int, to: Int) -> [Range<Instant>] {
        let midnight = date.daysSinceEpoch * 86_400
        let wall = midnight + Int64(from)..<midnight + Int64(to)
        var spans: [Range<Instant>] = []
        for piece in pieces(around: midnight) {
            let start = max(piece.start, wall.lowerBound - Int64(piece.offset))
            let end = min(piece.end, wall.upperBound - Int64(piece.offset))
            guard start < end else { continue }
            let span = Instant(seconds: start)..<Instant(seconds: end)
            if let last = spans.last, last.upperBound == span.lowerBound {
                spans[spans.count - 1] = last.lowerBound..<span.upperBound
            } else {
                spans.append(span)
            }
        }
        return spans
    }
}

extension Zone {
    /// A stretch of UTC seconds with one offset.
    private struct Piece {
        let start: Int64
        let end: Int64
        let offset: Int
    }

    private func offset(atSecond second: Int64) -> Int {
        let index = firstTransition(after: second)
        if index == table.transitions.count, let rule = table.rule { return rule.offset(at: second) }
        return index == 0 ? table.firstOffset : table.offsets[index - 1]
    }

    /// Index of the first transition of the table after `second`; the table's count where there is none.
    private func firstTransition(after second: Int64) -> Int {
        var low = 0
        var high = table.transitions.count
        while low < high {
            let middle = (low + high) / 2
            if table.transitions[middle] <= second { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Changes of the offset in (from, to], ascending.
    private func changes(from: Int64, to: Int64) -> [(at: Int64, offset: Int)] {
        var changes: [(at: Int64, offset: Int)] = []
        var index = firstTransition(after: from)
        while index < table.transitions.count, table.transitions[index] <= to {
            changes.append((table.transitions[index], table.offsets[index]))
            index += 1
        }
        if let rule = table.rule, index == table.transitions.count {
            let last = table.transitions.last ?? .min
            changes += rule.transitions(around: to).filter { $0.at > max(from, last) && $0.at <= to }
        }
        return changes
    }

    /// The three days or so around a local second, cut where the offset changes.
    private func pieces(around local: Int64) -> [Piece] {
        let from = local - 2 * 86_400
        let to = local + 3 * 86_400
        var pieces: [Piece] = []
        var (start, offset) = (from, offset(atSecond: from))
        for change in changes(from: from, to: to) {
            pieces.append(Piece(start: start, end: change.at, offset: offset))
            (start, offset) = change
        }
        pieces.append(Piece(start: start, end: to, offset: offset))
        return pieces
    }

    /// The first instant at which clocks on the wall showed `local` or, where that was left out, anything later.
    private func firstInstant(atOrAfter local: Int64) -> Instant {
        let pieces = pieces(around: local)
        let piece = pieces.first { $0.end + Int64($0.offset) > local }
        guard let piece else { return Instant(seconds: local) }
        return Instant(seconds: max(piece.start, local - Int64(piece.offset)))
    }
}
