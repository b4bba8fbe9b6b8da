import AdapterABI

/// A span of history asked for as the host asks for it: call after call from where the last one ended. Collects what
/// breaks a rule of docs/adapter-abi.md.
public struct HistoryWalk: Sendable {
    public private(set) var records: [EmittedReading] = []
    /// METER_HISTORY_... of each call.
    public private(set) var outcomes: [UInt32] = []
    public private(set) var coveredTo: Int64
    /// Of the last NONE_BEFORE; nil = there was none.
    public private(set) var noneBefore: Int64?
    public private(set) var violations: [String] = []

    /// - Parameter mostCalls: an adapter that needs more does not get on.
    public init(
        _ instance: InstanceUnderTest, from: Int64, to: Int64, step: Int64, maximumRecords: UInt32 = 1000,
        mostCalls: Int = 10_000
    ) throws {
        coveredTo = from
        while coveredTo < to {
            guard outcomes.count < mostCalls else {
                violations.append("not at the end after \(mostCalls) calls")
                return
            }
            let answer = try instance.history(from: coveredTo, to: to, step: step, maximumRecords: maximumRecords)
            check(answer, from: coveredTo, to: to, step: step, maximumRecords: maximumRecords)
            records += answer.records
            outcomes.append(answer.outcome)
            if answer.outcome == METER_HISTORY_NONE_BEFORE { noneBefore = answer.noneBefore }
            let isStuck = answer.coveredTo <= coveredTo
            coveredTo = answer.coveredTo
            if answer.outcome == METER_HISTORY_NOT_YET || isStuck { return }
        }
    }

    private mutating func check(
        _ answer: HistoryAnswer, from: Int64, to: Int64, step: Int64, maximumRecords: UInt32
    ) {
        func rule(_ holds: Bool, _ text: String) {
            if !holds { violations.append("call \(outcomes.count + 1) over (\(from), \(to)]: \(text)") }
        }
        rule(from <= answer.coveredTo && answer.coveredTo <= to, "covered_to \(answer.coveredTo) is not in the span")
        rule(answer.records.count <= Int(maximumRecords), "\(answer.records.count) records, \(maximumRecords) allowed")
        rule(answer.putsAfterStop == 0, "records after STOP")
        var before = max(from, records.last?.timestamp ?? .min)
        for record in answer.records {
            rule(record.timestamp > before, "the timestamp \(record.timestamp) does not ascend from \(before)")
            before = record.timestamp
            rule(record.period >= step, "a period of \(record.period) is finer than the step")
            rule(record.period > 0 && record.timestamp % record.period == 0, "\(record.timestamp) is off its grid")
            rule(record.quality == METER_QUALITY_BACKFILLED, "quality \(record.quality)")
            rule(record.known == (records.first ?? record).known, "known changes")
        }
        rule(before <= max(from, answer.coveredTo), "a record lies behind covered_to")
        switch answer.outcome {
        case METER_HISTORY_COMPLETE: rule(answer.coveredTo == to, "COMPLETE short of the end")
        case METER_HISTORY_MORE: rule(answer.coveredTo > from, "MORE without progress")
        case METER_HISTORY_NOT_YET: rule(answer.retryAfter > 0, "NOT_YET without a time")
        case METER_HISTORY_NONE_BEFORE:
            rule(answer.noneBefore > from, "none_before \(answer.noneBefore) does not lie in the span")
            rule(answer.coveredTo == min(to, answer.noneBefore), "NONE_BEFORE covers to \(answer.coveredTo)")
            rule(answer.records.isEmpty, "NONE_BEFORE with records")
        default: rule(false, "outcome \(answer.outcome)")
        }
    }
}
