public import AdapterABI

/// A copy of what an adapter handed over. A number without its bit is nil.
public struct EmittedReading: Sendable {
    public var structSize: UInt32
    public var known: UInt64
    public var present: UInt64
    public var quality: UInt32
    public var timestamp: Int64
    public var period: Int64
    public var gridPowerW: Double?
    public var solarPowerW: Double?
    public var batteryPowerW: Double?
    public var consumptionPowerW: Double?
    public var periodImportKWh: Double?
    public var periodExportKWh: Double?
    public var periodProductionKWh: Double?
    public var periodConsumptionKWh: Double?
    public var periodChargeKWh: Double?
    public var periodDischargeKWh: Double?
    public var totalImportKWh: Double?
    public var totalExportKWh: Double?
    public var totalProductionKWh: Double?
    public var totalConsumptionKWh: Double?
    public var dayEnergyKWh: Double?
    public var voltagesV: [Double?]
    public var frequencyHz: Double?
    public var circuits: [EmittedCircuit]

    init(_ source: meter_reading) {
        let bits = unsafe source.present
        func number(_ value: Double, _ bit: UInt64) -> Double? { bits & bit == 0 ? nil : value }
        unsafe structSize = source.struct_size
        unsafe known = source.known
        present = bits
        unsafe quality = source.quality
        unsafe timestamp = source.timestamp_ns
        unsafe period = source.period_ns
        unsafe gridPowerW = number(source.grid_power_w, METER_GRID_POWER)
        unsafe solarPowerW = number(source.solar_power_w, METER_SOLAR_POWER)
        unsafe batteryPowerW = number(source.battery_power_w, METER_BATTERY_POWER)
        unsafe consumptionPowerW = number(source.consumption_power_w, METER_CONSUMPTION_POWER)
        unsafe periodImportKWh = number(source.period_import_kwh, METER_PERIOD_IMPORT)
        unsafe periodExportKWh = number(source.period_export_kwh, METER_PERIOD_EXPORT)
        unsafe periodProductionKWh = number(source.period_production_kwh, METER_PERIOD_PRODUCTION)
        unsafe periodConsumptionKWh = number(source.period_consumption_kwh, METER_PERIOD_CONSUMPTION)
        unsafe periodChargeKWh = number(source.period_charge_kwh, METER_PERIOD_CHARGE)
        unsafe periodDischargeKWh = number(source.period_discharge_kwh, METER_PERIOD_DISCHARGE)
        unsafe totalImportKWh = number(source.total_import_kwh, METER_TOTAL_IMPORT)
        unsafe totalExportKWh = number(source.total_export_kwh, METER_TOTAL_EXPORT)
        unsafe totalProductionKWh = number(source.total_production_kwh, METER_TOTAL_PRODUCTION)
        unsafe totalConsumptionKWh = number(source.total_consumption_kwh, METER_TOTAL_CONSUMPTION)
        unsafe dayEnergyKWh = number(source.day_energy_kwh, METER_DAY_ENERGY)
        unsafe voltagesV = [
            number(source.voltage_v.0, METER_VOLTAGE_1), number(source.voltage_v.1, METER_VOLTAGE_2),
            number(source.voltage_v.2, METER_VOLTAGE_3),
        ]
        unsafe frequencyHz = number(source.frequency_hz, METER_FREQUENCY)
        circuits = (0..<Int(unsafe source.circuit_count)).compactMap { index in
            guard let table = unsafe UnsafeRawPointer(source.circuits) else { return nil }
            return unsafe EmittedCircuit(
                (table + index * Int(source.circuit_stride)).loadUnaligned(as: meter_circuit.self))
        }
    }
}

/// A copy of one circuit of a reading.
public struct EmittedCircuit: Sendable {
    public var id: String
    public var name: String
    public var parentID: String
    public var kind: UInt32
    public var phase: UInt32
    public var quality: UInt32
    public var powerW: Double?
    public var periodEnergyKWh: Double?
    public var periodReturnedKWh: Double?
    public var totalEnergyKWh: Double?
    public var voltageV: Double?
    public var currentA: Double?
    public var powerFactor: Double?

    init(_ source: meter_circuit) {
        let bits = unsafe source.present
        func number(_ value: Double, _ bit: UInt64) -> Double? { bits & bit == 0 ? nil : value }
        unsafe id = String(copying: source.id)
        unsafe name = String(copying: source.name)
        unsafe parentID = String(copying: source.parent_id)
        unsafe kind = source.kind
        unsafe phase = source.phase
        unsafe quality = source.quality
        unsafe powerW = number(source.power_w, METER_CIRCUIT_POWER)
        unsafe periodEnergyKWh = number(source.period_energy_kwh, METER_CIRCUIT_PERIOD_ENERGY)
        unsafe periodReturnedKWh = number(source.period_returned_kwh, METER_CIRCUIT_PERIOD_RETURNED)
        unsafe totalEnergyKWh = number(source.total_energy_kwh, METER_CIRCUIT_TOTAL_ENERGY)
        unsafe voltageV = number(source.voltage_v, METER_CIRCUIT_VOLTAGE)
        unsafe currentA = number(source.current_a, METER_CIRCUIT_CURRENT)
        unsafe powerFactor = number(source.power_factor, METER_CIRCUIT_POWER_FACTOR)
    }
}

extension String {
    /// A copy of a text of the interface.
    public init(copying text: meter_text) {
        let bytes = unsafe UnsafeRawBufferPointer(start: text.data, count: Int(text.length))
        self = unsafe String(decoding: bytes, as: UTF8.self)
    }
}
