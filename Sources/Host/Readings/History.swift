/// What is asked of a meter's own log: the records with from < timestamp <= to.
public struct HistoryQuestion: Hashable, Sendable {
    public var from: Instant
    public var to: Instant
    /// Period wanted of a record, in nanoseconds; the meter may give coarser ones.
    public var step: Int64
    public var mostRecords: Int

    public init(from: Instant, to: Instant, step: Int64, mostRecords: Int) {
        self.from = from
        self.to = to
        self.step = step
        self.mostRecords = mostRecords
    }
}

/// What came of it.
public struct HistoryAnswer: Sendable {
    public enum Outcome: Hashable, Sendable {
        case complete
        /// Ask for the rest when it suits.
        case more
        /// Nanoseconds after which to ask for the rest.
        case notYet(retryAfter: Int64)
        /// The log begins then.
        case noneBefore(Instant)
    }

    /// In ascending order of their timestamps.
    public var records: [Emission]
    public var outcome: Outcome
    /// What the meter has up to here was handed over; what was not will never come.
    public var coveredTo: Instant

    public init(records: [Emission], outcome: Outcome, coveredTo: Instant) {
        self.records = records
        self.outcome = outcome
        self.coveredTo = coveredTo
    }
}

/// What is wanted of a meter's log next.
public enum HistoryWish: Sendable {
    case ask(HistoryQuestion)
    /// Nothing now; look again then (wall time), or after the next outage.
    case nothing(until: Instant?)
}
