package import Platform
package import Readings

/// Everything that `/metrics` tells, at one moment.
package struct MetricsReport: Sendable {
    package var version: String
    package var now: Instant
    package var startedAt: Instant
    package var health: HealthReport.Status
    package var meters: [Meter]
    package var delivery: DeliveryReport
    package var rejectedSinceStart: Int
    package var store: Store
    /// Those that go on.
    package var alerts: [AlertReport]
    package var process: ProcessUsage

    package init(
        version: String, now: Instant, startedAt: Instant, health: HealthReport.Status, meters: [Meter],
        delivery: DeliveryReport,
        rejectedSinceStart: Int, store: Store, alerts: [AlertReport], process: ProcessUsage
    ) {
        self.version = version
        self.now = now
        self.startedAt = startedAt
        self.health = health
        self.meters = meters
        self.delivery = delivery
        self.rejectedSinceStart = rejectedSinceStart
        self.store = store
        self.alerts = alerts
        self.process = process
    }

    /// One instance.
    package struct Meter: Sendable {
        package var adapter: AdapterReport
        /// Nil while it is away: what is old is no measurement.
        package var reading: ReadingReport?
        /// Since its newest reading, that of the run before included; nil before the first.
        package var readingAgeSeconds: Double?
        /// The host's counters.
        package var energyKWh = Flows<Double?>(repeating: nil)
        package var circuits: [Circuit] = []
        package var durations = Durations()

        package init(adapter: AdapterReport) {
            self.adapter = adapter
        }
    }

    package struct Circuit: Sendable {
        package var id: String
        package var name: String
        package var energyKWh: Double

        package init(id: String, name: String, energyKWh: Double) {
            self.id = id
            self.name = name
            self.energyKWh = energyKWh
        }
    }

    /// A histogram.
    package struct Durations: Sendable {
        /// Upper bounds in seconds, and how many were not longer.
        package var buckets: [(bound: Double, count: Int)] = []
        package var count = 0
        package var sumSeconds = 0.0

        package init() {}
    }

    package struct Store: Sendable {
        package var isUp = true
        package var waiting = 0
        package var lost = 0
        /// Slots that were never delivered: given up by an operator, and too old.
        package var dropped = 0
        package var expired = 0

        package init() {}
    }
}
