import Delivery
import Observability
import Readings
import Storage

/// What waits to be delivered, since when and why, as an operator sees it.
struct OutboxList {
    /// Nil = delivery is off.
    var destination: String?
    /// Nil = no host runs, or delivery is off.
    var status: DeliveryStatus?
    var isRunning: Bool
    var waiting: [(meter: InstanceIdentity, backlog: Backlog)]
    var rejected: [RejectedLine]

    // MARK: Text

    var text: String {
        var lines = [head]
        if waiting.isEmpty { lines.append("nothing waits to be delivered") }
        for (meter, backlog) in waiting {
            let oldest = backlog.oldest.map(Timestamp.text) ?? "-"
            let newest = backlog.newest.map(Timestamp.text) ?? "-"
            lines.append(
                "\(meter.name)  slots=\(backlog.slots) points=\(backlog.points) oldest=\(oldest) newest=\(newest)")
        }
        for line in rejected {
            lines.append("rejected \(Timestamp.text(line.at))  \(line.line)\n  the server says: \(line.reason)")
        }
        return lines.joined(separator: "\n")
    }

    private var head: String {
        guard let destination else { return "delivery is off: set INFLUXDB_URL to deliver" }
        guard let status else {
            return "to \(destination): \(isRunning ? "not known" : "no host runs here, nothing is being sent")"
        }
        var words = "to \(destination): \(status.state.rawValue)"
        if let since = status.since { words += " since \(Timestamp.text(since))" }
        if let answer = status.lastAnswer { words += ", the last answer: \(answer)" }
        if status.advice != nil, let next = status.nextAttempt { words += ", next try \(Timestamp.text(next))" }
        if let advice = status.advice { words += "\n  \(advice)" }
        return words
    }

    // MARK: JSON

    var json: String {
        var json = JSONWriter()
        json.beginObject()
        json.field("destination", destination)
        json.field("state", destination == nil ? "off" : status?.state.rawValue)
        json.field("since", status?.since)
        json.field("last_answer", status?.lastAnswer)
        json.field("next_attempt", status?.nextAttempt)
        json.key("waiting")
        json.beginArray()
        for (meter, backlog) in waiting {
            json.beginObject()
            json.field("instance", meter.name)
            json.field("slots", backlog.slots)
            json.field("points", backlog.points)
            json.field("oldest", backlog.oldest)
            json.field("newest", backlog.newest)
            json.endObject()
        }
        json.endArray()
        json.key("rejected")
        json.beginArray()
        for line in rejected {
            json.beginObject()
            json.field("at", line.at)
            json.field("line", line.line)
            json.field("reason", line.reason)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
