package import Readings
package import Storage

/// How delivery is doing, for people.
package struct DeliveryStatus: Sendable {
    package enum State: String, Sendable {
        /// Everything is delivered.
        case idle
        case delivering
        /// The server does not answer, or asked for patience.
        case retrying
        case unauthorized
        case missingBucket = "missing_bucket"
        case misconfigured
        /// What waits cannot be read from the store.
        case unreadable
    }

    package var state = State.idle
    package var since: Instant?
    package var destination: String
    package var api: String?
    /// The server's last words.
    package var lastAnswer: String?
    package var lastSuccess: Instant?
    package var nextAttempt: Instant?
    /// Lines since the start.
    package var delivered = 0
    package var rejected = 0
    package var backlog = Backlog()
    /// Of the lines that were written last, on average.
    package var bytesPerLine = 0.0

    package init(destination: String) {
        self.destination = destination
    }

    /// For /health: what a person can do; nil where nothing is needed.
    package var advice: String? {
        switch state {
        case .idle, .delivering: nil
        case .retrying: "check that the server runs and can be reached; nothing is lost meanwhile"
        case .unauthorized:
            "check INFLUXDB_TOKEN (or INFLUXDB_USERNAME and INFLUXDB_PASSWORD); nothing is lost meanwhile"
        case .missingBucket:
            "create the bucket or database, or correct INFLUXDB_BUCKET and INFLUXDB_ORG; nothing is lost meanwhile"
        case .unreadable: "check the disk that holds DATA_DIR; smart-meter outbox verify says what is damaged"
        case .misconfigured: "check INFLUXDB_URL and INFLUXDB_API; nothing is lost meanwhile"
        }
    }
}
