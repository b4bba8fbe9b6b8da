import Analysis
import Readings

/// The circuits of a slot or a bucket as one blob: a row for each would be most of the work and of the space of a store.
///
/// A version byte, then the circuits in the order of their numbers. Numbers are varints (seven bits a byte, the lowest
/// first, the high bit says that more follow); those that may be negative are zigzag-coded (2n, or -2n - 1). Powers,
/// percentages and coverage are in thousandths, energies in millijoules.
///
///     slot:    number  kind | quality << 4  name id  present  [power] [power - minimum] [maximum - power]
///              [percentage] [energy] [returned] [lifetime]  coverage
///     bucket:  number  kind | quality << 4  present  [power] [power - minimum] [maximum - power] [energy] [returned]  covered ms
///
/// What is in brackets is there where its bit of `present` is set, the leftmost being bit 0.
enum CircuitCoding {
    private static let version: UInt8 = 1

    // MARK: Slots

    /// Nil where a circuit has no name.
    static func encode(_ circuits: [CircuitSlot], names: [Int32: Int64]) -> [UInt8]? {
        var writer = VarintWriter(capacity: 1 + circuits.count * 40)
        writer.write(version)
        for circuit in circuits {
            guard let name = names[circuit.circuit] else { return nil }
            writer.unsigned(UInt64(UInt32(bitPattern: circuit.circuit)))
            writer.write(circuit.kind.rawValue | circuit.quality.rawValue << 4)
            writer.signed(name)
            var fields = FieldWriter()
            let power = Thousandths.of(circuit.powerW)
            fields.add(power)
            fields.add(Thousandths.difference(power, Thousandths.of(circuit.minimumPowerW)))
            fields.add(Thousandths.difference(Thousandths.of(circuit.maximumPowerW), power))
            fields.add(Thousandths.of(circuit.percentage))
            fields.add(circuit.energy)
            fields.add(circuit.returned)
            fields.add(circuit.lifetime)
            fields.flush(to: &writer)
            writer.signed(Thousandths.of(Double(circuit.coverage)) ?? 0)
        }
        return writer.bytes
    }

    /// The circuits with the ids of their names; nil where the bytes are not what `encode` makes.
    static func decodeSlot(_ bytes: [UInt8]) -> [(circuit: CircuitSlot, name: Int64)]? {
        var reader = VarintReader(bytes)
        guard reader.byte() == version else { return nil }
        var circuits: [(circuit: CircuitSlot, name: Int64)] = []
        while !reader.isAtEnd {
            guard let number = reader.unsigned().flatMap(Int32.init(exactly:)), let kinds = reader.byte(),
                let kind = CircuitKind(rawValue: kinds & 15), let quality = Quality(rawValue: kinds >> 4),
                let name = reader.signed(), let present = reader.byte()
            else { return nil }
            var circuit = CircuitSlot(circuit: number, kind: kind, quality: quality)
            guard let power = reader.field(present, 0), let low = reader.field(present, 1),
                let high = reader.field(present, 2), let percentage = reader.field(present, 3),
                let energy = reader.field(present, 4), let returned = reader.field(present, 5),
                let lifetime = reader.field(present, 6), let coverage = reader.signed()
            else { return nil }
            circuit.powerW = power.map(Thousandths.value)
            circuit.minimumPowerW = Thousandths.below(power, low)
            circuit.maximumPowerW = Thousandths.above(power, high)
            circuit.percentage = percentage.map(Thousandths.value)
            circuit.energy = energy
            circuit.returned = returned
            circuit.lifetime = lifetime
            circuit.coverage = Float(Thousandths.value(coverage))
            circuits.append((circuit, name))
        }
        return circuits
    }

    // MARK: Buckets

