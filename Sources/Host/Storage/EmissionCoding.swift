import Readings

/// An emission as a blob of the journal. Circuits go by their durable numbers; the catalog comes from the store.
enum EmissionCoding {
    private static let version: UInt8 = 3

    static func encode(_ emission: Emission) -> [UInt8] {
        var writer = VarintWriter(capacity: 64 + emission.circuits.count * 16)
        writer.write(version)
        writer.signed(emission.period)
        writer.signed(emission.sampling)
        writer.write(emission.quality.rawValue)
        writer.write(emission.known.rawValue)
        let powers = emission.powers
        for power in [powers.gridW, powers.solarW, powers.batteryW, powers.consumptionW] {
            writer.write(power == nil ? 0 : 1)
            if let power { writer.double(power) }
        }
        for flow in Flow.allCases {
            write(emission.periodEnergy[flow], to: &writer)
            write(emission.counters[flow], to: &writer)
        }
        write(emission.dayEnergy, to: &writer)
        writer.unsigned(UInt64(emission.circuits.count))
        for circuit in emission.circuits { encode(circuit, to: &writer) }
        return writer.bytes
    }

    private static func write(_ energy: Millijoules?, to writer: inout VarintWriter) {
        writer.write(energy == nil ? 0 : 1)
        if let energy { writer.signed(energy) }
    }

    /// Of a circuit only what is measured.
    private static func encode(_ circuit: CircuitSample, to writer: inout VarintWriter) {
        writer.unsigned(UInt64(UInt32(bitPattern: circuit.circuit)))
        writer.write(circuit.kind.rawValue | circuit.quality.rawValue << 4)
        writer.write(circuit.phase)
        let present = circuit.present.intersection(kept)
        writer.write(present.rawValue)
        if present.contains(.power) { writer.double(circuit.powerW) }
        if present.contains(.periodEnergy) { writer.signed(circuit.periodEnergy) }
        if present.contains(.periodReturned) { writer.signed(circuit.periodReturned) }
        if present.contains(.totalEnergy) { writer.signed(circuit.totalEnergy) }
        if present.contains(.totalReturned) { writer.signed(circuit.totalReturned) }
    }

    /// What the fold needs; the rest is for the live view.
    private static let kept: CircuitSample.Present = [
        .power, .periodEnergy, .periodReturned, .totalEnergy, .totalReturned,
    ]

    /// Nil where the bytes are not what `encode` makes, or number a circuit that the catalog lacks.
    static func decode(_ bytes: [UInt8], instance: Int, timestamp: Instant, catalog: CircuitCatalog) -> Emission? {
        var reader = VarintReader(bytes)
        guard reader.byte() == version, let period = reader.signed(), let sampling = reader.signed(),
            let quality = reader.byte().flatMap(Quality.init(rawValue:)), let known = reader.byte(),
            let grid = readPower(&reader), let solar = readPower(&reader), let battery = readPower(&reader),
            let consumption = readPower(&reader)
        else { return nil }
        var emission = Emission(
            instance: instance, timestamp: timestamp, period: period, sampling: sampling, quality: quality,
            known: PowerSet(rawValue: known),
            powers: Powers(gridW: grid, solarW: solar, batteryW: battery, consumptionW: consumption), catalog: catalog)
        for flow in Flow.allCases {
            guard let energy = readEnergy(&reader), let counter = readEnergy(&reader) else { return nil }
            emission.periodEnergy[flow] = energy
            emission.counters[flow] = counter
        }
        guard let day = readEnergy(&reader), let count = reader.unsigned() else { return nil }
        emission.dayEnergy = day
        for _ in 0..<count {
            guard let circuit = decodeCircuit(&reader), catalog.circuits.indices.contains(Int(circuit.circuit)) else {
                return nil
            }
            emission.circuits.append(circuit)
        }
        return reader.isAtEnd ? emission : nil
    }

    /// The outer nil: there are no more bytes.
    private static func readPower(_ reader: inout VarintReader) -> Double?? {
        guard let isThere = reader.byte() else { return nil }
        guard isThere != 0 else { return .some(nil) }
        return reader.double().map { .some($0) }
    }

    /// The outer nil: there are no more bytes.
    private static func readEnergy(_ reader: inout VarintReader) -> Millijoules?? {
        guard let isThere = reader.byte() else { return nil }
        return reader.field(isThere, 0)
    }

    private static func decodeCircuit(_ reader: inout VarintReader) -> CircuitSample? {
        guard let number = reader.unsigned().flatMap(Int32.init(exactly:)), let kinds = reader.byte(),
            let kind = CircuitKind(rawValue: kinds & 15), let quality = Quality(rawValue: kinds >> 4),
            let phase = reader.byte(), let bits = reader.byte()
        else { return nil }
        var sample = CircuitSample(circuit: number, kind: kind, phase: phase, quality: quality)
        sample.present = CircuitSample.Present(rawValue: bits)
        if sample.present.contains(.power) {
            guard let power = reader.double() else { return nil }
            sample.powerW = power
        }
        guard let periodEnergy = reader.field(bits, 1), let periodReturned = reader.field(bits, 2),
            let totalEnergy = reader.field(bits, 3), let totalReturned = reader.field(bits, 4)
        else { return nil }
        sample.periodEnergy = periodEnergy ?? 0
        sample.periodReturned = periodReturned ?? 0
        sample.totalEnergy = totalEnergy ?? 0
        sample.totalReturned = totalReturned ?? 0
        return sample
    }
}
