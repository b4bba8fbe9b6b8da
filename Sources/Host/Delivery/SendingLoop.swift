package import Observability
package import Platform
package import Storage
import Synchronization

/// What the thread of a `SendingLoop` owns, and what it does.
package protocol SendingWork: SendableMetatype {
    associatedtype Options: Sendable
    associatedtype Status: Sendable
    static var threadName: String { get }
    /// Before anything was sent.
    static func status(_ options: Options) -> Status
    init(loop: SendingLoop<Self>)
    /// Until the loop is ending.
    mutating func run()
}

/// Sends what waits in the store to one receiver: its thread reads what is new, sends it, and hands the answers to the
/// pipeline. Each receiver has a loop of its own, so that none ever waits for another.
package final class SendingLoop<Work: SendingWork>: Sendable {
    package typealias Options = Work.Options
    package typealias Settle = @Sendable (Settlement, @escaping @Sendable () -> Void) -> Void

    let options: Options
    let directory: DataDirectory
    let settle: Settle
    let log: Log
    private let status: Mutex<Work.Status>
    /// Rung when there is something new: a commit, a settlement that is durable, a reload.
    let news: Doorbell
    /// Rung once, and never silenced: a request under way ends with it.
    let ending: Doorbell
    private let hasReloaded = Atomic<Bool>(false)
    private let thread = Mutex<Thread?>(nil)

    /// - Parameter settle: takes what was answered; calls back once that is durable.
    package init(
        options: Options, directory: DataDirectory, settle: @escaping Settle, log: Log
    ) throws(SystemError) {
        self.options = options
        self.directory = directory
        self.settle = settle
        self.log = log
        status = Mutex(Work.status(options))
        news = try Doorbell()
        ending = try Doorbell()
    }

    package func start() throws(SystemError) {
        let started = try Thread(name: Work.threadName) { [self] in
            var work = Work(loop: self)
            work.run()
        }
        thread.withLock { $0 = started }
    }

    /// Something was committed.
    package func wake() { news.ring() }

    /// A person has changed something, such as credentials: tries at once.
    package func reload() {
        hasReloaded.store(true, ordering: .releasing)
        news.ring()
    }

    package func stop() { ending.ring() }

    package func join(until deadline: Int64) -> Bool {
        thread.withLock { $0 }?.join(until: deadline) ?? true
    }

    package var currentStatus: Work.Status { status.withLock { $0 } }

    // MARK: The work's side

    var isEnding: Bool { Poll.readable(ending.number, until: 0) }

    func update(_ change: (inout Work.Status) -> Void) { status.withLock { change(&$0) } }

    /// Whether a reload was asked for since the last time.
    func takeReload() -> Bool { hasReloaded.exchange(false, ordering: .acquiringAndReleasing) }
}
