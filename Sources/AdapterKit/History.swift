/// A span of history that the host asks for. Instants are nanoseconds since the epoch.
public struct HistoryRequest: Sendable {
    /// Excluded.
    public var from: Int64
    /// Included.
    public var to: Int64
    /// The period wanted of a record; coarser is fine, finer is not.
    public var step: Int64
    public var maximumRecords: Int
    public var deadline: Deadline

    public init(from: Int64, to: Int64, step: Int64, maximumRecords: Int, deadline: Deadline) {
        self.from = from
        self.to = to
        self.step = step
        self.maximumRecords = maximumRecords
        self.deadline = deadline
    }

    /// The timestamps of the records of this span where each has the period `period`: its multiples since the epoch
    /// within (from, to], oldest first, as many as are asked for. Neighbouring spans so give each record once.
    public func timestamps(period: Int64) -> StrideThrough<Int64> {
        let first = (from.quotientFloor(period) + 1) &* period
        let (span, isLong) = period.multipliedReportingOverflow(by: Int64(max(1, maximumRecords)) - 1)
        let (last, isBeyond) = first.addingReportingOverflow(span)
        return stride(from: first, through: isLong || isBeyond ? to : min(to, last), by: Int64.Stride(period))
    }
}

extension HistoryRequest {
    /// What to answer where every record up to `coveredTo` was put: complete where none of the period is left.
    public func outcome(coveredTo: Int64, period: Int64) -> HistoryOutcome {
        let (next, isBeyond) = coveredTo.addingReportingOverflow(period)
        return isBeyond || next > to ? .complete : .more(coveredTo: coveredTo)
    }
}

/// What became of a span of history. Everything up to `coveredTo` has been answered for.
public enum HistoryOutcome: Sendable, Hashable {
    /// Everything that the meter has was put.
    case complete
    /// Ask again from here; later than the request's `from`.
    case more(coveredTo: Int64)
    /// What follows has not been written down by the meter yet.
    case notYet(coveredTo: Int64, retryAfterSeconds: Double)
    /// The meter's log begins here; nothing of what follows was put.
    case noneBefore(Int64)
}

extension Int64 {
    /// Rounded towards minus infinity.
    fileprivate func quotientFloor(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
