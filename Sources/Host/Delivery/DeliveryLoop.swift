package import Observability
package import Platform
import Readings
package import Storage
import Synchronization

/// Delivers what waits: its thread reads rows, makes lines of them, sends them, and hands the answers to the pipeline.
package final class DeliveryLoop: Sendable {
    package struct Options: Sendable {
        package var target: InfluxTarget
        package var tags: [(key: String, value: String)]
        /// Read anew after a refusal.
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

    package typealias Settle = @Sendable (Settlement, @escaping @Sendable () -> Void) -> Void

    let options: Options
    let directory: DataDirectory
    let settle: Settle
    let log: Log
    private let status: Mutex<DeliveryStatus>
    /// Rung when there is something new: a commit, a settlement that is durable, a reload.
    let news: Doorbell
    /// Rung once, and never silenced: a request under way ends with it.
    let ending: Doorbell
    private let hasReloaded = Atomic<Bool>(false)
    private let thread = Mutex<Thread?>(nil)

    /// - Parameters:
    ///   - settle: takes what was answered; calls back once that is durable.
    package init(
        options: Options, directory: DataDirectory, settle: @escaping Settle,
        log: Log
    ) throws(SystemError) {
        self.options = options
        self.directory = directory
        self.settle = settle
        self.log = log
        status = Mutex(DeliveryStatus(destination: options.target.label))
        news = try Doorbell()
        ending = try Doorbell()
    }

    package func start() throws(SystemError) {
        let started = try Thread(name: "delivery") { [self] in
            var work = DeliveryWork(loop: self)
            work.run()
        }
        thread.withLock { $0 = started }
    }

    /// Something was committed.
    package func wake() { news.ring() }

    /// Credentials may have changed: tries at once.
    package func reload() {
        hasReloaded.store(true, ordering: .releasing)
        news.ring()
    }

    package func stop() { ending.ring() }

    package func join(until deadline: Int64) -> Bool {
        thread.withLock { $0 }?.join(until: deadline) ?? true
    }

    package var currentStatus: DeliveryStatus { status.withLock { $0 } }

    func update(_ change: (inout DeliveryStatus) -> Void) { status.withLock { change(&$0) } }

    /// Whether a reload was asked for since the last time.
    func takeReload() -> Bool { hasReloaded.exchange(false, ordering: .acquiringAndReleasing) }
}
