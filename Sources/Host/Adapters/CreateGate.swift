import Synchronization

/// Serialises the creates of one library: the only calls of different instances that must not overlap.
final class CreateGate: Sendable {
    private let mutex = Mutex(())

    func pass(_ body: () throws(AdapterFailure) -> Void) throws(AdapterFailure) {
        var outcome: Result<Void, AdapterFailure> = .success(())
        mutex.withLock { _ in
            do throws(AdapterFailure) { try body() } catch { outcome = .failure(error) }
        }
        try outcome.get()
    }
}
