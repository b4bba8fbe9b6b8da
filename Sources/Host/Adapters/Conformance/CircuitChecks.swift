import AdapterABI
import Readings

/// What the circuits of readings are held to.
enum CircuitChecks {
    static let table: [ConformanceCheck] = [
        ConformanceCheck("circuit-ids", .reading, "Each circuit has an id that no other circuit of the reading has") {
            (bench) throws(Finding) in
            let session = try bench.readings()
            if let refusal = session.refusals.first(where: { $0.rule == .identity }) {
                throw .failed(
                    refusal.reason, expected: "ids that are unique within the instance",
                    advice: "take the id from the device: a serial number, an entity id")
            }
        },
        ConformanceCheck(
            "circuit-texts", .reading, "Ids, names and parents are UTF-8 of at most 255 bytes, ids 1 at least"
        ) {
            (bench) throws(Finding) in
            let session = try bench.readings()
            if let refusal = session.refusals.first(where: { $0.rule == .text }) {
                throw .failed(
                    refusal.reason, expected: "texts of the header's lengths, in UTF-8", advice: "cut or convert them")
            }
        },
        ConformanceCheck("circuit-stable", .reading, "A circuit keeps its id from one reading to the next") {
            (bench) throws(Finding) in
            let readings = try bench.accepted()
            for (before, after) in zip(readings, readings.dropFirst()) {
                let (old, new) = (Set(before.circuits.map(\.id)), Set(after.circuits.map(\.id)))
                guard let gone = old.subtracting(new).sorted().first, let come = new.subtracting(old).sorted().first
                else { continue }
                throw .failed(
                    "'\(gone)' became '\(come)'", expected: "the same ids for good: history hangs on them",
                    advice: "take the id from the device, never from an index, a name or an address")
            }
        },
        ConformanceCheck("circuit-parents", .reading, "A parent is a circuit of the reading, and no circle is made") {
            (bench) throws(Finding) in
            for reading in try bench.accepted() { try parents(reading) }
        },
        ConformanceCheck("circuit-sum", .reading, "Circuits below the mains add up to no more than the consumption") {
            (bench) throws(Finding) in
            for reading in try bench.accepted() { try sum(reading) }
        },
    ]

    private static func parents(_ reading: SeenReading) throws(Finding) {
        let parent = Dictionary(reading.circuits.map { ($0.id, $0.parent) }) { first, _ in first }
        for circuit in reading.circuits where !circuit.parent.isEmpty {
            guard parent[circuit.parent] != nil else {
                throw .failed(
                    "the parent of '\(circuit.id)' is '\(circuit.parent)', which is not in the reading",
                    expected: "the id of another circuit, or nothing", advice: "leave parent_id empty below the mains")
            }
            var above = circuit.parent
            for _ in 0..<reading.circuits.count where !above.isEmpty && above != circuit.id {
                above = parent[above] ?? ""
            }
            guard above != circuit.id else {
                throw .failed(
                    "'\(circuit.id)' hangs on itself", expected: "a tree below the mains",
                    advice: "parent_id names what a circuit is fed from")
            }
        }
    }

    private static func sum(_ reading: SeenReading) throws(Finding) {
        // Where neither solar nor battery is known, grid and consumption are one.
        let isPlain = reading.known & (METER_SOLAR_POWER | METER_BATTERY_POWER) == 0
        let parts = ["grid_power_w", "solar_power_w", "battery_power_w"].compactMap(reading.value)
        let isComplete = reading.known & 0x7 == reading.present & 0x7 && reading.value("grid_power_w") != nil
        let computed = isPlain ? reading.value("grid_power_w") : isComplete ? parts.reduce(0, +) : nil
        guard let consumption = reading.value("consumption_power_w") ?? computed, consumption >= 0 else { return }
        let circuits = reading.circuits.filter { $0.parent.isEmpty && $0.isConsuming }
        let sum = circuits.compactMap(\.powerW).reduce(0, +)
        // Circuits and mains are not sampled at one instant.
        guard sum > 1.25 * consumption + 200 else { return }
        throw .failed(
            "\(circuits.count) circuits below the mains use \(sum) W, the house \(consumption) W",
            expected: "no more than the house",
            advice: "a plug inside a circuit names it in parent_id; a total over others has the kind total")
    }
}
