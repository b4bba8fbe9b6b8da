package import Readings

/// The way to InfluxDB.
package struct DeliveryReport: Sendable {
    package var state: String
    package var since: Instant?
    /// Where to, without secrets; nil where delivery is off.
    package var destination: String?
    /// Which write interface is spoken.
    package var interface: String?
    /// What a person can do; nil where nothing is needed.
    package var todo: String?
    package var backlog = Backlog()
    package var lastAnswer: String?
    package var lastSuccess: Instant?
    package var nextAttempt: Instant?
    /// Lines since the start.
    package var delivered = 0
    /// Lines in the store.
    package var rejected = 0
    /// From the store.
    package var instances: [InstanceBacklog] = []
    package var rejectedLines: [RejectedLine] = []

    package init(state: String) {
        self.state = state
    }

    /// What waits.
    package struct Backlog: Sendable {
        package var slots = 0
        package var points = 0
        package var bytes = 0
        package var oldest: Instant?
        package var newest: Instant?

        package init() {}
    }

    package struct InstanceBacklog: Sendable {
        package var instance: String
        package var slots: Int
        package var points: Int
        package var oldest: Instant?
        package var newest: Instant?

        package init(instance: String, slots: Int, points: Int, oldest: Instant?, newest: Instant?) {
            self.instance = instance
            self.slots = slots
            self.points = points
            self.oldest = oldest
            self.newest = newest
        }
    }

    /// A line that the server will not take, with its words.
    package struct RejectedLine: Sendable {
        package var at: Instant
        package var line: String
        package var reason: String

        package init(at: Instant, line: String, reason: String) {
            self.at = at
            self.line = line
            self.reason = reason
        }
    }
}

extension DeliveryReport {
    private static let states = [
        "off", "idle", "delivering", "retrying", "unauthorized", "missing_bucket", "misconfigured", "unreadable",
    ]

    /// What is known without the store.
    static let status = Shape<Self>(
        "DeliveryStatus",
        [
            .word("state", states) { $0.state },
            .optionalTime("since", "When the state began") { $0.since },
            .optionalText("destination", "Null where delivery is off") { $0.destination },
            .optionalText("api", "The write interface that is spoken: v1, v2 or v3") { $0.interface },
            .optionalText("todo", "What a person can do") { $0.todo },
            .object("backlog", Backlog.shape, "What waits") { $0.backlog },
            .optionalText("last_answer") { $0.lastAnswer },
            .optionalTime("last_success") { $0.lastSuccess },
            .optionalTime("next_attempt") { $0.nextAttempt },
            .count("delivered", "Lines since the start") { $0.delivered },
            .count("rejected", "Lines in the store") { $0.rejected },
        ])

    static let shape = Shape<Self>(
        "Delivery",
        status.fields + [
            .list("instances", InstanceBacklog.shape, "What waits of each instance") { $0.instances },
            .list("rejected_lines", RejectedLine.shape, "Newest first") { $0.rejectedLines },
        ])
}

extension DeliveryReport.Backlog {
    fileprivate static let shape = Shape<Self>(
        "Backlog",
        [
            .count("slots") { $0.slots },
            .count("points", "Lines, about") { $0.points },
            .count("bytes", "Estimated from the lines that were written last") { $0.bytes },
            .optionalTime("oldest") { $0.oldest },
            .optionalTime("newest") { $0.newest },
        ])
}

extension DeliveryReport.InstanceBacklog {
    fileprivate static let shape = Shape<Self>(
        "InstanceBacklog",
        [
            .text("instance") { $0.instance },
            .count("slots") { $0.slots },
            .count("points", "Lines, about") { $0.points },
            .optionalTime("oldest") { $0.oldest },
            .optionalTime("newest") { $0.newest },
        ])
}

extension DeliveryReport.RejectedLine {
    fileprivate static let shape = Shape<Self>(
        "RejectedLine",
        [
            .time("at") { $0.at },
            .text("line", "Line protocol") { $0.line },
            .text("reason", "The server's words") { $0.reason },
        ])
}
