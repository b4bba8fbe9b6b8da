import AdapterABI
import Glibc
import Readings

/// Makes an `Emission` of what an adapter wrote into memory: every count, size, text and number is checked. Remembers
/// the circuits, so that a reading like the last one is matched by comparing bytes.
struct ReadingAssembly {
    struct Refusal: Error {
        let reason: String
        var rule = Rule.shape

        /// What a reading that is refused breaks.
        enum Rule: Sendable {
            case shape
            case time
            case identity
            case text
        }
    }

    /// The bytes of one circuit's texts as they came last, beside its durable number.
    private struct Known {
        var id: [UInt8]
        var name: [UInt8]
        var parent: [UInt8]
        var number: Int32
    }

    private var identities: [CircuitIdentity]
    private var catalog: CircuitCatalog
    private var numbers: [String: Int32] = [:]
    /// In the order of the last reading.
    private var order: [Known] = []
    /// Per circuit: the reading in which it was last seen.
    private var seen: [Int] = []
    private var generation = 0
    private let maximumPowerW: Double
    private(set) var badValues = 0
    /// A circuit is new or renamed: also where the reading that brought it was then refused.
    private var isCatalogStale = false

    private static let mostCircuits = 4096
    private static let mostCircuitsEver = 10_000
    private static let longestText = 255
    /// A lifetime counter in kWh: 100 kW for a hundred years.
    private static let mostCounted = 1e8
    /// A local day of 25 hours, and a meter that is late with its midnight.
    private static let longestDay = 26 * Duration.hour
    /// 2000-01-01: before it, a clock was not set.
    private static let earliest = Instant(seconds: 946_684_800)

    init(circuits: [CircuitIdentity], maximumPowerW: Double) {
        identities = circuits
        catalog = CircuitCatalog(circuits: circuits, version: 0)
        for (index, circuit) in circuits.enumerated() { numbers[circuit.id] = Int32(index) }
        seen = [Int](repeating: 0, count: circuits.count)
        self.maximumPowerW = maximumPowerW
    }

    mutating func emission(
        _ pointer: UnsafePointer<meter_reading>?, instance: Int, now: Instant
    ) throws(Refusal) -> Emission {
        guard let pointer = unsafe pointer else { throw Refusal(reason: "the reading is NULL") }
        let size = unsafe pointer.pointee.struct_size
        guard unsafe Int(size) >= MemoryLayout<meter_reading>.size else {
            throw Refusal(reason: "the reading's struct_size is \(size)")
        }
        let reading = unsafe pointer.pointee
        var emission = unsafe Emission(instance: instance, timestamp: try timestamp(reading, now))
        emission.period = unsafe reading.period_ns
        emission.quality = unsafe quality(reading.quality) ?? .unknown
        // What is measured is known, whether the adapter says so or not.
        emission.known = unsafe PowerSet(rawValue: UInt8((reading.known | reading.present) & 0xF))
        unsafe takePowers(reading, &emission)
        unsafe takeEnergies(reading, &emission)
        emission.circuits = try unsafe circuits(reading)
        emission.catalog = catalog
        return emission
    }

    private func timestamp(_ reading: meter_reading, _ now: Instant) throws(Refusal) -> Instant {
        guard unsafe reading.period_ns >= 0, unsafe reading.period_ns <= Duration.day else {
            throw Refusal(
                reason: unsafe "the reading's period is \(reading.period_ns) ns: 0 to one day is allowed", rule: .time)
        }
        guard unsafe reading.timestamp_ns != 0 else { return now }
        let timestamp = unsafe Instant(nanoseconds: reading.timestamp_ns)
        guard timestamp >= earliest(now), timestamp <= latest(now) else {
            throw Refusal(
                reason: unsafe "the reading's timestamp \(reading.timestamp_ns) ns is not a time of now", rule: .time)
        }
        return timestamp
    }

    /// Where our clock is not set yet, a meter's may be, or it is stamped by ours: it is put right once that is set.
    private func latest(_ now: Instant) -> Instant {
        now < HostVersion.releasedAt ? Instant(nanoseconds: .max) : now + Duration.day
    }

    private func earliest(_ now: Instant) -> Instant {
        now < HostVersion.releasedAt ? Instant(nanoseconds: 0) : Self.earliest
    }

    // MARK: Numbers

    private mutating func takePowers(_ reading: meter_reading, _ emission: inout Emission) {
        let present = unsafe reading.present
        emission.powers.gridW = unsafe power(reading.grid_power_w, present & METER_GRID_POWER)
        emission.powers.solarW = unsafe power(reading.solar_power_w, present & METER_SOLAR_POWER)
        emission.powers.batteryW = unsafe power(reading.battery_power_w, present & METER_BATTERY_POWER)
        emission.powers.consumptionW = unsafe power(reading.consumption_power_w, present & METER_CONSUMPTION_POWER)
        emission.voltageV.0 = unsafe small(reading.voltage_v.0, present & METER_VOLTAGE_1)
        emission.voltageV.1 = unsafe small(reading.voltage_v.1, present & METER_VOLTAGE_2)
        emission.voltageV.2 = unsafe small(reading.voltage_v.2, present & METER_VOLTAGE_3)
        emission.frequencyHz = unsafe small(reading.frequency_hz, present & METER_FREQUENCY)
    }