    static func encode(_ circuits: [BucketCircuit]) -> [UInt8] {
        var writer = VarintWriter(capacity: 1 + circuits.count * 24)
        writer.write(version)
        for circuit in circuits {
            writer.unsigned(UInt64(UInt32(bitPattern: circuit.circuit)))
            writer.write(circuit.kind.rawValue | circuit.quality.rawValue << 4)
            var fields = FieldWriter()
            let power = Thousandths.of(circuit.powerW)
            fields.add(power)
            fields.add(Thousandths.difference(power, Thousandths.of(circuit.minimumPowerW)))
            fields.add(Thousandths.difference(Thousandths.of(circuit.maximumPowerW), power))
            fields.add(circuit.energy)
            fields.add(circuit.returned)
            fields.flush(to: &writer)
            writer.signed(Thousandths.of(circuit.coveredSeconds) ?? 0)
        }
        return writer.bytes
    }

    /// Nil where the bytes are not what `encode` makes.
    static func decodeBucket(_ bytes: [UInt8]) -> [BucketCircuit]? {
        var reader = VarintReader(bytes)
        guard reader.byte() == version else { return nil }
        var circuits: [BucketCircuit] = []
        while !reader.isAtEnd {
            guard let number = reader.unsigned().flatMap(Int32.init(exactly:)), let kinds = reader.byte(),
                let kind = CircuitKind(rawValue: kinds & 15), let quality = Quality(rawValue: kinds >> 4),
                let present = reader.byte(), let power = reader.field(present, 0), let low = reader.field(present, 1),
                let high = reader.field(present, 2), let energy = reader.field(present, 3),
                let returned = reader.field(present, 4), let covered = reader.signed()
            else { return nil }
            var circuit = BucketCircuit(
                circuit: number, kind: kind, quality: quality, coveredSeconds: Thousandths.value(covered))
            circuit.powerW = power.map(Thousandths.value)
            circuit.minimumPowerW = Thousandths.below(power, low)
            circuit.maximumPowerW = Thousandths.above(power, high)
            circuit.energy = energy
            circuit.returned = returned
            circuits.append(circuit)
        }
        return circuits
    }
}

/// Numbers in whole thousandths, which is what a slot's are rounded to.
private enum Thousandths {
    /// Nil also where the number is far beyond what any house has.
    static func of(_ value: Double?) -> Int64? {
        guard let value, abs(value) < 1e12 else { return nil }
        return Int64((value * 1000).rounded())
    }

    static func value(_ thousandths: Int64) -> Double { Double(thousandths) / 1000 }

    static func difference(_ first: Int64?, _ second: Int64?) -> Int64? {
        guard let first, let second else { return nil }
        return first - second
    }

    static func below(_ power: Int64?, _ difference: Int64?) -> Double? {
        guard let power, let difference else { return nil }
        return value(power &- difference)
    }

    static func above(_ power: Int64?, _ difference: Int64?) -> Double? {
        guard let power, let difference else { return nil }
        return value(power &+ difference)
    }
}

/// Up to seven numbers that may be missing, behind the byte that says which are there.
private struct FieldWriter {
    private var present: UInt8 = 0
    private var count: UInt8 = 0
    private var values: (Int64, Int64, Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0, 0, 0)

    mutating func add(_ value: Int64?) {
        defer { count += 1 }
        guard let value else { return }
        present |= 1 << count
        switch count {
        case 0: values.0 = value
        case 1: values.1 = value
        case 2: values.2 = value
        case 3: values.3 = value
        case 4: values.4 = value
        case 5: values.5 = value
        default: values.6 = value
        }
    }

    func flush(to writer: inout VarintWriter) {
        writer.write(present)
        if present & 1 != 0 { writer.signed(values.0) }
        if present & 2 != 0 { writer.signed(values.1) }
        if present & 4 != 0 { writer.signed(values.2) }
        if present & 8 != 0 { writer.signed(values.3) }
        if present & 16 != 0 { writer.signed(values.4) }
        if present & 32 != 0 { writer.signed(values.5) }
        if present & 64 != 0 { writer.signed(values.6) }
    }
}
