import Readings

extension Carry {
    private static let version: UInt8 = 2

    /// For the store.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(at.nanoseconds)
        writer.write(uncountedBalance)
        for flow in Flow.allCases {
            writer.write(flows[flow] != nil)
            flows[flow]?.encode(to: &writer)
        }
        day.encode(to: &writer)
        writer.write(UInt32(circuits.count))
        for circuit in circuits {
            circuit.energy.encode(to: &writer)
            circuit.returned.encode(to: &writer)
        }
        return writer.bytes
    }

    /// Nil where the bytes are not what `encoded` makes.
    public init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let version = reader.read(UInt8.self), (1...Self.version).contains(version),
            let at = reader.read(Int64.self), let balance = reader.read(Int64.self)
        else { return nil }
        self.init(at: Instant(nanoseconds: at))
        // Version 1 knew only of dips, by their depth.
        uncountedBalance = version == 1 ? 0 -| balance : balance
        for flow in Flow.allCases {
            guard let isPresent = reader.readBool() else { return nil }
            guard isPresent else { continue }
            guard let account = EnergyAccount(from: &reader) else { return nil }
            flows[flow] = account
        }
        guard let day = DayAccount(from: &reader, version: version), let count = reader.read(UInt32.self) else {
            return nil
        }
        self.day = day
        for _ in 0..<count {
            guard let energy = EnergyAccount(from: &reader), let returned = EnergyAccount(from: &reader) else {
                return nil
            }
            var circuit = CircuitAccount()
            circuit.energy = energy
            circuit.returned = returned
            circuits.append(circuit)
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension EnergyAccount {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.write(lifetime)
        writer.write(reading)
        writer.write(readAt.nanoseconds)
        writer.write(lifetimeAtReading)
        writer.write(isCounterAlive)
    }

    fileprivate init?(from reader: inout ByteReader) {
        guard let lifetime = reader.read(Int64.self), let reading = reader.readOptionalInt64(),
            let readAt = reader.read(Int64.self), let lifetimeAtReading = reader.read(Int64.self),
            let isCounterAlive = reader.readBool()
        else { return nil }
        self.init()
        self.lifetime = lifetime
        self.reading = reading
        self.readAt = Instant(nanoseconds: readAt)
        self.lifetimeAtReading = lifetimeAtReading
        self.isCounterAlive = isCounterAlive
    }
}

extension DayAccount {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.write(dayStart?.nanoseconds)
        writer.write(settled)
        writer.write(pending)
        writer.write(reading)
        writer.write(readAt.nanoseconds)
        writer.write(offset)
        writer.write(isMeterOfToday)
        writer.write(isAlive)
        writer.write(doubt?.reading)
        if let doubt { writer.write(doubt.at.nanoseconds) }
    }

    fileprivate init?(from reader: inout ByteReader, version: UInt8) {
        guard let dayStart = reader.readOptionalInt64(), let settled = reader.read(Int64.self),
            let pending = reader.read(Int64.self), let reading = reader.readOptionalInt64(),
            let readAt = reader.read(Int64.self), let offset = reader.read(Int64.self),
            let isMeterOfToday = reader.readBool(), let isAlive = reader.readBool()
        else { return nil }
        self.init()
        self.dayStart = dayStart.map(Instant.init(nanoseconds:))
        self.settled = settled
        self.pending = pending
        self.reading = reading
        self.readAt = Instant(nanoseconds: readAt)
        self.offset = offset
        self.isMeterOfToday = isMeterOfToday
        self.isAlive = isAlive
        guard version >= 2 else { return }
        guard let doubtful = reader.readOptionalInt64() else { return nil }
        guard let doubtful else { return }
        guard let at = reader.read(Int64.self) else { return nil }
        doubt = Doubt(reading: doubtful, at: Instant(nanoseconds: at))
    }
}
