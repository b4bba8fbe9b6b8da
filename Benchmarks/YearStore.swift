import Glibc
import Platform
import Readings
import Storage

/// A store with a year of a house in it, for benchmarks that read: a slot every five minutes, up to now.
enum YearStore {
    private static let circuits = 20
    private static let days: Int64 = 365
    private static let interval = 300 * Duration.second

    static func make(in folder: String) throws {
        let store = try Store.open(in: try DataDirectory(locking: folder)).store
        let instance = try store.number(of: InstanceIdentity(meterType: "benchmark"))
        let house = Household(circuits: circuits)
        var plan = CommitPlan()
        plan.circuits = house.catalog.circuits.enumerated().map { number, identity in
            CircuitRecord(
                instance: instance, number: Int32(number), identity: identity, shownName: identity.name)
        }
        try store.commit(plan)
        let end = Instant(nanoseconds: Clock.wall()).slotEnd(interval: interval) - interval
        let perDay = Duration.day / interval
        for day in 0..<days {
            var plan = CommitPlan()
            let start = end - (days - day) * Duration.day
            plan.slots = (1...perDay).map { index in
                slot(instance, house, end: start + index * interval, index: Int(day * perDay + index))
            }
            try store.commit(plan)
        }
    }

    private static func slot(_ instance: Int, _ house: Household, end: Instant, index: Int) -> Slot {
        let emission = house.emission(instance: instance, at: end, index: index)
        var slot = Slot(instance: instance, start: end - interval, end: end, isHouse: true, totalIs: .consumption)
        let watts = (emission.powers.gridW ?? 0) + (emission.powers.solarW ?? 0)
        slot.powers = emission.powers
        slot.totalPowerW = watts
        slot.minimumPowerW = watts - 50
        slot.maximumPowerW = watts + 50
        slot.coverage = 1
        slot.quality = .measured
        slot.energy.imported = Int64(index) * 1000
        slot.energy.consumed = Int64(index) * 2000
        slot.circuits = emission.circuits.map { sample in
            var circuit = CircuitSlot(circuit: sample.circuit, kind: sample.kind)
            circuit.powerW = sample.powerW
            circuit.minimumPowerW = sample.powerW / 2
            circuit.maximumPowerW = sample.powerW * 2
            circuit.energy = Int64(sample.powerW) * 300_000
            circuit.lifetime = Int64(index) * 1_000_000
            circuit.coverage = 1
            return circuit
        }
        return slot
    }
}
