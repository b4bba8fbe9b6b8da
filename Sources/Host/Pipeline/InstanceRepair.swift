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
    private var wanted: Wanted?
    private var shifts: [EnergyShift]
    /// The slots behind are getting their part: nothing more is asked until all of them have it.
    private var isShifting = false
    private(set) var progress = RepairProgress()

    /// What people want beside.
    private struct Wanted {
        /// From here on, too.
        var from: Instant
        /// How many of them.
        var people = 1
        /// What was answered before, and is forgotten for them.
        var answered: [Range<Instant>]
    }

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
        if let wanted { from = min(from, wanted.from) }
        // What the log does not reach is not missing: nobody can ask for it.
        if rules.limits.reach > 0 { from = max(from, now - rules.limits.reach) }
        from = from.slotEnd(interval: rules.interval)
        if let doneTo { from = max(from, doneTo) }
        guard from < final else { return .nothing(until: nil) }
        let rows = try store.coverage(of: number, from: from, to: final)
        let gaps = rules.gaps(
            from: from, to: final, rows: rows, asked: try store.asked(of: number, now: now))
        progress.missing = rules.slots(in: gaps)
        guard let question = rules.question(gaps, now: now) else {
            progress.missing = 0
            wanted = nil
            progress.retryAt = try store.nextAsking(of: number, after: now)
            if progress.retryAt == nil { doneTo = final }
            return .nothing(until: progress.retryAt)
        }
        progress.retryAt = nil
        return .ask(question)
    }

    /// A person asks for a span again, whatever was answered before.
    /// - Parameter from: nil = as far back as the log reaches; where that is not known, the first reading.
    mutating func want(
        from: Instant?, to: Instant, now: Instant, plan: inout CommitPlan, store: Store
    ) throws(StorageError) {
        let farthest = rules.limits.reach > 0 ? now - rules.limits.reach : try store.firstReading(of: number) ?? now
        let from = from ?? farthest
        guard from < to else { return }
        let answered = try store.asked(of: number, now: Instant(nanoseconds: .max))
            .filter { $0.upperBound > from && $0.lowerBound < to }
        var all = wanted ?? Wanted(from: from, people: 0, answered: [])
        all.from = min(all.from, from)
        all.people += 1
        all.answered += answered
        wanted = all
        doneTo = nil
        plan.asked.append(AskedRecord(instance: number, span: from..<to, answer: nil))
    }

    /// Somebody who asked has gone: with the last one it is as it was before, but for what was answered since.
    mutating func unwant(plan: inout CommitPlan) {
        guard var all = wanted else { return }
        all.people -= 1
        guard all.people == 0 else {
            wanted = all
            return
        }
        wanted = nil
        doneTo = nil
        for span in all.answered {
            plan.asked.append(AskedRecord(instance: number, span: span, answer: "answered"))
        }
    }

    // MARK: Answers

    /// Takes what the log has told. Answers the slots that are new or different.
    mutating func take(
        _ answer: HistoryAnswer, to question: HistoryQuestion, base: Carry, hasMeterDay: Bool, known: PowerSet,
        fold: FoldRules, zone: Zone, now: Instant, plan: inout CommitPlan, store: Store
    ) throws(StorageError) -> [Slot] {
        let covered = covered(answer, question, prunedTo: store.prunedTo)
        note(answer, question, covered, now: now, plan: &plan)
        let to = min((covered + 1).slotEnd(interval: rules.interval) - rules.interval, base.at)
        let start = question.from.slotEnd(interval: rules.interval)
        guard to > start else { return [] }
        let records = answer.records.filter { $0.timestamp > start }
        let (rows, closed) = try rows(from: start, to: to, records: records, base: base, store: store)
        let outcome = Repair.fill(
            from: start, to: to, records: records,
            rows: rows, closed: closed, waiting: shifts,
            rules: Repair.Rules(
                fold: fold, interval: rules.interval, zone: zone, counted: base.counted(known: known),
                hasMeterDay: hasMeterDay))
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

    /// The rows of a span, of the gap as far as it reaches around it, and those before: one, or as many as have told what
    /// the circuits counted until then; and the starts of quarter hours that stay as they are.
    private func rows(
        from: Instant, to: Instant, records: [Emission], base: Carry, store: Store
    ) throws(StorageError) -> (slots: [Slot], closed: Set<Instant>) {
        let final = base.at
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
        let closed = Set(all.filter(\.isClosed).map(\.start))
        var rows = try store.slots(of: number, from: min(before.map { $0 - 1 } ?? begin, begin), to: end)
            .filter { !$0.isFirstLight }
        guard let before else { return (rows, closed) }
        var sought = Set(records.flatMap { $0.circuits.map(\.circuit) }).filter { circuit in
            base.circuits.indices.contains(Int(circuit)) && base.circuits[Int(circuit)].energy.lifetime > 0
        }
        func note(_ row: Slot) { sought.subtract(row.circuits.lazy.filter { $0.lifetime != nil }.map(\.circuit)) }
        for row in rows where row.end <= from { note(row) }
        var oldest = min(before - 1, begin)
        while !sought.isEmpty, let first = all.first, oldest > first.start {
            let older = try store.slots(of: number, from: oldest - Duration.day, to: oldest)
                .filter { !$0.isFirstLight }
            for row in older { note(row) }
            rows = older + rows
            oldest = oldest - Duration.day
        }
        return (rows, closed)
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
        guard isWhole else { return nil }
        try raiseFirstLight(zone: zone, plan: &plan, store: store)
        return shifted.total(at: final)
    }

    /// The point of the very first reading lies amid a slot, perhaps a repaired one: it goes on from the slot before it.
    private func raiseFirstLight(zone: Zone, plan: inout CommitPlan, store: Store) throws(StorageError) {
        guard let (light, stored) = try store.firstLight(of: number), let stored else { return }
        let before = plan.slots.last { $0.instance == number && $0.end == stored.end } ?? stored
        var raised = light
        if zone.startOfDay(containing: before.end - 1) == zone.startOfDay(containing: light.end - 1) {
            raised.dayEnergy = light.dayEnergy.map { max($0, before.dayEnergy ?? 0) }
        }
        for flow in Flow.allCases {
            raised.lifetime[flow] = light.lifetime[flow].map { max($0, before.lifetime[flow] ?? 0) }
        }
        for index in raised.circuits.indices {
            let known = before.circuits.first { $0.circuit == raised.circuits[index].circuit }?.lifetime
            raised.circuits[index].lifetime = raised.circuits[index].lifetime.map { max($0, known ?? 0) }
        }
        if raised != light { plan.slots.append(raised) }
    }

    private func keep(_ plan: inout CommitPlan) {
        plan.states.removeAll { $0.instance == number && $0.key == Self.shiftKey }
        plan.states.append(
            StateRecord(
                instance: number, key: Self.shiftKey, value: shifts.isEmpty ? nil : EnergyShift.encode(shifts)))
    }
}
