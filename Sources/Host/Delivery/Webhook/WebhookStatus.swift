package import Readings

/// How the webhook is doing, for people.
package struct WebhookStatus: Sendable {
    /// Why messages wait.
    package struct Fault: Sendable {
        /// What the receiver answered, or why it did not.
        package var words: String
        /// What a person can do.
        package var todo: String
        /// When it began.
        package var since: Instant
    }

    /// Scheme, host and port: what follows in the address may be a secret.
    package var destination: String
    package var fault: Fault?
    /// Messages that wait.
    package var waiting = 0
    /// Messages taken by the receiver, since the start.
    package var sent = 0
    package var lastSuccess: Instant?
    package var nextAttempt: Instant?

    init(destination: String) {
        self.destination = destination
    }
}

/// Why a message was not taken.
struct WebhookFailure {
    var words: String
    var todo: String
    /// Nanoseconds to wait at least.
    var pause: Int64 = 0

    private static let busy = "check that the receiver runs and can be reached"

    /// For an answer that is not 2xx.
    init(status: Int, retryAfter: Int64) {
        words = "it answers with HTTP status \(status)"
        pause = retryAfter
        todo =
            switch status {
            case 300..<400: "set ALERT_WEBHOOK_URL to where it redirects: redirects are not followed"
            case 401, 403: "check ALERT_WEBHOOK_URL, and that the receiver knows ALERT_WEBHOOK_SECRET"
            case 408, 429: Self.busy
            case 404, 405, 410: "check ALERT_WEBHOOK_URL"
            case 400..<500: "see what the receiver has against the message"
            default: Self.busy
            }
    }

    /// For no answer.
    init(words: String, isAddress: Bool) {
        self.words = words
        todo = isAddress ? "check ALERT_WEBHOOK_URL and the receiver's certificate" : Self.busy
    }

    /// For a store that does not tell what waits.
    init(store words: String) {
        self.words = "the store cannot be read: \(words)"
        todo = "check the disk that holds DATA_DIR"
    }
}
