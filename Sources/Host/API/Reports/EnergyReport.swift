package import Readings

/// The energies of a meter by the clock on the wall. Nil = not measured.
package struct EnergyReport: Sendable {
    package var meter: String
    package var zone: String
    package var resolution: String
    /// What the periods are made of: whole quarter hours.
    package var from: Instant
    package var to: Instant
    /// Of the costs; nil where no tariff is set or its currency was not said.
    package var currency: String?
    package var periods: [Period] = []

    package init(
        meter: String, zone: String, resolution: String, from: Instant, to: Instant, currency: String?
    ) {
        self.meter = meter
        self.zone = zone
        self.resolution = resolution
        self.from = from
        self.to = to
        self.currency = currency
    }

    package struct Period: Sendable {
        package var start: Instant
        package var end: Instant
        package var kWh = Flows<Double?>(repeating: nil)
        package var powerW: Double?
        package var minimumPowerW: Double?
        package var maximumPowerW: Double?
        package var coverage = 0.0
        package var importCost: Double?
        package var exportEarnings: Double?
        package var fixedCost: Double?
        package var cost: Double?
        /// Bought while no price was set.
        package var unpricedKWh = 0.0

        package init(start: Instant, end: Instant) {
            self.start = start
            self.end = end
        }
    }

    /// What a request asks for.
    package struct Question: Sendable {
        /// Nil = the house.
        package var instance: String?
        package var resolution: String
        package var from: Instant
        package var to: Instant
    }
}

extension EnergyReport {
    static let shape = Shape<Self>(
        "Energy",
        [
            .text("meter", "The instance") { $0.meter },
            .text("time_zone") { $0.zone },
            .text("resolution") { $0.resolution },
            .time("from", "Where the first period may begin") { $0.from },
            .time("to", "Nothing after it counts: the end of a quarter hour") { $0.to },
            .optionalText("currency", "Of the costs") { $0.currency },
            .list(
                "periods", Period.shape,
                "Those in which something was stored, and days between them with their fixed cost; oldest first"
            ) { $0.periods },
        ])
}

extension EnergyReport.Period {
    fileprivate static let shape = Shape<Self>(
        "EnergyPeriod",
        [
            .time("start") { $0.start },
            .time("end") { $0.end },
            .optionalNumber("import_kwh", "Bought") { $0.kWh.imported },
            .optionalNumber("export_kwh", "Sold") { $0.kWh.exported },
            .optionalNumber("production_kwh", "Of solar") { $0.kWh.produced },
            .optionalNumber("consumption_kwh", "Used by the house") { $0.kWh.consumed },
            .optionalNumber("charge_kwh", "Into the battery") { $0.kWh.charged },
            .optionalNumber("discharge_kwh", "Out of the battery") { $0.kWh.discharged },
            .optionalNumber("power_w", "Mean of the total over the time that was measured") { $0.powerW },
            .optionalNumber("minimum_power_w") { $0.minimumPowerW },
            .optionalNumber("maximum_power_w") { $0.maximumPowerW },
            .number("coverage", "Measured part of the period, 0 to 1") { $0.coverage },
            .optionalNumber("import_cost") { $0.importCost },
            .optionalNumber("export_earnings") { $0.exportEarnings },
            .optionalNumber("fixed_cost", "Of days and months only") { $0.fixedCost },
            .optionalNumber("cost", "Import less export, and what is fixed") { $0.cost },
            .number("unpriced_kwh", "Bought while no price was set") { $0.unpricedKWh },
        ])
}