    private mutating func takeEnergies(_ reading: meter_reading, _ emission: inout Emission) {
        let present = unsafe reading.present
        if unsafe reading.period_ns > 0 {
            let most = unsafe mostEnergy(in: reading.period_ns)
            emission.periodEnergy = unsafe Flows(
                imported: energy(reading.period_import_kwh, present & METER_PERIOD_IMPORT, atMost: most),
                exported: energy(reading.period_export_kwh, present & METER_PERIOD_EXPORT, atMost: most),
                produced: energy(reading.period_production_kwh, present & METER_PERIOD_PRODUCTION, atMost: most),
                consumed: energy(reading.period_consumption_kwh, present & METER_PERIOD_CONSUMPTION, atMost: most),
                charged: energy(reading.period_charge_kwh, present & METER_PERIOD_CHARGE, atMost: most),
                discharged: energy(reading.period_discharge_kwh, present & METER_PERIOD_DISCHARGE, atMost: most))
        }
        emission.counters = unsafe Flows(
            imported: energy(reading.total_import_kwh, present & METER_TOTAL_IMPORT, atMost: Self.mostCounted),
            exported: energy(reading.total_export_kwh, present & METER_TOTAL_EXPORT, atMost: Self.mostCounted),
            produced: energy(reading.total_production_kwh, present & METER_TOTAL_PRODUCTION, atMost: Self.mostCounted),
            consumed: energy(
                reading.total_consumption_kwh, present & METER_TOTAL_CONSUMPTION, atMost: Self.mostCounted),
            charged: energy(reading.total_charge_kwh, present & METER_TOTAL_CHARGE, atMost: Self.mostCounted),
            discharged: energy(reading.total_discharge_kwh, present & METER_TOTAL_DISCHARGE, atMost: Self.mostCounted))
        emission.dayEnergy = unsafe energy(
            reading.day_energy_kwh, present & METER_DAY_ENERGY, atMost: mostEnergy(in: Self.longestDay))
    }

    /// An implausible value is dropped alone.
    private mutating func power(_ value: Double, _ bit: UInt64) -> Double? {
        guard bit != 0 else { return nil }
        guard value.isFinite, abs(value) <= maximumPowerW else {
            badValues += 1
            return nil
        }
        return value
    }

    /// An energy beyond `most` kWh is dropped alone, too: it would stand in every sum for good.
    private mutating func energy(_ value: Double, _ bit: UInt64, atMost most: Double) -> Millijoules? {
        guard bit != 0 else { return nil }
        // Negative: a counter that is "not available" at present (-1 after a reboot).
        guard value >= 0, value <= most, let energy = Energy.millijoules(kWh: value) else {
            badValues += 1
            return nil
        }
        return energy
    }

    /// In kWh: what the house can draw in the time, with 0.2 kWh for the rounding of the counters that it is made of.
    private func mostEnergy(in nanoseconds: Int64) -> Double { maximumPowerW * Double(nanoseconds) / 3.6e15 + 0.2 }

    private mutating func small(_ value: Double, _ bit: UInt64) -> Float? {
        guard bit != 0 else { return nil }
        guard value.isFinite, abs(value) <= 1e9 else {
            badValues += 1
            return nil
        }
        return Float(value)
    }

    private func quality(_ raw: UInt32) -> Quality? { UInt8(exactly: raw).flatMap(Quality.init(rawValue:)) }

    // MARK: Circuits

    private mutating func circuits(_ reading: meter_reading) throws(Refusal) -> [CircuitSample] {
        let count = unsafe Int(reading.circuit_count)
        guard count > 0 else { return [] }
        let stride = unsafe Int(reading.circuit_stride)
        guard unsafe stride >= MemoryLayout<meter_circuit>.size, stride % 8 == 0, stride <= 4096 else {
            throw Refusal(reason: "circuit_stride is \(stride)")
        }
        guard count <= Self.mostCircuits, let table = unsafe reading.circuits else {
            throw Refusal(reason: "\(count) circuits: at most \(Self.mostCircuits), and a table of them, are allowed")
        }
        generation += 1
        var samples: [CircuitSample] = []
        samples.reserveCapacity(count)
        for index in 0..<count {
            let circuit = unsafe UnsafeRawPointer(table).loadUnaligned(
                fromByteOffset: index * stride, as: meter_circuit.self)
            let number = try unsafe number(of: circuit, at: index)
            guard seen[Int(number)] != generation else {
                throw Refusal(
                    reason: "circuit '\(identities[Int(number)].id)' is in the reading twice", rule: .identity)
            }
            seen[Int(number)] = generation
            unsafe samples.append(sample(circuit, number, reading))
        }
        if isCatalogStale {
            catalog = CircuitCatalog(circuits: identities, version: catalog.version + 1)
            isCatalogStale = false
        }
        return samples
    }

