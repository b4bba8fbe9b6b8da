public import Readings

/// What a slot is folded by, beside the emissions.
public struct FoldRules: Sendable {
    /// Number of the instance.
    public var instance: Int
    /// Beyond this a power is implausible, and so is a counter's step.
    public var maximumPowerW: Double
    /// Whether the instance is the house.
    public var isHouse: Bool

    public init(instance: Int, maximumPowerW: Double, isHouse: Bool) {
        self.instance = instance
        self.maximumPowerW = maximumPowerW
        self.isHouse = isHouse
    }
}

/// Turns the emissions of a stretch of time into a slot. Pure: the same emissions give the same slot, whatever order
/// they arrived in and however often the host was restarted in between.
public struct Fold {
    private let rules: FoldRules
    private let start: Instant
    private let end: Instant
    private var carry: Carry
    private var house = HouseSums()
    private var circuits: [CircuitSums]
    private let takesCircuits: Bool
    private var quality = Quality.unknown
    private var known: PowerSet = []

    /// - Parameters:
    ///   - carry: what the slot before left; `carry.at` is the start of this one.
    ///   - previous: the newest emission at or before the start, if there is one.
    ///   - emissions: the instance's emissions after the start in order of their timestamps; those after the end
    ///     count as far as they describe time within the slot.
    ///   - end: the slot's end; a local midnight lies on it or outside of the slot.
    ///   - dayStart: first instant of the local day that the slot lies in.
    ///   - nextDayStart: first instant of the next one.
    ///   - takesCircuits: false where only the house's accounts are asked for: the circuits' stay as they were.
    /// - Returns: the slot, nil where nothing is known of it; and what the next slot goes on from.
    public static func slot(
        after carry: Carry, previous: Emission?, emissions: ArraySlice<Emission>, end: Instant, dayStart: Instant,
        nextDayStart: Instant, rules: FoldRules, takesCircuits: Bool = true
    ) -> (slot: Slot?, carry: Carry) {
        var fold = Fold(carry: carry, end: end, rules: rules, takesCircuits: takesCircuits)
        _ = fold.carry.day.begin(dayAt: dayStart)
        fold.take(previous, emissions)
        return fold.close(nextDayStart: nextDayStart, instance: rules.instance)
    }

    private init(carry: Carry, end: Instant, rules: FoldRules, takesCircuits: Bool) {
        self.carry = carry
        self.takesCircuits = takesCircuits
        self.rules = rules
        self.end = end
        start = carry.at
        circuits = takesCircuits ? [CircuitSums](repeating: CircuitSums(), count: carry.circuits.count) : []
    }

    /// Walks through the steps between neighbouring emissions, as far as they lie in the slot.
    private mutating func take(_ first: Emission?, _ emissions: ArraySlice<Emission>) {
        var previous = first
        if let first {
            known = first.known
            makeRoom(for: first)
        }
        for emission in emissions {
            if emission.timestamp <= end {
                note(emission)
            } else if emission.timestamp - emission.period >= end {
                // Behind the slot: it only says where a counter stood.
                if known.isEmpty { known = emission.known }
                step(from: previous, to: emission)
                return
            }
            if emission.timestamp > end { noteCovering(emission) }
            step(from: previous, to: emission)
            if emission.timestamp > end { return }
            previous = emission
        }
        if let previous, previous.timestamp < end { step(from: previous, to: nil) }
    }

    private mutating func note(_ emission: Emission) {
        known = emission.known
        if quality == .unknown || emission.quality == .estimated { quality = emission.quality }
        makeRoom(for: emission)
    }

    /// An emission behind the slot whose period reaches into it.
    private mutating func noteCovering(_ emission: Emission) {
        if quality == .unknown { quality = emission.quality }
        if known.isEmpty { known = emission.known }
        makeRoom(for: emission)
    }

    /// Circuits are numbered; a slot has room for every number that its emissions use.
    private mutating func makeRoom(for emission: Emission) {
        guard takesCircuits, let most = emission.circuits.lazy.map(\.circuit).max() else { return }
        while circuits.count <= Int(most) { circuits.append(CircuitSums()) }
        while carry.circuits.count < circuits.count { carry.circuits.append(CircuitAccount()) }
    }

