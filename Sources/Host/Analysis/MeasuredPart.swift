import Readings

/// What of a coarse record's period was measured already.
struct MeasuredPart {
    private var time: Int64 = 0
    private var powers = Sums()
    private var energy = Flows<Millijoules>(repeating: 0)
    private var circuits: [Int32: (wattTime: Double, energy: Millijoules, returned: Millijoules)] = [:]

    /// Watt-nanoseconds.
    private struct Sums {
        var grid = 0.0
        var solar = 0.0
        var battery = 0.0
        var consumption = 0.0
    }

    mutating func add(_ slot: Slot) {
        let length = Double(slot.length)
        time += slot.length
        powers.grid += (slot.powers.gridW ?? 0) * length
        powers.solar += (slot.powers.solarW ?? 0) * length
        powers.battery += (slot.powers.batteryW ?? 0) * length
        powers.consumption += (slot.powers.consumptionW ?? 0) * length
        for flow in Flow.allCases { energy[flow] = energy[flow] +| (slot.energy[flow] ?? 0) }
        for circuit in slot.circuits {
            var sum = circuits[circuit.circuit] ?? (0, 0, 0)
            sum.wattTime += (circuit.powerW ?? 0) * length
            sum.energy = sum.energy +| (circuit.energy ?? 0)
            sum.returned = sum.returned +| (circuit.returned ?? 0)
            circuits[circuit.circuit] = sum
        }
    }

    /// The record with the numbers that hold for the rest of its period, spread over the whole of it as the fold will.
    func remainder(of record: Emission) -> Emission {
        let missing = record.period - time
        guard time > 0, missing > 0 else { return record }
        let period = Double(record.period)
        func power(_ power: Double?, _ measured: Double) -> Double? {
            power.map { ($0 * period - measured) / Double(missing) }
        }
        func rest(_ energy: Millijoules, _ measured: Millijoules) -> Millijoules {
            Int64(exactly: (Double(max(0, energy -| measured)) * period / Double(missing)).rounded()) ?? 0
        }
        var record = record
        record.powers = Powers(
            gridW: power(record.powers.gridW, powers.grid), solarW: power(record.powers.solarW, powers.solar),
            batteryW: power(record.powers.batteryW, powers.battery),
            consumptionW: power(record.powers.consumptionW, powers.consumption))
        for flow in Flow.allCases {
            record.periodEnergy[flow] = record.periodEnergy[flow].map { rest($0, energy[flow]) }
        }
        for index in record.circuits.indices {
            guard let measured = circuits[record.circuits[index].circuit] else { continue }
            record.circuits[index].powerW =
                power(record.circuits[index].power, measured.wattTime) ?? record.circuits[index].powerW
            record.circuits[index].periodEnergy = rest(record.circuits[index].periodEnergy, measured.energy)
            record.circuits[index].periodReturned = rest(record.circuits[index].periodReturned, measured.returned)
        }
        return record
    }
}
