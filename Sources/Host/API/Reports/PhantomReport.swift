import Observability

/// What the house draws at night, night by night.
package struct PhantomReport: Sendable {
    package var instance: String
    /// Watts above which a night is an alert.
    package var thresholdW: Double
    package var currency: String?
    /// Newest first.
    package var nights: [Night] = []

    package init(instance: String, thresholdW: Double, currency: String?) {
        self.instance = instance
        self.thresholdW = thresholdW
        self.currency = currency
    }

    package struct Night: Sendable {
        /// YYYY-MM-DD.
        package var date: String
        /// Nil = unknown, and `reason` says why.
        package var powerW: Double?
        package var reason: String?
        package var coverage: Double
        package var isHigh: Bool
        package var kWhPerYear: Double?
        package var costPerYear: Double?
        package var circuits: [Circuit] = []

        package init(date: String, powerW: Double?, reason: String?, coverage: Double, isHigh: Bool) {
            self.date = date
            self.powerW = powerW
            self.reason = reason
            self.coverage = coverage
            self.isHigh = isHigh
        }
    }

    package struct Circuit: Sendable {
        package var id: String
        package var name: String
        package var powerW: Double
        package var kWhPerYear: Double
        package var costPerYear: Double?

        package init(id: String, name: String, powerW: Double, kWhPerYear: Double, costPerYear: Double?) {
            self.id = id
            self.name = name
            self.powerW = powerW
            self.kWhPerYear = kWhPerYear
            self.costPerYear = costPerYear
        }
    }
}

extension PhantomReport {
    static let shape = Shape<Self>(
        "Phantom",
        [
            .text("instance") { $0.instance },
            .number("threshold_w", "Above it a night is an alert") { $0.thresholdW },
            .optionalText("currency", "Of the costs") { $0.currency },
            .list("nights", Night.shape, "Newest first") { $0.nights },
        ])
}

extension PhantomReport.Night {
    fileprivate static let shape = Shape<Self>(
        "Night",
        [
            Shape.Field("date", "Local", .date) { $1.value($0.date) },
            .optionalNumber("power_w", "10th percentile of the use between 3 and 4; null: unknown") { $0.powerW },
            .optionalText("reason", "Why it is unknown") { $0.reason },
            .number("coverage", "Measured part of the hour, 0 to 1") { $0.coverage },
            .flag("is_high", "Above the threshold") { $0.isHigh },
            .optionalNumber("kwh_per_year") { $0.kWhPerYear },
            .optionalNumber("cost_per_year", "At the tariff of now") { $0.costPerYear },
            .list("circuits", PhantomReport.Circuit.shape, "Those behind it, largest first") { $0.circuits },
        ])
}

extension PhantomReport.Circuit {
    fileprivate static let shape = Shape<Self>(
        "PhantomCircuit",
        [
            .text("id") { $0.id },
            .text("name") { $0.name },
            .number("power_w") { $0.powerW },
            .number("kwh_per_year") { $0.kWhPerYear },
            .optionalNumber("cost_per_year") { $0.costPerYear },
        ])
}
