import Synchronization

/// The newest emission of each instance: what "now" shows. Written by the adapters' threads, read by the API.
public final class LiveBoard: Sendable {
    private let latest = Mutex<[Int: Emission]>([:])
    private let published = Atomic<Int>(0)

    public init() {}

    /// Replaces the instance's newest emission; an older one than what is there changes nothing.
    public func publish(_ emission: Emission) {
        latest.withLock { latest in
            if let known = latest[emission.instance], known.timestamp > emission.timestamp { return }
            latest[emission.instance] = emission
        }
        published.add(1, ordering: .releasing)
    }

    /// Rises with every change.
    public var count: Int { published.load(ordering: .acquiring) }

    public func newest(of instance: Int) -> Emission? {
        latest.withLock { $0[instance] }
    }

    /// The instance is gone.
    public func forget(_ instance: Int) {
        latest.withLock { $0[instance] = nil }
        published.add(1, ordering: .releasing)
    }
}
