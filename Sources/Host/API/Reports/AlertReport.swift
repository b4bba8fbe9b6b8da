package import Readings

/// An alert's episode.
package struct AlertReport: Sendable {
    /// The same in InfluxDB and in messages.
    package var id: String
    package var instance: String
    package var kind: String
    package var start: Instant
    /// Nil while it goes on.
    package var end: Instant?
    /// Nil where it is not about power.
    package var peakW: Double?
    package var detail: String

    package init(
        id: String, instance: String, kind: String, start: Instant, end: Instant?, peakW: Double?, detail: String
    ) {
        self.id = id
        self.instance = instance
        self.kind = kind
        self.start = start
        self.end = end
        self.peakW = peakW
        self.detail = detail
    }

    /// What a request asks for.
    package struct Question: Sendable {
        package enum State: String, CaseIterable, Sendable {
            case all, raised, ended
        }

        package var state: State
        package var before: Instant?
        package var limit: Int
    }

    static let shape = Shape<Self>(
        "Alert",
        [
            .text("id") { $0.id },
            .text("instance") { $0.instance },
            .text("kind", "high_consumption, phantom_load, no_data or adapter_failing; more may come") { $0.kind },
            .word("state", ["raised", "ended"]) { $0.end == nil ? "raised" : "ended" },
            .time("started_at") { $0.start },
            .optionalTime("ended_at") { $0.end },
            .optionalNumber("peak_w", "Null for an alert that is not about power") { $0.peakW },
            .text("detail", "One line for a person") { $0.detail },
        ])

    /// `/api/v1/alerts`.
    static let list = Shape<[Self]>("Alerts", [.list("alerts", shape, "Those that began last first") { $0 }])
}
