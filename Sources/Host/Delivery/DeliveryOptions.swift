import Readings

/// Delivers slots and alerts to InfluxDB.
package typealias DeliveryLoop = SendingLoop<DeliveryWork>

extension DeliveryWork {
    package struct Options: Sendable {
        package var target: InfluxTarget
        package var tags: [(key: String, value: String)]
        /// Read anew after a refusal, and with a reload.
        package var credentials: @Sendable () -> InfluxCredentials
        /// The most lines of a batch, and its most bytes.
        package var batchLines = 5000
        package var batchBytes = 1 << 20
        /// Nanoseconds that an answer may take.
        package var answerTime = 20 * Duration.second
        /// The longest pause after failures, and the pause where a person has to act.
        package var longestPause = 60 * Duration.second
        package var slowPause = 60 * Duration.second
        /// 0 to 1.
        package var random: @Sendable () -> Double = { Double.random(in: 0...1) }

        package init(
            target: InfluxTarget, tags: [(key: String, value: String)],
            credentials: @escaping @Sendable () -> InfluxCredentials
        ) {
            self.target = target
            self.tags = tags
            self.credentials = credentials
        }
    }
}
