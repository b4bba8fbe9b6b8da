import AdapterABI
import Readings

/// A reading as an adapter gave it, before the host drops what makes no sense. Made of what the host has accepted.
struct SeenReading: Sendable {
    /// More is no house.
    static let mostPlausibleW = 1_000_000.0

    /// A number whose bit is set.
    struct Number: Hashable, Sendable {
        enum Kind: Sendable {
            case power, periodEnergy, counter, dayEnergy, voltage, frequency, current, factor
        }

        let name: String
        let kind: Kind
        let value: Double
    }

    struct Circuit: Sendable {
        let id: String
        let parent: String
        let kind: UInt32
        let phase: UInt32
        let quality: UInt32
        let reserved: UInt32
        let present: UInt64
        let numbers: [Number]

        var powerW: Double? { numbers.first { $0.name == "power_w" }?.value }
        /// Whether its power adds to what the house consumes.
        var isConsuming: Bool {
            ![METER_KIND_GRID, METER_KIND_SOLAR, METER_KIND_BATTERY, METER_KIND_TOTAL].contains(kind)
        }
    }

    let known: UInt64
    let present: UInt64
    let quality: UInt32
    /// 0 = the moment of emit.
    let timestamp: Int64
    let period: Int64
    let numbers: [Number]
    let circuits: [Circuit]
    /// When it came.
    let at: Instant

    init(_ source: meter_reading, at now: Instant) {
        unsafe known = source.known
        unsafe present = source.present
        unsafe quality = source.quality
        unsafe timestamp = source.timestamp_ns
        unsafe period = source.period_ns
        numbers = unsafe Self.numbers(source)
        at = now
        circuits = unsafe (0..<Int(source.circuit_count)).compactMap { index in
            guard let table = unsafe UnsafeRawPointer(source.circuits) else { return nil }
            return unsafe Circuit(
                table.loadUnaligned(
                    fromByteOffset: index * Int(source.circuit_stride), as: meter_circuit.self))
        }
    }

    func value(_ name: String) -> Double? { numbers.first { $0.name == name }?.value }

    /// All numbers, with the names that people find in the header.
    var everything: [Number] {
        numbers
            + circuits.flatMap { circuit in
                circuit.numbers.map {
                    Number(name: "\($0.name) of circuit '\(circuit.id)'", kind: $0.kind, value: $0.value)
                }
            }
    }

    private static func numbers(_ r: meter_reading) -> [Number] {
        let all: [(bit: UInt64, name: String, kind: Number.Kind, value: Double)] = unsafe [
            (METER_GRID_POWER, "grid_power_w", .power, r.grid_power_w),
            (METER_SOLAR_POWER, "solar_power_w", .power, r.solar_power_w),
            (METER_BATTERY_POWER, "battery_power_w", .power, r.battery_power_w),
            (METER_CONSUMPTION_POWER, "consumption_power_w", .power, r.consumption_power_w),
            (METER_PERIOD_IMPORT, "period_import_kwh", .periodEnergy, r.period_import_kwh),
            (METER_PERIOD_EXPORT, "period_export_kwh", .periodEnergy, r.period_export_kwh),
            (METER_PERIOD_PRODUCTION, "period_production_kwh", .periodEnergy, r.period_production_kwh),
            (METER_PERIOD_CONSUMPTION, "period_consumption_kwh", .periodEnergy, r.period_consumption_kwh),
            (METER_PERIOD_CHARGE, "period_charge_kwh", .periodEnergy, r.period_charge_kwh),
            (METER_PERIOD_DISCHARGE, "period_discharge_kwh", .periodEnergy, r.period_discharge_kwh),
            (METER_TOTAL_IMPORT, "total_import_kwh", .counter, r.total_import_kwh),
            (METER_TOTAL_EXPORT, "total_export_kwh", .counter, r.total_export_kwh),
            (METER_TOTAL_PRODUCTION, "total_production_kwh", .counter, r.total_production_kwh),
            (METER_TOTAL_CONSUMPTION, "total_consumption_kwh", .counter, r.total_consumption_kwh),
            (METER_TOTAL_CHARGE, "total_charge_kwh", .counter, r.total_charge_kwh),
            (METER_TOTAL_DISCHARGE, "total_discharge_kwh", .counter, r.total_discharge_kwh),
            (METER_DAY_ENERGY, "day_energy_kwh", .dayEnergy, r.day_energy_kwh),
            (METER_VOLTAGE_1, "voltage_v[0]", .voltage, r.voltage_v.0),
            (METER_VOLTAGE_2, "voltage_v[1]", .voltage, r.voltage_v.1),
            (METER_VOLTAGE_3, "voltage_v[2]", .voltage, r.voltage_v.2),
            (METER_FREQUENCY, "frequency_hz", .frequency, r.frequency_hz),
        ]
        let present = unsafe r.present
        return all.filter { present & $0.bit != 0 }.map { Number(name: $0.name, kind: $0.kind, value: $0.value) }
    }

    /// Every bit that this version of the header has.
    static let knownBits: UInt64 = 0x1F_FFFF
}

extension SeenReading.Circuit {
    static let knownBits: UInt64 = 0xFF

    init(_ source: meter_circuit) {
        id = unsafe ForeignText.words(source.id, limit: 255)
        parent = unsafe ForeignText.words(source.parent_id, limit: 255)
        unsafe kind = source.kind
        unsafe phase = source.phase
        unsafe quality = source.quality
        unsafe reserved = source.reserved
        unsafe present = source.present
        let all: [(bit: UInt64, name: String, kind: SeenReading.Number.Kind, value: Double)] = unsafe [
            (METER_CIRCUIT_POWER, "power_w", .power, source.power_w),
            (METER_CIRCUIT_PERIOD_ENERGY, "period_energy_kwh", .periodEnergy, source.period_energy_kwh),
            (METER_CIRCUIT_PERIOD_RETURNED, "period_returned_kwh", .periodEnergy, source.period_returned_kwh),
            (METER_CIRCUIT_TOTAL_ENERGY, "total_energy_kwh", .counter, source.total_energy_kwh),
            (METER_CIRCUIT_TOTAL_RETURNED, "total_returned_kwh", .counter, source.total_returned_kwh),
            (METER_CIRCUIT_VOLTAGE, "voltage_v", .voltage, source.voltage_v),
            (METER_CIRCUIT_CURRENT, "current_a", .current, source.current_a),
            (METER_CIRCUIT_POWER_FACTOR, "power_factor", .factor, source.power_factor),
        ]
        let bits = present
        numbers = all.filter { bits & $0.bit != 0 }.map {
            SeenReading.Number(name: $0.name, kind: $0.kind, value: $0.value)
        }
    }
}
