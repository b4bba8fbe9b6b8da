import Readings

/// An emission as a blob of the journal. Circuits go by their durable numbers; the catalog comes from the store.
enum EmissionCoding {
    private static let version: UInt8 = 1
    private static let circuitBytes = 48

    static func encode(_ emission: Emission) -> [UInt8] {
        var writer = ByteWriter(capacity: 180 + emission.circuits.count * circuitBytes)
        writer.write(version)
        writer.write(emission.period)
        writer.write(emission.quality.rawValue)
        writer.write(emission.known.rawValue)
        let powers = emission.powers
        for power in [powers.gridW, powers.solarW, powers.batteryW, powers.consumptionW] { writer.write(power) }
        for flow in Flow.allCases {
            writer.write(emission.periodEnergy[flow])
            writer.write(emission.counters[flow])
        }
        writer.write(emission.dayEnergy)
        writer.write(UInt32(emission.circuits.count))
        for circuit in emission.circuits { encode(circuit, to: &writer) }
        return writer.bytes
    }

    private static func encode(_ circuit: CircuitSample, to writer: inout ByteWriter) {
        writer.write(circuit.circuit)
        writer.write(circuit.kind.rawValue)
        writer.write(circuit.phase)
        writer.write(circuit.quality.rawValue)
        writer.write(circuit.present.rawValue)
        writer.write(circuit.powerW)
        for energy in [circuit.periodEnergy, circuit.periodReturned, circuit.totalEnergy, circuit.totalReturned] {
            writer.write(energy)
        }
    }

    /// Nil where the bytes are not what `encode` makes, or number a circuit that the catalog lacks.
    static func decode(_ bytes: [UInt8], instance: Int, timestamp: Instant, catalog: CircuitCatalog) -> Emission? {
        var reader = ByteReader(bytes)
        guard reader.read(UInt8.self) == version, let period = reader.read(Int64.self),
            let quality = reader.read(UInt8.self).flatMap(Quality.init(rawValue:)),
            let known = reader.read(UInt8.self), let grid = reader.readOptionalDouble(),
            let solar = reader.readOptionalDouble(), let battery = reader.readOptionalDouble(),
            let consumption = reader.readOptionalDouble()
        else { return nil }
        var emission = Emission(
            instance: instance, timestamp: timestamp, period: period, quality: quality,
            known: PowerSet(rawValue: known),
            powers: Powers(gridW: grid, solarW: solar, batteryW: battery, consumptionW: consumption), catalog: catalog)
        for flow in Flow.allCases {
            guard let energy = reader.readOptionalInt64(), let counter = reader.readOptionalInt64() else { return nil }
            emission.periodEnergy[flow] = energy
            emission.counters[flow] = counter
        }
        guard let day = reader.readOptionalInt64(), let count = reader.read(UInt32.self) else { return nil }
        emission.dayEnergy = day
        for _ in 0..<count {
            guard let circuit = decodeCircuit(&reader), catalog.circuits.indices.contains(Int(circuit.circuit)) else {
                return nil
            }
            emission.circuits.append(circuit)
        }
        return reader.isAtEnd ? emission : nil
    }

    private static func decodeCircuit(_ reader: inout ByteReader) -> CircuitSample? {
        guard let number = reader.read(Int32.self), number >= 0,
            let kind = reader.read(UInt8.self).flatMap(CircuitKind.init(rawValue:)),
            let phase = reader.read(UInt8.self), let quality = reader.read(UInt8.self).flatMap(Quality.init(rawValue:)),
            let present = reader.read(UInt8.self), let power = reader.readDouble(),
            let periodEnergy = reader.read(Int64.self), let periodReturned = reader.read(Int64.self),
            let totalEnergy = reader.read(Int64.self), let totalReturned = reader.read(Int64.self)
        else { return nil }
        var sample = CircuitSample(circuit: number, kind: kind, phase: phase, quality: quality)
        sample.present = CircuitSample.Present(rawValue: present)
        sample.powerW = power
        sample.periodEnergy = periodEnergy
        sample.periodReturned = periodReturned
        sample.totalEnergy = totalEnergy
        sample.totalReturned = totalReturned
        return sample
    }
}
