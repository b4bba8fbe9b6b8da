package import Readings

/// The newest reading of an instance. Nil = not measured.
package struct ReadingReport: Sendable {
    /// `type` or `type@label`.
    package var instance: String
    package var meterType: String
    /// It stands for the house now.
    package var isHouse = true
    /// When the numbers were read.
    package var timestamp: Instant
    package var quality = Quality.measured
    /// The meter is away; these are its last numbers.
    package var isStale = false
    /// Invented: no meter is configured, or it has been away for long.
    package var isSimulated = false
    package var totalPowerW: Double?
    package var totalIs: TotalIs
    package var dailyKWh: Double?
    package var powers = Powers()
    package var unmonitoredPowerW: Double?
    /// Of the phases 1, 2, 3.
    package var voltageV: [Double?] = [nil, nil, nil]
    package var frequencyHz: Double?
    package var circuits: [Circuit] = []

    package init(instance: String, meterType: String, timestamp: Instant, totalIs: TotalIs) {
        self.instance = instance
        self.meterType = meterType
        self.timestamp = timestamp
        self.totalIs = totalIs
    }

    package struct Circuit: Sendable {
        package var id: String
        package var name: String
        package var kind = CircuitKind.load
        package var parentID = ""
        package var phase = 0
        package var quality = Quality.measured
        package var powerW: Double?
        /// 100 x power / consumption.
        package var percentage: Double?
        package var voltageV: Double?
        package var currentA: Double?
        package var powerFactor: Double?

        package init(id: String, name: String, powerW: Double?, percentage: Double?) {
            self.id = id
            self.name = name
            self.powerW = powerW
            self.percentage = percentage
        }
    }
}

/// The words of the model, as the documents list them.
enum Words {
    static let qualities = Quality.allCases.map(\.word)
    static let kinds = CircuitKind.allCases.map(\.word)
    static let totals = [TotalIs.consumption, .grid].map(\.word)
}

extension ReadingReport {
    static let shape = Shape<Self>(
        "Reading",
        [
            .text("instance", "Name of the instance") { $0.instance },
            .text("meter_type") { $0.meterType },
            .flag("is_house", "It stands for the house now") { $0.isHouse },
            .time("timestamp", "When the numbers were read") { $0.timestamp },
            .word("quality", Words.qualities) { $0.quality.word },
            .flag("stale", "The meter is away; these are its last numbers") { $0.isStale },
            .flag("simulated", "Invented: mock stands in for a meter") { $0.isSimulated },
            .optionalNumber("total_power_w", "Watts, as `total_is` says") { $0.totalPowerW },
            .word("total_is", Words.totals) { $0.totalIs.word },
            .optionalNumber("daily_kwh", "Consumption since local midnight") { $0.dailyKWh },
            .optionalNumber("grid_power_w", "+ import, - export") { $0.powers.gridW },
            .optionalNumber("solar_power_w", "+ production") { $0.powers.solarW },
            .optionalNumber("battery_power_w", "+ discharge, - charge") { $0.powers.batteryW },
            .optionalNumber("consumption_power_w") { $0.powers.consumptionW },
            .optionalNumber("unmonitored_power_w", "Use less the top-level circuits") { $0.unmonitoredPowerW },
            .numbers("voltage_v", "Of the phases 1, 2, 3") { $0.voltageV },
            .optionalNumber("frequency_hz") { $0.frequencyHz },
            .list("circuits", Circuit.shape) { $0.circuits },
        ])

    /// `/consumption`: the Python service's keys, and more.
    static let consumption = Shape<Self>(
        "Consumption",
        [
            .optionalNumber("total_power_w", "Watts, as `total_is` says") { $0.totalPowerW },
            .optionalNumber("daily_kwh", "Consumption since local midnight") { $0.dailyKWh },
            .list("circuits", Circuit.consumption) { $0.circuits },
            .time("timestamp", "When the numbers were read") { $0.timestamp },
            .word("total_is", Words.totals) { $0.totalIs.word },
            .text("meter_type") { $0.meterType },
            .word("quality", Words.qualities) { $0.quality.word },
            .flag("stale", "The meter is away; these are its last numbers") { $0.isStale },
            .flag("simulated", "Invented: mock stands in for a meter") { $0.isSimulated },
            .optionalNumber("grid_power_w", "+ import, - export") { $0.powers.gridW },
            .optionalNumber("solar_power_w", "+ production") { $0.powers.solarW },
            .optionalNumber("battery_power_w", "+ discharge, - charge") { $0.powers.batteryW },
            .optionalNumber("consumption_power_w") { $0.powers.consumptionW },
            .optionalNumber("unmonitored_power_w", "Use less the top-level circuits") { $0.unmonitoredPowerW },
        ])
}

extension ReadingReport.Circuit {
    fileprivate static let shape = Shape<Self>(
        "CircuitReading",
        [
            .text("id", "Stable, unique in the instance") { $0.id },
            .text("name") { $0.name },
            .word("kind", Words.kinds) { $0.kind.word },
            .text("parent_id", "The circuit that it hangs on; empty: directly below the mains") { $0.parentID },
            .count("phase", "1 to 3; 0: none, or several") { $0.phase },
            .word("quality", Words.qualities) { $0.quality.word },
            .optionalNumber("power_w", "Watts; the sign follows the kind") { $0.powerW },
            .optionalNumber("percentage", "Of the house's use") { $0.percentage },
            .optionalNumber("voltage_v") { $0.voltageV },
            .optionalNumber("current_a") { $0.currentA },
            .optionalNumber("power_factor") { $0.powerFactor },
        ])

    /// `percentage` is 0 where it is unknown, and `entity_id` the id of any adapter's circuit: the seed's contract.
    fileprivate static let consumption = Shape<Self>(
        "Circuit",
        [
            .text("name") { $0.name },
            .optionalNumber("power_w", "Watts; the sign follows the kind") { $0.powerW },
            .number("percentage", "Of the house's use; 0 where it is unknown") { $0.percentage ?? 0 },
            .text("entity_id", "The circuit's id") { $0.id },
        ])
}

/// `/api/v1/readings`.
package struct ReadingsReport: Sendable {
    var zone: String
    var readings: [ReadingReport]

    static let shape = Shape<Self>(
        "Readings",
        [
            .text("time_zone", "Of the house") { $0.zone },
            .list("readings", ReadingReport.shape, "The one that stands for the house first") { $0.readings },
        ])
}
