import Analysis
package import Readings

/// A bucket as the sum of its slots.
package struct BucketSum: Sendable {
    /// A power over the time in which it was measured.
    private struct Power: Sendable {
        /// Watt-nanoseconds, and nanoseconds.
        var sum = 0.0
        var time = 0.0
        var minimum: Double?
        var maximum: Double?

        mutating func add(_ mean: Double?, minimum low: Double?, maximum high: Double?, time covered: Double) {
            time += covered
            guard let mean else { return }
            sum += mean * covered
            if let low { minimum = min(minimum ?? low, low) }
            if let high { maximum = max(maximum ?? high, high) }
        }

        var mean: Double? { minimum == nil || time == 0 ? nil : sum / time }
    }

    private struct Circuit: Sendable {
        var kind = CircuitKind.unknown
        var quality = Quality.unknown
        var energy: Millijoules?
        var returned: Millijoules?
        var power = Power()
    }

    package let start: Instant
    private var energy = Flows<Millijoules?>(repeating: nil)
    private var billed: Millijoules?
    private(set) var isHouse = false
    private var power = Power()
    private var quality = Quality.unknown
    /// By number.
    private var circuits: [Circuit?] = []
    /// Whether the store has none of its time yet.
    var isNew = true
    var prices: Prices?

    package init(start: Instant) {
        self.start = start
    }

    package mutating func add(_ slot: Slot) {
        let length = Double(slot.length)
        for flow in Flow.allCases { energy[flow] = energy[flow] +| slot.energy[flow] }
        billed = billed +| slot.billed
        if slot.isHouse { isHouse = true }
        quality = quality.combined(with: slot.quality)
        power.add(
            slot.totalPowerW, minimum: slot.minimumPowerW, maximum: slot.maximumPowerW, time: slot.coverage * length)
        for circuit in slot.circuits { add(circuit, length: length) }
    }

    private mutating func add(_ circuit: CircuitSlot, length: Double) {
        let number = Int(circuit.circuit)
        while circuits.count <= number { circuits.append(nil) }
        var sum = circuits[number] ?? Circuit()
        sum.energy = sum.energy +| circuit.energy
        sum.returned = sum.returned +| circuit.returned
        sum.kind = circuit.kind
        sum.quality = sum.quality.combined(with: circuit.quality)
        sum.power.add(
            circuit.powerW, minimum: circuit.minimumPowerW, maximum: circuit.maximumPowerW,
            time: Double(circuit.coverage) * length)
        circuits[number] = sum
    }

    package var bucket: Bucket {
        var bucket = Bucket(start: start, coveredSeconds: power.time / 1e9)
        bucket.energy = energy
        bucket.billed = billed
        bucket.powerW = power.mean
        bucket.minimumPowerW = power.minimum
        bucket.maximumPowerW = power.maximum
        bucket.quality = quality
        bucket.importPrice = prices?.importPerKWh
        bucket.exportPrice = prices?.exportPerKWh
        bucket.fixedPrice = prices?.fixedPerDay
        bucket.circuits = circuits.indices.compactMap { number in
            circuits[number].map { sum in
                var circuit = BucketCircuit(
                    circuit: Int32(number), kind: sum.kind, quality: sum.quality, coveredSeconds: sum.power.time / 1e9)
                circuit.energy = sum.energy
                circuit.returned = sum.returned
                circuit.powerW = sum.power.mean
                circuit.minimumPowerW = sum.power.minimum
                circuit.maximumPowerW = sum.power.maximum
                return circuit
            }
        }
        return bucket
    }
}