    private mutating func sample(_ circuit: meter_circuit, _ number: Int32, _ reading: meter_reading) -> CircuitSample {
        let present = unsafe circuit.present
        var sample = unsafe CircuitSample(
            circuit: number, kind: UInt8(exactly: circuit.kind).flatMap(CircuitKind.init(rawValue:)) ?? .unknown,
            phase: circuit.phase <= 3 ? UInt8(circuit.phase) : 0,
            quality: quality(circuit.quality == 0 ? reading.quality : circuit.quality) ?? .unknown)
        if let value = unsafe power(circuit.power_w, present & METER_CIRCUIT_POWER) {
            sample.powerW = value
            sample.present.insert(.power)
        }
        if unsafe reading.period_ns > 0 {
            let most = unsafe mostEnergy(in: reading.period_ns)
            if let value = unsafe energy(circuit.period_energy_kwh, present & METER_CIRCUIT_PERIOD_ENERGY, atMost: most)
            {
                sample.periodEnergy = value
                sample.present.insert(.periodEnergy)
            }
            if let value = unsafe energy(
                circuit.period_returned_kwh, present & METER_CIRCUIT_PERIOD_RETURNED, atMost: most)
            {
                sample.periodReturned = value
                sample.present.insert(.periodReturned)
            }
        }
        if let value = unsafe energy(
            circuit.total_energy_kwh, present & METER_CIRCUIT_TOTAL_ENERGY, atMost: Self.mostCounted)
        {
            sample.totalEnergy = value
            sample.present.insert(.totalEnergy)
        }
        if let value = unsafe energy(
            circuit.total_returned_kwh, present & METER_CIRCUIT_TOTAL_RETURNED, atMost: Self.mostCounted)
        {
            sample.totalReturned = value
            sample.present.insert(.totalReturned)
        }
        unsafe takeElectrics(circuit, &sample)
        return sample
    }

    private mutating func takeElectrics(_ circuit: meter_circuit, _ sample: inout CircuitSample) {
        let present = unsafe circuit.present
        if let value = unsafe small(circuit.voltage_v, present & METER_CIRCUIT_VOLTAGE) {
            sample.voltageV = value
            sample.present.insert(.voltage)
        }
        if let value = unsafe small(circuit.current_a, present & METER_CIRCUIT_CURRENT) {
            sample.currentA = value
            sample.present.insert(.current)
        }
        if let value = unsafe small(circuit.power_factor, present & METER_CIRCUIT_POWER_FACTOR) {
            sample.powerFactor = value
            sample.present.insert(.powerFactor)
        }
    }

    // MARK: Identity

    /// The durable number of a circuit. Where it stands as in the last reading, bytes are compared and nothing is made.
    private mutating func number(of circuit: meter_circuit, at index: Int) throws(Refusal) -> Int32 {
        guard let id = unsafe ForeignText.bytes(circuit.id, limit: Self.longestText), unsafe !id.isEmpty,
            let name = unsafe ForeignText.bytes(circuit.name, limit: Self.longestText),
            let parent = unsafe ForeignText.bytes(circuit.parent_id, limit: Self.longestText)
        else { throw Refusal(reason: "circuit \(index + 1) has no id, or a text of more than 255 bytes", rule: .text) }
        if index < order.count, unsafe Self.same(order[index].id, id), unsafe Self.same(order[index].name, name),
            unsafe Self.same(order[index].parent, parent)
        {
            return order[index].number
        }
        guard let idText = unsafe String(validating: id, as: UTF8.self),
            let nameText = unsafe String(validating: name, as: UTF8.self),
            let parentText = unsafe String(validating: parent, as: UTF8.self)
        else { throw Refusal(reason: "a text of circuit \(index + 1) is not UTF-8", rule: .text) }
        let identity = CircuitIdentity(id: idText, name: nameText.isEmpty ? idText : nameText, parentID: parentText)
        let number = try number(of: identity)
        let known = unsafe Known(id: Array(id), name: Array(name), parent: Array(parent), number: number)
        if index < order.count { order[index] = known } else if index == order.count { order.append(known) }
        return number
    }

    private mutating func number(of identity: CircuitIdentity) throws(Refusal) -> Int32 {
        if let number = numbers[identity.id] {
            if identities[Int(number)] != identity {
                identities[Int(number)] = identity
                isCatalogStale = true
            }
            return number
        }
        guard identities.count < Self.mostCircuitsEver else {
            throw Refusal(
                reason: "more than \(Self.mostCircuitsEver) different circuits: ids have to be stable", rule: .identity)
        }
        let number = Int32(identities.count)
        identities.append(identity)
        isCatalogStale = true
        seen.append(0)
        numbers[identity.id] = number
        return number
    }

    private static func same(_ known: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard known.count == bytes.count else { return false }
        guard let start = bytes.baseAddress, !known.isEmpty else { return known.isEmpty }
        return unsafe memcmp(known, start, known.count) == 0
    }
}
