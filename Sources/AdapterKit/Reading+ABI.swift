import AdapterABI

extension Reading {
    /// What the host takes, in bytes.
    private static let longestText = 255

    private static func isID(_ text: String) -> Bool { (1...longestText).contains(text.utf8.count) }

    /// The reading as the interface wants it, for the duration of `body`. Long names are cut, and a circuit without an
    /// id that the host takes is left out: one of them would cost the whole reading.
    func withABI<Result>(_ body: (UnsafePointer<meter_reading>) -> Result) -> Result {
        var texts = TextArena()
        let circuits = circuits.filter { Self.isID($0.id) }
        let names = circuits.map { circuit in
            (
                texts.add(circuit.id), texts.add(circuit.name.cut(toBytes: Self.longestText)),
                texts.add(Self.isID(circuit.parentID) ? circuit.parentID : "")
            )
        }
        return unsafe texts.withTexts { text in
            let table = unsafe circuits.indices.map { index in
                var circuit = unsafe circuits[index].abi
                unsafe circuit.id = unsafe text(names[index].0)
                unsafe circuit.name = unsafe text(names[index].1)
                unsafe circuit.parent_id = unsafe text(names[index].2)
                return unsafe circuit
            }
            return unsafe table.withUnsafeBufferPointer { table in
                var reading = unsafe abi
                unsafe reading.circuits = table.baseAddress
                unsafe reading.circuit_count = UInt32(table.count)
                return unsafe withUnsafePointer(to: reading) { unsafe body($0) }
            }
        }
    }

    private var abi: meter_reading {
        var target = unsafe meter_reading_make()
        unsafe target.quality = quality.rawValue
        unsafe target.known = known.rawValue
        unsafe target.timestamp_ns = timestamp ?? 0
        unsafe target.period_ns = period
        if let gridPowerW { unsafe meter_set_grid_power_w(&target, gridPowerW) }
        if let solarPowerW { unsafe meter_set_solar_power_w(&target, solarPowerW) }
        if let batteryPowerW { unsafe meter_set_battery_power_w(&target, batteryPowerW) }
        if let consumptionPowerW { unsafe meter_set_consumption_power_w(&target, consumptionPowerW) }
        unsafe setPeriod(&target)
        unsafe setTotals(&target)
        if let dayEnergyKWh { unsafe meter_set_day_energy_kwh(&target, dayEnergyKWh) }
        for (index, voltage) in voltagesV.prefix(3).enumerated() {
            if let voltage { unsafe meter_set_voltage_v(&target, UInt32(index + 1), voltage) }
        }
        if let frequencyHz { unsafe meter_set_frequency_hz(&target, frequencyHz) }
        return unsafe target
    }

    private func setPeriod(_ target: inout meter_reading) {
        if let value = periodEnergy.importKWh { unsafe meter_set_period_import_kwh(&target, value) }
        if let value = periodEnergy.exportKWh { unsafe meter_set_period_export_kwh(&target, value) }
        if let value = periodEnergy.productionKWh { unsafe meter_set_period_production_kwh(&target, value) }
        if let value = periodEnergy.consumptionKWh { unsafe meter_set_period_consumption_kwh(&target, value) }
        if let value = periodEnergy.chargeKWh { unsafe meter_set_period_charge_kwh(&target, value) }
        if let value = periodEnergy.dischargeKWh { unsafe meter_set_period_discharge_kwh(&target, value) }
    }

    private func setTotals(_ target: inout meter_reading) {
        if let value = totalEnergy.importKWh { unsafe meter_set_total_import_kwh(&target, value) }
        if let value = totalEnergy.exportKWh { unsafe meter_set_total_export_kwh(&target, value) }
        if let value = totalEnergy.productionKWh { unsafe meter_set_total_production_kwh(&target, value) }
        if let value = totalEnergy.consumptionKWh { unsafe meter_set_total_consumption_kwh(&target, value) }
        if let value = totalEnergy.chargeKWh { unsafe meter_set_total_charge_kwh(&target, value) }
        if let value = totalEnergy.dischargeKWh { unsafe meter_set_total_discharge_kwh(&target, value) }
    }
}

extension Circuit {
    /// Without its texts.
    fileprivate var abi: meter_circuit {
        var target = unsafe meter_circuit_make(nil, nil, kind.rawValue)
        unsafe target.phase = phase
        unsafe target.quality = quality.rawValue
        if let powerW { unsafe meter_circuit_set_power_w(&target, powerW) }
        if let periodEnergyKWh { unsafe meter_circuit_set_period_energy_kwh(&target, periodEnergyKWh) }
        if let periodReturnedKWh { unsafe meter_circuit_set_period_returned_kwh(&target, periodReturnedKWh) }
        if let totalEnergyKWh { unsafe meter_circuit_set_total_energy_kwh(&target, totalEnergyKWh) }
        if let totalReturnedKWh { unsafe meter_circuit_set_total_returned_kwh(&target, totalReturnedKWh) }
        if let voltageV { unsafe meter_circuit_set_voltage_v(&target, voltageV) }
        if let currentA { unsafe meter_circuit_set_current_a(&target, currentA) }
        if let powerFactor { unsafe meter_circuit_set_power_factor(&target, powerFactor) }
        return unsafe target
    }
}
