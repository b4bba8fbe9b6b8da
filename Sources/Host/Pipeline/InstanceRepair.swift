import Analysis
package import Readings
import Storage

/// How the repair of an instance's gaps fares, for people.
package struct RepairProgress: Hashable, Sendable {
    /// Slots that are still to be asked for, and those that were filled since the start.
    package var missing = 0
    package var filled = 0
    /// When the rest can be asked for; nil = at once, or there is none.
    package var retryAt: Instant?
    /// How often gaps were looked for since the start.
    package var looks = 0
}

/// The repair of one instance's gaps: what to ask its meter, and what to do with the answer. Its state lies in the store:
/// what was filled, what was asked in vain, and what the slots behind it have still to get.
struct InstanceRepair {
    private let number: Int
    private let rules: GapRules
    /// Nothing before it is missing any more, or can be had.
    private var doneTo: Instant?
    /// A person wants it from here on, too.
    private var wantedFrom: Instant?
    private var shifts: [EnergyShift]
    /// The slots behind are getting their part: nothing more is asked until all of them have it.
    private var isShifting = false
    private(set) var progress = RepairProgress()

    static let shiftKey = "host:shifts"
    /// So many shifts wait at most, whatever there is to ask: their row is written anew with each portion.
    private static let mostShifts = 1000
    /// So many slots are brought up to date in one commit.
    static let page = 1000

    init(number: Int, limits: HistoryLimits, interval: Int64, state: [String: [UInt8]]) {
        self.number = number
        rules = GapRules(limits: limits, interval: interval)
        shifts = state[Self.shiftKey].flatMap(EnergyShift.decode) ?? []
    }

    // MARK: Asking

    /// - Parameter final: the end of what can no longer change by itself.
    mutating func wish(final: Instant, now: Instant, store: Store) throws(StorageError) -> HistoryWish {
        progress.looks += 1
        guard let first = try store.firstReading(of: number) else { return .nothing(until: nil) }
        // The slot that the first reading came into was never whole.
        var from = rules.limits.backfill > 0 ? min(first, now - rules.limits.backfill) : first
        if let wantedFrom { from = min(from, wantedFrom) }
        from = from.slotEnd(interval: rules.interval)
        if let doneTo { from = max(from, doneTo) }
        guard from < final else { return .nothing(until: nil) }
        let rows = try store.coverage(of: number, from: from, to: final)
        let gaps = rules.gaps(
            from: from, to: final, rows: rows, asked: try store.asked(of: number, now: now))
        progress.missing = rules.slots(in: gaps)
        guard let question = rules.question(gaps, now: now) else {
            progress.missing = 0
            wantedFrom = nil
            progress.retryAt = try store.nextAsking(of: number, after: now)
            if progress.retryAt == nil { doneTo = final }
            return .nothing(until: progress.retryAt)
        }
        progress.retryAt = nil
        return .ask(question)
    }

    /// A person asks for a span again, whatever was answered before.
    mutating func want(_ span: Range<Instant>, plan: inout CommitPlan) {
        wantedFrom = min(wantedFrom ?? span.lowerBound, span.lowerBound)
        doneTo = nil
        plan.asked.append(AskedRecord(instance: number, span: span, answer: nil))
    }

    // MARK: Answers

    /// Takes what the log has told. Answers the slots that are new or different.
    mutating func take(
        _ answer: HistoryAnswer, to question: HistoryQuestion, base: Carry, known: PowerSet, fold: FoldRules,
        zone: Zone,
        now: Instant, plan: inout CommitPlan, store: Store
    ) throws(StorageError) -> [Slot] {
        let covered = covered(answer, question, prunedTo: store.prunedTo)
        note(answer, question, covered, now: now, plan: &plan)
        let to = min((covered + 1).slotEnd(interval: rules.interval) - rules.interval, base.at)
        let start = question.from.slotEnd(interval: rules.interval)
        guard to > start else { return [] }
        let (rows, closed) = try rows(from: start, to: to, final: base.at, store: store)
        let outcome = Repair.fill(
            from: start, to: to, records: answer.records.filter { $0.timestamp > start },
            rows: rows, closed: closed, waiting: shifts,
            rules: Repair.Rules(
                fold: fold, interval: rules.interval, zone: zone, counted: base.counted(known: known),
                hasMeterDay: base.day.reading != nil))
        plan.slots.append(contentsOf: outcome.slots)
        progress.filled += outcome.slots.count { $0.quality == .backfilled && $0.end > start && $0.end <= to }
        if !outcome.shifts.isEmpty {
            shifts += outcome.shifts
            keep(&plan)
        }
        return outcome.slots
    }

