import Observability
package import Readings

/// The energies of a meter by the clock on the wall. Nil = not measured.
package struct EnergyReport: Sendable {
    package var meter: String
    package var zone: String
    package var resolution: String
    /// Of the costs; nil where no tariff is set or its currency was not said.
    package var currency: String?
    package var periods: [Period] = []

    package init(meter: String, zone: String, resolution: String, currency: String?) {
        self.meter = meter
        self.zone = zone
        self.resolution = resolution
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
        package var resolution: String
        package var from: Instant
        package var to: Instant
    }
}

extension EnergyReport {
    var json: [UInt8] {
        JSONWriter.body { json in
            json.field("meter", meter)
            json.field("time_zone", zone)
            json.field("resolution", resolution)
            json.field("currency", currency)
            json.array("periods") { json in
                for period in periods { json.object(period.write) }
            }
        }
    }
}

extension EnergyReport.Period {
    fileprivate func write(_ json: inout JSONWriter) {
        json.field("start", start)
        json.field("end", end)
        json.field("import_kwh", kWh.imported)
        json.field("export_kwh", kWh.exported)
        json.field("production_kwh", kWh.produced)
        json.field("consumption_kwh", kWh.consumed)
        json.field("charge_kwh", kWh.charged)
        json.field("discharge_kwh", kWh.discharged)
        json.field("power_w", powerW)
        json.field("minimum_power_w", minimumPowerW)
        json.field("maximum_power_w", maximumPowerW)
        json.field("coverage", coverage)
        json.field("import_cost", importCost)
        json.field("export_earnings", exportEarnings)
        json.field("fixed_cost", fixedCost)
        json.field("cost", cost)
        json.field("unpriced_kwh", unpricedKWh)
    }
}
