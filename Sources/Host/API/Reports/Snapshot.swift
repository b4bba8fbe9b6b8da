import Readings

/// The first event of a stream: what is the newest of everything.
struct Snapshot {
    var time: Instant
    var zone: String
    var version: String
    var readings: [ReadingReport]
    /// Those that have not ended.
    var alerts: [AlertReport]
    var adapters: [AdapterReport]
    var delivery: DeliveryReport
    var health: HealthReport

    static let shape = Shape<Self>(
        "Snapshot",
        [
            .time("time", "What the clock of the house showed") { $0.time },
            .text("time_zone", "Of the house") { $0.zone },
            .text("version") { $0.version },
            .list("readings", ReadingReport.shape, "The one that stands for the house first") { $0.readings },
            .list("alerts", AlertReport.shape, "Those that have not ended") { $0.alerts },
            .list("adapters", AdapterReport.status) { $0.adapters },
            .object("delivery", DeliveryReport.status) { $0.delivery },
            .object("health", HealthReport.change) { $0.health },
        ])
}

/// An event now and then, and when the clock was set: a client's own clock may show anything.
enum HouseClock {
    static let shape = Shape<Instant>("Clock", [.time("time", "What the clock of the house showed") { $0 }])
}
