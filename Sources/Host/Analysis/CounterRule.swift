public import Readings

/// What a step of a lifetime counter means. The cases and their reasons stand in `docs/energy.md`.
public enum CounterRule {
    /// A counter may fall by this much and is still the same counter: rounding, a value restored from flash.
    public static let jitter: Millijoules = 720_000_000  // 0.2 kWh

    public enum Step: Hashable, Sendable {
        /// Energy since the last reading of the counter.
        case advanced(Millijoules)
        /// A little lower than before: nothing was used, and the higher reading stays the reference.
        case jittered
        /// Not the same counting any more (reset, swap, glitch): the energy since is unknown to the counter.
        case restarted
    }

    /// `elapsed` is the time between the readings in nanoseconds, `maximumPowerW` what the house can draw at most.
    public static func step(
        from last: Millijoules, to current: Millijoules, elapsed: Int64, maximumPowerW: Double
    ) -> Step {
        let possible = possible(in: elapsed, maximumPowerW: maximumPowerW)
        if current >= last {
            let risen = current -| last
            return risen <= possible ? .advanced(risen) : .restarted
        }
        if last -| current <= jitter, current > 0 { return .jittered }
        if let wrapped = rollover(from: last, to: current), wrapped <= possible { return .advanced(wrapped) }
        // Counting again from zero: what it shows now has been used since, and something before that is lost.
        return current <= possible ? .advanced(current) : .restarted
    }

    /// What `maximumPowerW` makes of the time, with a step's rounding (0.2 kWh) granted.
    static func possible(in elapsed: Int64, maximumPowerW: Double) -> Millijoules {
        let most = maximumPowerW * Double(max(0, elapsed)) / 1e6
        return (Int64(exactly: most.rounded()) ?? Int64.max / 2) + jitter
    }

    /// Energy across the end of a register of whole decades of kWh, where the last reading was within 1 % of it.
    private static func rollover(from last: Millijoules, to current: Millijoules) -> Millijoules? {
        var end: Millijoules = 3_600_000_000 * 1000  // the smallest register in use: 1,000 kWh
        while end <= last {
            let (next, overflow) = end.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            end = next
        }
        return last >= end / 100 * 99 ? end -| last +| current : nil
    }
}
