import Configuration
import Observability
import Synchronization

/// What messages to the webhook are signed with, as files and `.env` say now. While they cannot be read it stays as it
/// was: a message without its signature would be refused, or believed.
final class WebhookSecret: Sendable {
    private let known: Mutex<String?>
    private let log: Log

    init(_ settings: Settings, _ log: Log) {
        known = Mutex(settings.host.alertWebhookSecret)
        self.log = log
    }

    var current: String? {
        let now = Settings.read()
        guard now.problems.isEmpty else { return known.withLock { $0 } }
        log.register(secrets: now.secrets)
        known.withLock { $0 = now.host.alertWebhookSecret }
        return now.host.alertWebhookSecret
    }
}
