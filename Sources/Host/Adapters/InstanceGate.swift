import Platform
import Synchronization

/// Where an instance stands, as its services act on it: they answer from the entry of start to the return of stop, and
/// once it is stopping they take no more readings and ask no more servers.
final class InstanceGate: Sendable {
    private let opened = Atomic<Bool>(false)
    private let cancelled = Atomic<Bool>(false)
    /// Readable while calls should return; nil once the instance is gone.
    private let bell: Mutex<Doorbell?>

    init() throws(SystemError) {
        bell = Mutex(try Doorbell())
    }

    /// Between the entry of start and the return of stop.
    var isOpen: Bool { opened.load(ordering: .acquiring) }
    /// Whether a running call should return.
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    /// Becomes readable with `isCancelled`; -1 once the instance is gone.
    var cancelDescriptor: Int32 { bell.withLock { $0?.number } ?? -1 }

    func open() { opened.store(true, ordering: .releasing) }

    /// The next life begins; whoever cancelled the last one has done so.
    func renew() {
        bell.withLock { $0?.silence() }
        cancelled.store(false, ordering: .releasing)
    }

    /// Until the next life.
    func cancel() {
        cancelled.store(true, ordering: .releasing)
        bell.withLock { $0?.ring() }
    }

    func close() { opened.store(false, ordering: .releasing) }

    func retire() { bell.withLock { $0 = nil } }
}
