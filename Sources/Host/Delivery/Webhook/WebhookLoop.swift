package import Observability
package import Platform
import Readings
package import Storage
import Synchronization

/// Tells a webhook of alerts: its thread reads the messages that wait, sends them one by one, and hands what was
/// answered to the pipeline. As `DeliveryLoop`, for another receiver, so that neither ever waits for the other.
package final class WebhookLoop: Sendable {
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

    let options: Options
    let directory: DataDirectory
    let settle: DeliveryLoop.Settle
    let log: Log
    private let status: Mutex<WebhookStatus>
    /// Rung when there is something new: a commit, a reload.
    let news: Doorbell
    /// Rung once, and never silenced: a request under way ends with it.
    let ending: Doorbell
    private let hasReloaded = Atomic<Bool>(false)
    private let thread = Mutex<Thread?>(nil)

    /// - Parameter settle: takes what was answered, and makes it durable.
    package init(
        options: Options, directory: DataDirectory, settle: @escaping DeliveryLoop.Settle, log: Log
    ) throws(SystemError) {
        self.options = options
        self.directory = directory
        self.settle = settle
        self.log = log
        status = Mutex(WebhookStatus(destination: WebhookMessage.label(of: options.url)))
        news = try Doorbell()
        ending = try Doorbell()
    }

    package func start() throws(SystemError) {
        let started = try Thread(name: "webhook") { [self] in
            var work = WebhookWork(loop: self)
            work.run()
        }
        thread.withLock { $0 = started }
    }

    /// Something was committed.
    package func wake() { news.ring() }

    /// A person has changed something: tries at once.
    package func reload() {
        hasReloaded.store(true, ordering: .releasing)
        news.ring()
    }

    package func stop() { ending.ring() }

    package func join(until deadline: Int64) -> Bool {
        thread.withLock { $0 }?.join(until: deadline) ?? true
    }

    package var currentStatus: WebhookStatus { status.withLock { $0 } }

    func update(_ change: (inout WebhookStatus) -> Void) { status.withLock { change(&$0) } }

    /// Whether a reload was asked for since the last time.
    func takeReload() -> Bool { hasReloaded.exchange(false, ordering: .acquiringAndReleasing) }
}
