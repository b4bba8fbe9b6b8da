public import Readings

/// The time-weighted mean of a power over the time in which it was measured.
struct PowerMean {
    private var sum = 0.0
    private var time: Int64 = 0
    private(set) var minimum: Double?
    private(set) var maximum: Double?

    var coveredTime: Int64 { time }

    /// Rounded to 1/1000 W: shorter to store, and far below what any meter resolves.
    var mean: Double? { time == 0 ? nil : Rounding.thousandths(sum / Double(time)) }

    mutating func add(_ powerW: Double?, for nanoseconds: Int64) {
        guard let powerW, nanoseconds > 0 else { return }
        sum += powerW * Double(nanoseconds)
        time += nanoseconds
        minimum = minimum.map { min($0, powerW) } ?? powerW
        maximum = maximum.map { max($0, powerW) } ?? powerW
    }
}

enum Rounding {
    @inline(__always)
    static func thousandths(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}

/// What a slot adds up of the whole instance.
struct HouseSums {
    private var grid = PowerMean()
    private var solar = PowerMean()
    private var battery = PowerMean()
    private var consumption = PowerMean()
    private var total = PowerMean()
    private var unmonitored = PowerMean()
    private var coveredByAny: Int64 = 0
    private var energy = Flows<Millijoules?>(repeating: nil)
    /// Of the step being taken.
    private var stepEnergy = Flows<Millijoules?>(repeating: nil)

    /// Nothing is known of the slot's energies either.
    var isEmpty: Bool { Flow.allCases.allSatisfy { energy[$0] == nil } }

    mutating func take(_ windows: StepWindows, _ earlier: Emission?, _ later: Emission?) {
        stepEnergy = Flows(repeating: nil)
        if let earlier { add(earlier, for: windows.heldTime) }
        if let later { add(later, for: windows.periodTime) }
    }

    private mutating func add(_ emission: Emission, for time: Int64) {
        guard time > 0 else { return }
        let powers = emission.powers
        grid.add(powers.gridW, for: time)
        solar.add(powers.solarW, for: time)
        battery.add(powers.batteryW, for: time)
        if HousePowers.knowsConsumption(emission.known) {
            consumption.add(HousePowers.consumption(powers, known: emission.known), for: time)
        }
        total.add(HousePowers.total(powers, known: emission.known), for: time)
        unmonitored.add(Remainder.watts(of: emission), for: time)
        coveredByAny += time
    }

    mutating func add(_ added: Millijoules?, to flow: Flow) {
        guard let added else { return }
        energy[flow] = energy[flow] +| added
        stepEnergy[flow] = stepEnergy[flow] +| added
    }

    /// Energy of the step in a flow.
    func stepEnergy(_ flow: Flow) -> Millijoules? { stepEnergy[flow] }

    /// What the step adds to the balance of the parts of consumption, and whether each of them is known.
    func stepBalance(known: PowerSet) -> (energy: Millijoules, isWhole: Bool) {
        var parts: [(energy: Millijoules?, isGain: Bool)] = [(stepEnergy.imported, true), (stepEnergy.exported, false)]
        if known.contains(.solar) { parts.append((stepEnergy.produced, true)) }
        if known.contains(.battery) { parts += [(stepEnergy.discharged, true), (stepEnergy.charged, false)] }
        let energy = parts.reduce(0) { $1.isGain ? $0 +| ($1.energy ?? 0) : $0 -| ($1.energy ?? 0) }
        return (energy, parts.allSatisfy { $0.energy != nil })
    }

    func fill(_ slot: inout Slot, known: PowerSet) {
        slot.powers = Powers(
            gridW: grid.mean, solarW: solar.mean, batteryW: battery.mean, consumptionW: consumption.mean)
        slot.totalPowerW = total.mean
        slot.minimumPowerW = total.minimum.map(Rounding.thousandths)
        slot.maximumPowerW = total.maximum.map(Rounding.thousandths)
        slot.unmonitoredPowerW = unmonitored.mean
        slot.energy = energy
        let covered = known.isEmpty ? coveredByAny : total.coveredTime
        slot.coverage = slot.length > 0 ? Rounding.thousandths(Double(covered) / Double(slot.length)) : 0
    }
}

/// What of the house's use no circuit accounts for.
public enum Remainder {
    /// Use less the top-level consuming circuits; nil while the use or one of those circuits is not measured.
    public static func watts(of emission: Emission) -> Double? {
        guard var rest = HousePowers.use(emission.powers, known: emission.known) else { return nil }
        for sample in emission.circuits
        where sample.kind.isConsuming && emission.catalog.isTopLevel(sample.circuit) {
            guard let power = sample.power else { return nil }
            rest -= power
        }
        return rest
    }
}
