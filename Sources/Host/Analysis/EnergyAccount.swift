public import Readings

/// A monotonic lifetime counter of the host for one flow of energy: fed by the meter's own counter where there is one,
/// else by the energy of periods, else by power and time. It never falls, and every millijoule enters once.
public struct EnergyAccount: Hashable, Sendable {
    /// The host's counter.
    public var lifetime: Millijoules = 0
    /// The meter's counter when last read (its highest, across jitter), when that was, and `lifetime` then.
    public var reading: Millijoules?
    public var readAt = Instant(nanoseconds: 0)
    public var lifetimeAtReading: Millijoules = 0
    /// Whether the newest emission had the counter: while it has, power adds nothing.
    public var isCounterAlive = false

    public init() {}

    /// One stretch of time in which the flow had a constant power, or a known energy spread evenly.
    struct Stretch {
        var from: Instant
        var to: Instant
        /// Watts in this flow's direction, >= 0.
        var powerW: Double

        /// Energy from the beginning of the stretch up to `instant`, rounded: differences of it telescope.
        func energy(upTo instant: Instant) -> Millijoules {
            let length = Swift.min(Swift.max(instant, from), to) - from
            guard length > 0, powerW > 0 else { return 0 }
            return Int64(exactly: (powerW * Double(length) / 1e6).rounded()) ?? .max
        }

        /// Nil where the stretch has no part in the time: not measured is not zero.
        func energy(from start: Instant, upTo end: Instant) -> Millijoules? {
            Swift.min(end, to) > Swift.max(start, from) ? energy(upTo: end) - energy(upTo: start) : nil
        }
    }

    /// What the account takes from the step between two emissions.
    struct Step {
        /// The part of the step that is being folded.
        var from: Instant
        var to: Instant
        /// When the emission that ends the step was taken; later than `to` where the step crosses the slot's end.
        var emissionAt: Instant
        /// Time covered by the earlier emission's held power, and by the later one's period.
        var held: Stretch?
        var period: Stretch?
        var maximumPowerW: Double

        var measured: Millijoules? {
            held?.energy(from: from, upTo: to) +| period?.energy(from: from, upTo: to)
        }
    }

    /// Takes the energy of a step whose emission reads `counter`. Answers what was added within (from, to]; nil where
    /// nothing is known about it.
    mutating func advance(_ step: Step, counter: Millijoules?) -> Millijoules? {
        guard let counter else {
            isCounterAlive = false
            return add(step.measured)
        }
        let isWhole = step.emissionAt <= step.to
        guard let reading else {
            // The first reading of a counter: a reference, not an energy.
            let added = add(step.measured)
            if isWhole { settle(counter, at: step.emissionAt) }
            return added
        }
        switch CounterRule.step(
            from: reading, to: counter, elapsed: step.emissionAt - readAt, maximumPowerW: step.maximumPowerW)
        {
        case .advanced(let energy):
            // What power has told meanwhile is part of it.
            let missing = max(0, lifetimeAtReading +| energy -| lifetime)
            if isWhole {
                lifetime = lifetime +| missing
                settle(counter, at: step.emissionAt)
                return missing
            }
            return add(share(of: missing, step))
        case .jittered:
            if isWhole { isCounterAlive = true }
            return 0
        case .restarted:
            let added = add(step.measured)
            if isWhole { settle(counter, at: step.emissionAt) }
            return added
        }
    }

    /// The time after the newest emission, up to the slot's end: power tells it, unless a counter will.
    mutating func hold(_ step: Step) -> Millijoules? {
        isCounterAlive ? nil : add(step.measured)
    }

    private mutating func add(_ energy: Millijoules?) -> Millijoules? {
        if let energy { lifetime = lifetime +| energy }
        return energy
    }

    private mutating func settle(_ counter: Millijoules, at instant: Instant) {
        reading = counter
        readAt = instant
        lifetimeAtReading = lifetime
        isCounterAlive = true
    }

    private func share(of energy: Millijoules, _ step: Step) -> Millijoules {
        let whole = step.emissionAt - step.from
        guard whole > 0 else { return 0 }
        return Int64(exactly: (Double(energy) * (Double(step.to - step.from) / Double(whole))).rounded()) ?? 0
    }
}