    /// How far an answer counts. A quarter hour from which slots may be gone is made once: of one that the answer tells only
    /// in part, the whole is asked for again.
    private func covered(_ answer: HistoryAnswer, _ question: HistoryQuestion, prunedTo: Instant) -> Instant {
        let covered = min(max(answer.coveredTo, question.from), question.to)
        guard covered < question.to, covered < prunedTo else { return covered }
        let whole = (covered + 1).slotEnd(interval: Bucket.length) - Bucket.length
        return whole > question.from ? whole : covered
    }

    /// What was answered is not asked again.
    private func note(
        _ answer: HistoryAnswer, _ question: HistoryQuestion, _ covered: Instant, now: Instant, plan: inout CommitPlan
    ) {
        func remember(_ from: Instant, _ to: Instant, _ word: String, retryAt: Instant? = nil) {
            guard from < to else { return }
            plan.asked.append(AskedRecord(instance: number, span: from..<to, answer: word, retryAt: retryAt))
        }
        remember(question.from, covered, "answered")
        switch answer.outcome {
        case .complete, .more: break
        case .notYet(let retryAfter):
            remember(
                covered, question.to, "not yet", retryAt: now + max(retryAfter, rules.interval))
        case .noneBefore(let begin):
            remember(Instant(nanoseconds: 0), min(begin, question.to), "none before")
        }
    }

    /// The rows of a span, of the gap as far as it reaches around it, and the one before; and the starts of quarter hours
    /// that stay as they are.
    private func rows(
        from: Instant, to: Instant, final: Instant, store: Store
    ) throws(StorageError) -> (slots: [Slot], closed: Set<Instant>) {
        let all = try store.coverage(of: number, from: from - Self.longestGap, to: min(final, to + Self.longestGap))
        func belongs(_ row: Store.Coverage) -> Bool {
            !row.isClosed && (row.coverage < Repair.fullCoverage || row.quality == .backfilled)
        }
        // What a counter told is shared with slots that are still empty, as far as there are any: behind the last of them
        // lie only filled ones, and these may be a month's.
        func isEmpty(_ row: Store.Coverage) -> Bool {
            row.coverage < Repair.fullCoverage && row.quality != .backfilled
        }
        var (begin, place) = (from, from)
        var before: Instant?
        for row in all.reversed() where row.end <= from {
            before = before ?? row.end
            guard row.end == place, belongs(row) else { break }
            place = row.start
            guard isEmpty(row) else { continue }
            begin = place
            before = nil
        }
        var end = to
        place = to
        for row in all where row.start >= to {
            guard row.start == place, belongs(row) else { break }
            place = row.end
            if isEmpty(row) { end = place }
        }
        // A record that is longer than a slot needs the slots that were measured within it.
        begin = min(begin, from - (rules.step - rules.interval))
        end = max(end, to + (rules.step - rules.interval))
        let slots = try store.slots(of: number, from: min(before.map { $0 - 1 } ?? begin, begin), to: end)
        return (slots.filter { !$0.isFirstLight }, Set(all.filter(\.isClosed).map(\.start)))
    }

    private static let longestGap = 40 * Duration.day

    // MARK: Behind it

    /// Whether the slots behind repaired ones are to get their part now: once, when there is nothing more to ask.
    mutating func isShiftDue(isDone: Bool) -> Bool {
        isShifting = !shifts.isEmpty && (isShifting || isDone || shifts.count > Self.mostShifts)
        return isShifting
    }

    /// Brings the slots behind repaired ones up to date, the oldest first, a page of them at a time. Once all have their
    /// part, forgets the shifts and answers what the accounts get; nil before.
    mutating func shift(
        final: Instant, zone: Zone, plan: inout CommitPlan, store: Store
    ) throws(StorageError) -> (sum: EnergyShift, day: Instant, ofDay: Millijoules)? {
        let first = shifts.map(\.end).min() ?? final
        var shifted = ShiftedSlots(shifts, zone: zone)
        let stored = try store.slots(of: number, from: first - 1, to: final, limit: Self.page)
        for slot in stored where !slot.isFirstLight {
            if let changed = shifted.take(slot) { plan.slots.append(changed) }
        }
        let isWhole = stored.count < Self.page
        shifts = isWhole ? [] : shifted.rest(behind: stored.last?.end ?? final)
        keep(&plan)
        return isWhole ? shifted.total(at: final) : nil
    }

    private func keep(_ plan: inout CommitPlan) {
        plan.states.removeAll { $0.instance == number && $0.key == Self.shiftKey }
        plan.states.append(
            StateRecord(
                instance: number, key: Self.shiftKey, value: shifts.isEmpty ? nil : EnergyShift.encode(shifts)))
    }
}
