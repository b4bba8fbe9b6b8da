import Readings

/// Shifts as a value of the store: those that the slots behind them have not got yet.
extension EnergyShift {
    private static let version: UInt8 = 1

    public static func encode(_ shifts: [EnergyShift]) -> [UInt8] {
        var writer = ByteWriter(capacity: 1 + shifts.count * 96)
        writer.write(version)
        for shift in shifts {
            writer.write(shift.end.nanoseconds)
            for flow in Flow.allCases { writer.write(shift.flows[flow]) }
            writer.write(shift.day)
            writer.write(UInt32(shift.circuits.count))
            for (number, energy) in shift.circuits.sorted(by: { $0.key < $1.key }) {
                writer.write(number)
                writer.write(energy)
            }
        }
        return writer.bytes
    }

    /// Nil where the bytes are not what `encode` makes.
    public static func decode(_ bytes: [UInt8]) -> [EnergyShift]? {
        var reader = ByteReader(bytes)
        guard reader.read(UInt8.self) == version else { return nil }
        var shifts: [EnergyShift] = []
        while !reader.isAtEnd {
            guard let end = reader.read(Int64.self) else { return nil }
            var shift = EnergyShift(end: Instant(nanoseconds: end))
            for flow in Flow.allCases {
                guard let energy = reader.read(Int64.self) else { return nil }
                shift.flows[flow] = energy
            }
            guard let day = reader.read(Int64.self), let count = reader.read(UInt32.self) else { return nil }
            shift.day = day
            for _ in 0..<count {
                guard let number = reader.read(Int32.self), let energy = reader.read(Int64.self) else { return nil }
                shift.circuits[number] = energy
            }
            shifts.append(shift)
        }
        return shifts
    }
}
