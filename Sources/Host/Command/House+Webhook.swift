import API
import Delivery
import Observability

extension House {
    /// Alerts that nobody hears of.
    func webhookFaults() -> [HealthReport.Fault] {
        guard let status = webhook?.currentStatus, let fault = status.fault else { return [] }
        let messages = status.waiting == 1 ? "1 message waits" : "\(status.waiting) messages wait"
        return [
            .init(
                .degraded,
                what: "the webhook at \(status.destination) takes no alerts: \(log.redacted(fault.words)); \(messages)",
                since: fault.since, todo: "\(fault.todo); nothing is lost meanwhile")
        ]
    }
}
