import Analysis
import Readings
import Storage

/// What a meter's log can be asked for.
package struct HistoryLimits: Hashable, Sendable {
    /// Finest period of its records, in nanoseconds.
    package var step: Int64
    /// How far back asking can be of use, in nanoseconds; 0 = without a limit.
    package var reach: Int64
    /// How far before the first reading is asked, too.
    package var backfill: Int64

    package init(step: Int64, reach: Int64, backfill: Int64) {
        self.step = step
        self.reach = reach
        self.backfill = backfill
    }
}

/// Finds the gaps of an instance, and what to ask for next.
struct GapRules {
    let limits: HistoryLimits
    /// Length of a slot.
    let interval: Int64

    /// So much is asked for at once: a few seconds' work for a small device.
    private static let portion = 6 * Duration.hour

    /// Period to ask for: minutes, since a record is left out of which too much is missing; the slots' own where these are
    /// shorter; or the finest that there is.
    var step: Int64 {
        let fine = interval.isMultiple(of: Duration.minute) ? Duration.minute : interval
        if limits.step <= fine { return fine }
        return max(interval, (limits.step + interval - 1) / interval * interval)
    }

    /// Spans of slots of which too little was measured, oldest first.
    ///
    /// - Parameters:
    ///   - from, to: on the slots' grid.
    ///   - rows: what is stored in between, oldest first.
    ///   - asked: what was asked already, by start.
    func gaps(from: Instant, to: Instant, rows: [Store.Coverage], asked: [Range<Instant>]) -> [Range<Instant>] {
        var gaps: [Range<Instant>] = []
        let asked = Self.joined(asked)
        var row = 0
        var ask = 0
        var end = from + interval
        while end <= to {
            defer { end = end + interval }
            let start = end - interval
            while row < rows.count, rows[row].end <= start { row += 1 }
            while ask < asked.count, asked[ask].upperBound <= start { ask += 1 }
            if ask < asked.count, asked[ask].lowerBound <= start, asked[ask].upperBound >= end { continue }
            guard isGap(start, end, rows[row...]) else { continue }
            if let last = gaps.last, last.upperBound == start {
                gaps[gaps.count - 1] = last.lowerBound..<end
            } else {
                gaps.append(start..<end)
            }
        }
        return gaps
    }

    /// What was asked in two questions that meet may have a slot between them.
    private static func joined(_ spans: [Range<Instant>]) -> [Range<Instant>] {
        var joined: [Range<Instant>] = []
        for span in spans {
            if let last = joined.last, last.upperBound >= span.lowerBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                joined.append(span)
            }
        }
        return joined
    }

    /// Whether a slot is missing, or was hardly measured. One that others lie across, since the interval was changed, is
    /// what they are; of a quarter hour whose slots may be gone nothing can be filled any more.
    private func isGap(_ start: Instant, _ end: Instant, _ rows: ArraySlice<Store.Coverage>) -> Bool {
        guard let first = rows.first, first.start < end else { return true }
        guard !first.isClosed else { return false }
        guard first.start == start, first.end == end else {
            return first.start <= start && first.end >= end && first.coverage < Repair.fullCoverage
        }
        return first.coverage < Repair.fullCoverage
    }

    /// The newest portion of the gaps; nil where there is none, or not yet.
    func question(_ gaps: [Range<Instant>], now: Instant) -> HistoryQuestion? {
        let reach = limits.reach > 0 ? now - limits.reach : Instant(nanoseconds: .min)
        for gap in gaps.reversed() {
            var to = gap.upperBound
            if step > interval { to = (to + (step - interval)).slotEnd(interval: step) }
            if to > now { to = to - step }
            let oldest = max(gap.lowerBound, reach)
            guard to > oldest else { continue }
            // Whole quarter hours, so that one commit makes each; and whole records, where these are longer.
            var from = Self.floor(max(oldest, to - Self.portion), max(Bucket.length, step))
            from = max(from, step > interval ? Self.floor(gap.lowerBound, step) : gap.lowerBound)
            return HistoryQuestion(from: from, to: to, step: step, mostRecords: Int((to - from) / step) + 1)
        }
        return nil
    }

    private static func floor(_ instant: Instant, _ unit: Int64) -> Instant {
        (instant + 1).slotEnd(interval: unit) - unit
    }

    func slots(in gaps: [Range<Instant>]) -> Int {
        gaps.reduce(0) { $0 + Int(($1.upperBound - $1.lowerBound) / interval) }
    }
}
