/// What one quantity was over the period of a reading.
public struct PeriodSum: Sendable {
    /// Watts, with the sign that the quantity has.
    public var meanW: Double
    /// What flowed while the power was above zero, and while it was below; neither is negative.
    public var positiveKWh: Double
    public var negativeKWh: Double

    public init(meanW: Double, positiveKWh: Double, negativeKWh: Double) {
        self.meanW = meanW
        self.positiveKWh = positiveKWh
        self.negativeKWh = negativeKWh
    }
}

extension Reading {
    /// Sets powers and energies of the period; nil leaves both not measured.
    public mutating func set(
        grid: PeriodSum? = nil, solar: PeriodSum? = nil, battery: PeriodSum? = nil, consumption: PeriodSum? = nil
    ) {
        gridPowerW = grid?.meanW
        periodEnergy.importKWh = grid?.positiveKWh
        periodEnergy.exportKWh = grid?.negativeKWh
        // What an inverter takes at night is no production.
        solarPowerW = solar?.meanW
        periodEnergy.productionKWh = solar?.positiveKWh
        batteryPowerW = battery?.meanW
        periodEnergy.dischargeKWh = battery?.positiveKWh
        periodEnergy.chargeKWh = battery?.negativeKWh
        consumptionPowerW = consumption?.meanW
        periodEnergy.consumptionKWh = consumption?.positiveKWh
    }
}

extension Circuit {
    /// Sets power and energies of the period; nil leaves both not measured.
    public mutating func set(_ sum: PeriodSum?) {
        powerW = sum?.meanW
        periodEnergyKWh = sum?.positiveKWh
        periodReturnedKWh = sum?.negativeKWh
    }
}