    /// The time between two emissions: the earlier one's power holds, the later one's period and counters tell.
    private mutating func step(from earlier: Emission?, to later: Emission?) {
        let begin = max(start, earlier?.timestamp ?? start)
        let stop = min(end, later?.timestamp ?? end)
        guard stop >= begin else { return }

        let periodStart = later.map { max(earlier?.timestamp ?? .min, $0.timestamp - $0.period) }
        var held: Window?
        if let earlier, earlier.period == 0 {
            let until = min(earlier.timestamp + earlier.hold, periodStart ?? end)
            if until > earlier.timestamp { held = Window(from: earlier.timestamp, to: until) }
        }
        var period: Window?
        if let later, later.period > 0, let periodStart, later.timestamp > periodStart {
            period = Window(from: periodStart, to: later.timestamp)
        }
        let windows = StepWindows(
            from: begin, to: stop, held: held, period: period, emissionAt: later?.timestamp,
            emissionPeriod: later?.period ?? 0)

        house.take(windows, earlier, later)
        takeFlows(windows, earlier, later)
        if takesCircuits { takeCircuits(windows, earlier, later) }
        if let later, later.timestamp <= end {
            carry.day.read(later.dayEnergy, at: later.timestamp, maximumPowerW: rules.maximumPowerW)
        }
    }

    private mutating func takeFlows(_ windows: StepWindows, _ earlier: Emission?, _ later: Emission?) {
        let isBalanced = isConsumptionBalanced(later)
        for flow in Flow.allCases where flow != .consumed || !isBalanced {
            let heldPower = FlowPower.watts(flow, of: earlier)
            let periodPower = FlowPower.ofPeriod(flow, later)
            let counter = later?.counters[flow]
            guard heldPower != nil || periodPower != nil || counter != nil || carry.flows[flow] != nil else { continue }
            var account = carry.flows[flow] ?? EnergyAccount()
            let step = windows.step(held: heldPower, period: periodPower, rules: rules)
            house.add(later == nil ? account.hold(step) : account.advance(step, counter: counter), to: flow)
            carry.flows[flow] = account
        }
        if isBalanced { balanceConsumption(isWithinSlot: later.map { $0.timestamp <= end } ?? true) }
        let ofDay = HousePowers.totalIs(known: known) == .consumption ? Flow.consumed : .imported
        carry.day.add(house.stepEnergy(ofDay) ?? 0)
    }

    private mutating func takeCircuits(_ windows: StepWindows, _ earlier: Emission?, _ later: Emission?) {
        for sample in earlier?.circuits ?? [] where Int(sample.circuit) < circuits.count {
            circuits[Int(sample.circuit)].begin(earlier: sample)
        }
        for sample in later?.circuits ?? [] where Int(sample.circuit) < circuits.count {
            circuits[Int(sample.circuit)].begin(later: sample)
        }
        for number in circuits.indices {
            circuits[number].take(windows, account: &carry.circuits[number], rules: rules)
        }
    }

    private func isConsumptionBalanced(_ later: Emission?) -> Bool {
        later?.counters.consumed == nil && carry.isConsumptionBalanced(known: known)
    }

    /// Jitter of the parts may let the balance dip: consumption waits until it is made up for. While a part is silent,
    /// what the others tell waits for it, and counts in the step in which all are known again.
    private mutating func balanceConsumption(isWithinSlot: Bool) {
        let step = house.stepBalance(known: known)
        let isBehind = carry.uncountedBalance > 0
        carry.uncountedBalance = carry.uncountedBalance +| step.energy
        // Of what a part tells after its silence, the slot that the step begins in has a share only.
        guard step.isWhole, isWithinSlot || !isBehind else { return }
        let net = max(0, carry.uncountedBalance)
        var account = carry.flows.consumed ?? EnergyAccount()
        account.lifetime = account.lifetime +| net
        carry.flows.consumed = account
        carry.uncountedBalance = carry.uncountedBalance -| net
        house.add(net, to: .consumed)
    }

    private mutating func close(nextDayStart: Instant, instance: Int) -> (slot: Slot?, carry: Carry) {
        carry.at = end
        var slot = Slot(
            instance: instance, start: start, end: end, isHouse: rules.isHouse,
            totalIs: HousePowers.totalIs(known: known))
        house.fill(&slot, known: known)
        slot.quality = quality
        if rules.isHouse {
            let isAllBought = known.isDisjoint(with: [.solar, .battery])
            slot.billed = slot.energy.imported ?? (isAllBought ? slot.energy.consumed : nil)
        }
        slot.dayEnergy = carry.day.energy
        for flow in Flow.allCases { slot.lifetime[flow] = carry.flows[flow]?.lifetime }
        if end == nextDayStart {
            slot.closingDayEnergy = carry.day.begin(dayAt: nextDayStart)
            slot.dayEnergy = 0
        }
        let use = HousePowers.use(ofMeans: slot.powers, known: known)
        for number in circuits.indices {
            if let circuit = circuits[number].slot(
                number: Int32(number), length: end - start, use: use, account: carry.circuits[number])
            {
                slot.circuits.append(circuit)
            }
        }
        let isEmpty = slot.coverage == 0 && slot.circuits.isEmpty && house.isEmpty
        return (isEmpty ? nil : slot, carry)
    }
}

extension Instant {
    static let min = Instant(nanoseconds: .min)
}
