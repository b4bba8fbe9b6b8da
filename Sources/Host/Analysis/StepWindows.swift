import Readings

/// A stretch of time (from, to].
struct Window {
    var from: Instant
    var to: Instant

    /// Nanoseconds that it shares with (from, to].
    func overlap(_ from: Instant, _ to: Instant) -> Int64 {
        Swift.max(0, Swift.min(self.to, to) - Swift.max(self.from, from))
    }
}

/// How the time between two emissions is covered: what the earlier one's sample holds, what the later one's period
/// describes; and which part of it lies in the slot.
struct StepWindows {
    var from: Instant
    var to: Instant
    var held: Window?
    var period: Window?
    /// Of the emission that ends the step: when it was taken, and the length of its period; nil where none ends it.
    var emissionAt: Instant?
    var emissionPeriod: Int64 = 0

    /// Nanoseconds of the slot that the held sample covers, and that the period covers.
    var heldTime: Int64 { held?.overlap(from, to) ?? 0 }
    var periodTime: Int64 { period?.overlap(from, to) ?? 0 }

    /// The step as an account takes it, with the powers of a flow in its own direction.
    func step(held heldPower: Double?, period periodPower: Double?, rules: FoldRules) -> EnergyAccount.Step {
        EnergyAccount.Step(
            from: from, to: to, emissionAt: emissionAt ?? to,
            held: stretch(held, heldPower), period: stretch(period, periodPower), maximumPowerW: rules.maximumPowerW)
    }

    private func stretch(_ window: Window?, _ powerW: Double?) -> EnergyAccount.Stretch? {
        guard let window, let powerW else { return nil }
        return EnergyAccount.Stretch(from: window.from, to: window.to, powerW: powerW)
    }
}

/// The power of one flow in its own direction, by the sign of what it is a part of. Emissions are large: they are
/// looked into where they lie, not unwrapped.
enum FlowPower {
    /// Of an emission that describes a period: from its energy where it has that.
    static func ofPeriod(_ flow: Flow, _ emission: Emission?) -> Double? {
        guard let period = emission?.period, period > 0 else { return nil }
        guard let energy = emission?.periodEnergy[flow] else { return watts(flow, of: emission) }
        return Double(energy) * 1e6 / Double(period)
    }

    static func watts(_ flow: Flow, of emission: Emission?) -> Double? {
        guard let powers = emission?.powers, let known = emission?.known else { return nil }
        switch flow {
        case .imported: return powers.gridW.map { max(0, $0) }
        case .exported: return powers.gridW.map { max(0, -$0) }
        case .produced: return powers.solarW.map { max(0, $0) }
        case .discharged: return powers.batteryW.map { max(0, $0) }
        case .charged: return powers.batteryW.map { max(0, -$0) }
        case .consumed:
            guard HousePowers.knowsConsumption(known) else { return nil }
            return HousePowers.consumption(powers, known: known).map { max(0, $0) }
        }
    }
}
