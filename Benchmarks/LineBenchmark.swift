import Delivery
import Readings
import Storage

/// Line protocol from slots.
enum LineBenchmark {
    private static let circuits = 20
    private static let slots = 1000

    static func run() -> [Measurement] {
        let outbound = (0..<slots).map(slot)
        var writer = LineWriter(tags: [])
        var lines = 0
        var bytes = 0
        let time = Measurement.median {
            writer.removeAll()
            for (index, slot) in outbound.enumerated() { writer.append(slot, index: index) }
            lines = writer.lines.count
            bytes = writer.bytes.count
        }
        return [
            Measurement(
                what: "Write a line of line protocol",
                figure: "\(Measurement.rounded(time / Double(lines))) ns",
                how: "\(slots) slots of \(circuits) circuits, \(bytes / lines) bytes a line; median of 5")
        ]
    }

    private static func slot(_ index: Int) -> OutboundSlot {
        let end = Instant.newYear + Int64(index) * 300 * Duration.second
        var slot = Slot(
            instance: 1, start: end - 300 * Duration.second, end: end, isHouse: true, totalIs: .consumption)
        slot.powers = Powers(gridW: 812.345, solarW: 1500.25, consumptionW: 2312.595)
        slot.totalPowerW = 2312.595
        slot.dayEnergy = Int64(index) * 123_456_789
        slot.lifetime.imported = 9_876_543_210_123
        slot.coverage = 1
        slot.quality = .measured
        for number in 0..<circuits {
            var circuit = CircuitSlot(circuit: Int32(number), kind: .load)
            circuit.powerW = Double((index * 7919 + number * 104_729) % 4_000_000) / 1000
            circuit.percentage = Double((index * 7919 + number) % 100_000) / 1000
            circuit.energy = Int64(index * number)
            circuit.lifetime = Int64(index) * 987_654_321 + Int64(number)
            slot.circuits.append(circuit)
        }
        return OutboundSlot(
            id: Int64(index), revision: 1, slot: slot, meter: InstanceIdentity(meterType: "emporia_vue"),
            circuitNames: (0..<circuits).map { "Circuit \($0)" }, circuitIDs: (0..<circuits).map { "circuit-\($0)" })
    }
}
