import Readings

/// Tells a webhook of alerts.
package typealias WebhookLoop = SendingLoop<WebhookWork>

extension WebhookWork {
    package struct Options: Sendable {
        package var url: String
        /// Signs messages; read anew for each of them. Nil = they are not signed.
        package var secret: @Sendable () -> String?
        /// Nanoseconds that an answer may take.
        package var answerTime = 10 * Duration.second
        /// The longest pause after failures.
        package var longestPause = 5 * Duration.minute
        /// 0 to 1.
        package var random: @Sendable () -> Double = { Double.random(in: 0...1) }

        package init(url: String, secret: @escaping @Sendable () -> String?) {
            self.url = url
            self.secret = secret
        }
    }
}
