package import Readings

/// How the host fares, at one moment.
package struct HealthReport: Sendable {
    package var version: String
    package var timestamp: Instant
    package var uptimeSeconds: Double
    package var adapters: [Adapter]
    package var delivery: Delivery
    /// Everything that is wrong, worst or not; the status follows from it alone.
    package var problems: [Fault]

    package init(
        version: String, timestamp: Instant, uptimeSeconds: Double, adapters: [Adapter] = [],
        delivery: Delivery = Delivery(state: "off"), problems: [Fault] = []
    ) {
        self.version = version
        self.timestamp = timestamp
        self.uptimeSeconds = uptimeSeconds
        self.adapters = adapters
        self.delivery = delivery
        self.problems = problems
    }

    package enum Status: String, CaseIterable, Sendable {
        case healthy, degraded, unhealthy
    }

    /// Something wrong, in words for the person who can mend it.
    package struct Fault: Sendable {
        package enum Severity: Sendable {
            /// Something is missing, the rest works.
            case degraded
            /// The service does not do what it is for.
            case unhealthy
        }

        package var severity: Severity
        package var what: String
        package var since: Instant?
        package var todo: String

        package init(_ severity: Severity, what: String, since: Instant? = nil, todo: String) {
            self.severity = severity
            self.what = what
            self.since = since
            self.todo = todo
        }
    }

    /// One instance of an adapter.
    package struct Adapter: Sendable {
        /// `type` or `type@label`.
        package var instance: String
        package var meterType: String
        package var state: String
        package var since: Instant?
        package var attempts: Int = 0
        package var failures: Int = 0
        package var consecutiveFailures: Int = 0
        package var lastSuccess: Instant?
        package var lastError: String?
        package var lastErrorAt: Instant?
        package var nextRun: Instant?
        /// Slots that its own log is still to be asked for; nil = it has none.
        package var missingSlots: Int?
        /// It stands in for a meter that is not configured or away.
        package var isSimulated = false

        package init(instance: String, meterType: String, state: String) {
            self.instance = instance
            self.meterType = meterType
            self.state = state
        }
    }

    /// The way to InfluxDB.
    package struct Delivery: Sendable {
        package var state: String
        /// Where to, without secrets; nil where delivery is off.
        package var destination: String?
        package var backlogPoints = 0
        package var oldestWaiting: Instant?
        package var lastAnswer: String?
        package var lastSuccess: Instant?
        /// Points, since the start.
        package var delivered: Int = 0
        package var rejected: Int = 0

        package init(state: String) {
            self.state = state
        }
    }
}

extension HealthReport {
    package var status: Status {
        if problems.contains(where: { $0.severity == .unhealthy }) { return .unhealthy }
        return problems.isEmpty ? .healthy : .degraded
    }

    package var isReady: Bool { status != .unhealthy }

    package var totalFetches: Int { adapters.reduce(0) { $0 + $1.attempts } }
    package var failedFetches: Int { adapters.reduce(0) { $0 + $1.failures } }
    package var lastSuccessfulFetch: Instant? { adapters.compactMap(\.lastSuccess).max() }

    /// 0 to 1; 0 before the first fetch.
    package var successRate: Double {
        let total = totalFetches
        return total == 0 ? 0 : max(0, 1 - Double(failedFetches) / Double(total))
    }
}

extension HealthReport {
    /// The Python service's keys: all that is told without `API_TOKEN` where one is set.
    static let contract = Shape<Self>(
        "HealthSummary",
        [
            .word("status", Status.allCases.map(\.rawValue), "Follows from `problems`") { $0.status.rawValue },
            .text("service") { _ in "smart-meter-service" },
            .number("uptime_seconds") { $0.uptimeSeconds },
            .optionalTime("last_successful_fetch", "Of any instance") { $0.lastSuccessfulFetch },
            .count("total_fetches", "Attempts of all instances, since the start") { $0.totalFetches },
            .count("failed_fetches") { $0.failedFetches },
            .number("success_rate", "0 to 1; 0 before the first fetch") { $0.successRate },
            .time("timestamp", "Now") { $0.timestamp },
        ])

    static let shape = Shape<Self>(
        "Health",
        contract.fields + [
            .text("version") { $0.version },
            .list("problems", Fault.shape, "Everything that is wrong") { $0.problems },
            .list("adapters", Adapter.shape) { $0.adapters },
            .object("delivery", Delivery.shape) { $0.delivery },
        ])

    /// The event `health`.
    static let change = Shape<Self>(
        "HealthChange",
        [
            .word("status", Status.allCases.map(\.rawValue)) { $0.status.rawValue },
            .list("problems", Fault.shape) { $0.problems },
        ])
}

extension HealthReport.Fault {
    fileprivate static let shape = Shape<Self>(
        "Fault",
        [
            .word("severity", ["degraded", "unhealthy"]) { $0.severity == .unhealthy ? "unhealthy" : "degraded" },
            .text("what", "What is wrong, for a person") { $0.what },
            .optionalTime("since") { $0.since },
            .text("todo", "What can be done about it") { $0.todo },
        ])
}

extension HealthReport.Adapter {
    fileprivate static let shape = Shape<Self>(
        "AdapterHealth",
        [
            .text("instance") { $0.instance },
            .text("meter_type") { $0.meterType },
            .text("state") { $0.state },
            .optionalTime("since", "When the state began") { $0.since },
            .count("attempts") { $0.attempts },
            .count("failures") { $0.failures },
            .count("consecutive_failures") { $0.consecutiveFailures },
            .optionalTime("last_success") { $0.lastSuccess },
            .optionalText("last_error") { $0.lastError },
            .optionalTime("last_error_at") { $0.lastErrorAt },
            .optionalTime("next_run") { $0.nextRun },
            .optionalCount("missing_slots", "That its own log is still to be asked for; null: it has none") {
                $0.missingSlots
            },
            .flag("simulated", "It stands in for a meter") { $0.isSimulated },
        ])
}

extension HealthReport.Delivery {
    fileprivate static let shape = Shape<Self>(
        "DeliveryHealth",
        [
            .text("state") { $0.state },
            .optionalText("destination") { $0.destination },
            .count("backlog_points", "Lines that wait") { $0.backlogPoints },
            .optionalTime("oldest_waiting") { $0.oldestWaiting },
            .optionalText("last_answer") { $0.lastAnswer },
            .optionalTime("last_success") { $0.lastSuccess },
            .count("delivered", "Lines since the start") { $0.delivered },
            .count("rejected", "Lines in the store") { $0.rejected },
        ])
}
