import Analysis
import Observability
import Readings
import Storage

/// An instance's gaps, within the pipeline.
extension InstanceWork {
    /// How long to wait where the store has not taken yet what the question hangs on.
    private static let patience = 5 * Duration.second

    /// What to ask the meter's log next. Where there is nothing, what was repaired reaches the slots behind it.
    mutating func wish(
        now: Instant, plan: inout CommitPlan, store: Store, options: PipelineOptions
    ) throws(StorageError) -> HistoryWish {
        guard repair != nil, let final = line.base?.at else { return .nothing(until: nil) }
        // What the plan still holds is not in the store, and what is not there looks like a gap.
        guard plan.slots.isEmpty else { return .nothing(until: now + Self.patience) }
        guard let wish = try repair?.wish(final: final, now: now, store: store) else { return .nothing(until: nil) }
        view.repair = repair?.progress
        let isDone = if case .nothing = wish { true } else { false }
        if repair?.isShiftDue(isDone: isDone) == true {
            guard let total = try repair?.shift(final: final, zone: options.zone, plan: &plan, store: store) else {
                return .nothing(until: now)
            }
            line.shift(total.sum, day: total.day, ofDay: total.ofDay)
            if let base = line.base { keep(base, &plan) }
        }
        return wish
    }

    /// Takes what the log has told.
    mutating func take(
        _ answer: HistoryAnswer, to question: HistoryQuestion, now: Instant, plan: inout CommitPlan, store: Store,
        options: PipelineOptions
    ) throws(StorageError) {
        guard let base = line.base else { return }
        for record in answer.records { takeNames(record.catalog, plan: &plan) }
        let known = answer.records.last?.known ?? known
        let slots = try repair?.take(
            answer, to: question, base: base, hasMeterDay: line.hasDayCounter, known: known, fold: rules,
            zone: options.zone, now: now, plan: &plan, store: store)
        view.repair = repair?.progress
        guard let slots, !slots.isEmpty else { return }
        options.log.write(
            .info, "gap filled",
            [
                LogField("instance", registration.identity.name), LogField("slots", slots.count),
                LogField("from", Timestamp.text(question.from)), LogField("to", Timestamp.text(question.to)),
            ])
        guard isHouse else { return }
        try nights.rejudge(
            slots, now: now, known: known, names: names, identities: identities, plan: &plan, store: store,
            options: options)
    }
}
