import Observability
package import Readings

/// What the house uses now: the newest reading of `PRIMARY_METER`, or of what stands in for it. Nil = not measured.
package struct ConsumptionReport: Sendable {
    /// When the numbers were read.
    package var timestamp: Instant
    package var meterType: String
    package var totalIs: TotalIs
    package var totalPowerW: Double?
    package var dailyKWh: Double?
    package var powers = Powers()
    package var unmonitoredPowerW: Double?
    package var quality = Quality.measured
    /// The meter is away; these are its last numbers.
    package var isStale = false
    /// Invented: no meter is configured, or it has been away for long.
    package var isSimulated = false
    package var circuits: [Circuit] = []

    package init(timestamp: Instant, meterType: String, totalIs: TotalIs) {
        self.timestamp = timestamp
        self.meterType = meterType
        self.totalIs = totalIs
    }

    package struct Circuit: Sendable {
        package var id: String
        package var name: String
        package var powerW: Double?
        /// 100 x power / consumption.
        package var percentage: Double?

        package init(id: String, name: String, powerW: Double?, percentage: Double?) {
            self.id = id
            self.name = name
            self.powerW = powerW
            self.percentage = percentage
        }
    }
}

extension ConsumptionReport {
    /// The body of `/consumption`: every key is always there.
    var json: [UInt8] {
        JSONWriter.body { json in
            json.field("total_power_w", totalPowerW)
            json.field("daily_kwh", dailyKWh)
            json.array("circuits") { json in
                for circuit in circuits { json.object(circuit.write) }
            }
            json.field("timestamp", timestamp)
            json.field("total_is", totalIs.word)
            json.field("meter_type", meterType)
            json.field("quality", quality.word)
            json.field("stale", isStale)
            json.field("simulated", isSimulated)
            json.field("grid_power_w", powers.gridW)
            json.field("solar_power_w", powers.solarW)
            json.field("battery_power_w", powers.batteryW)
            json.field("consumption_power_w", powers.consumptionW)
            json.field("unmonitored_power_w", unmonitoredPowerW)
        }
    }
}

extension ConsumptionReport.Circuit {
    /// `percentage` is 0 where it is unknown, and `entity_id` the id of any adapter's circuit: the seed's contract.
    fileprivate func write(_ json: inout JSONWriter) {
        json.field("name", name)
        json.field("power_w", powerW)
        json.field("percentage", percentage ?? 0)
        json.field("entity_id", id)
    }
}
