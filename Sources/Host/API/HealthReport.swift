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

    package enum Status: String, Sendable {
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
        package var attempts: UInt64 = 0
        package var failures: UInt64 = 0
        package var consecutiveFailures: UInt64 = 0
        package var lastSuccess: Instant?
        package var lastError: String?
        package var lastErrorAt: Instant?
        package var nextRun: Instant?
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
        package var backlogPoints: Int64 = 0
        package var oldestWaiting: Instant?
        package var lastAnswer: String?
        package var lastSuccess: Instant?
        /// Points, since the start.
        package var delivered: UInt64 = 0
        package var rejected: UInt64 = 0

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

    package var totalFetches: UInt64 { adapters.reduce(0) { $0 &+ $1.attempts } }
    package var failedFetches: UInt64 { adapters.reduce(0) { $0 &+ $1.failures } }
    package var lastSuccessfulFetch: Instant? { adapters.compactMap(\.lastSuccess).max() }

    /// 0 to 1; 0 before the first fetch.
    package var successRate: Double {
        let total = totalFetches
        return total == 0 ? 0 : max(0, 1 - Double(failedFetches) / Double(total))
    }
}
