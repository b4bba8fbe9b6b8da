import Readings

/// What a slot adds up of one circuit.
struct CircuitSums {
    private var power = PowerMean()
    private var energy: Millijoules?
    private var returned: Millijoules?
    private var kind = CircuitKind.unknown
    private var quality = Quality.unknown
    private var wasSeen = false
    /// What the emissions at both ends of the step being taken say.
    private var earlier: CircuitSample?
    private var later: CircuitSample?

    mutating func begin(earlier sample: CircuitSample) { earlier = sample }
    mutating func begin(later sample: CircuitSample) { later = sample }

    /// Takes the step between the two samples and forgets them.
    mutating func take(_ windows: StepWindows, account: inout CircuitAccount, rules: FoldRules) {
        guard earlier != nil || later != nil else { return }
        let held = windows.held == nil ? nil : earlier?.power
        let period = windows.period == nil ? nil : later?.power
        power.add(held, for: windows.heldTime)
        power.add(period, for: windows.periodTime)

        let spread = windows.period == nil ? nil : later.map { PeriodPowers($0, period: windows.emissionPeriod) }
        energy = advance(
            &account.energy, energy, windows, rules, held: held.map { max(0, $0) },
            period: spread?.energyW ?? period.map { max(0, $0) },
            counter: later.flatMap { $0.present.contains(.totalEnergy) ? $0.totalEnergy : nil })
        returned = advance(
            &account.returned, returned, windows, rules, held: held.map { max(0, -$0) },
            period: spread?.returnedW ?? period.map { max(0, -$0) },
            counter: later.flatMap { $0.present.contains(.totalReturned) ? $0.totalReturned : nil })

        let endsInSlot = windows.emissionAt.map { $0 <= windows.to } ?? false
        if let newest = endsInSlot ? later : earlier ?? (windows.periodTime > 0 ? later : nil) {
            kind = newest.kind
            quality = newest.quality
        }
        // Silence shows nothing, whatever was read before it.
        if endsInSlot || windows.heldTime > 0 || windows.periodTime > 0 { wasSeen = true }
        earlier = nil
        later = nil
    }

    private func advance(
        _ account: inout EnergyAccount, _ sum: Millijoules?, _ windows: StepWindows, _ rules: FoldRules,
        held: Double?, period: Double?, counter: Millijoules?
    ) -> Millijoules? {
        let step = windows.step(held: held, period: period, rules: rules)
        let added = windows.emissionAt == nil ? account.hold(step) : account.advance(step, counter: counter)
        return sum +| added
    }

    /// The circuit's part of the slot; nil where it did not show in it.
    func slot(number: Int32, length: Int64, use: Double?, account: CircuitAccount) -> CircuitSlot? {
        guard wasSeen || energy != nil else { return nil }
        var slot = CircuitSlot(circuit: number, kind: kind, quality: quality)
        slot.powerW = power.mean
        slot.minimumPowerW = power.minimum.map(Rounding.thousandths)
        slot.maximumPowerW = power.maximum.map(Rounding.thousandths)
        slot.energy = energy
        slot.returned = returned
        slot.lifetime = energy == nil && account.energy.lifetime == 0 ? nil : account.energy.lifetime
        slot.coverage = length > 0 ? Float(Rounding.thousandths(Double(power.coveredTime) / Double(length))) : 0
        if kind.isConsuming, let powerW = slot.powerW, let use, use > 0 {
            slot.percentage = Rounding.thousandths(100 * powerW / use)
        }
        return slot
    }
}

/// The mean powers that the energies of a period make.
private struct PeriodPowers {
    var energyW: Double?
    var returnedW: Double?

    init(_ sample: CircuitSample, period: Int64) {
        guard period > 0 else { return }
        if sample.present.contains(.periodEnergy) { energyW = Double(sample.periodEnergy) * 1e6 / Double(period) }
        if sample.present.contains(.periodReturned) {
            returnedW = Double(sample.periodReturned) * 1e6 / Double(period)
        }
    }
}
