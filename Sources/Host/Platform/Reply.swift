import Synchronization

/// An answer that another thread is waiting for.
package final class Reply<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let doorbell: Doorbell

    package init() throws(SystemError) {
        doorbell = try Doorbell()
    }

    package func give(_ answer: Value) {
        value.withLock { $0 = answer }
        doorbell.ring()
    }

    /// Nil at the deadline (monotonic ns).
    package func wait(until deadline: Int64?) -> Value? {
        doorbell.wait(until: deadline)
        return value.withLock { $0 }
    }
}
