import Foundation
import Synchronization

/// Asks a path of a server again and again, and remembers how it was answered.
public final class Witness: Sendable {
    public struct Testimony: Sendable {
        public var answers = 0
        /// What went wrong.
        public var failures: [String] = []
        public var longestSeconds = 0.0
    }

    private struct State {
        var testimony = Testimony()
        var isStopping = false
        var hasStopped = false
    }

    private final class Shared: Sendable { let state = Mutex(State()) }

    private let shared = Shared()

    public init(_ port: UInt16, _ path: String) {
        let shared = shared
        Thread.detachNewThread {
            while !shared.state.withLock({ $0.isStopping }) {
                let begin = ContinuousClock.now
                let failure: String?
                do {
                    let status = try HTTP.get(port, path, timeout: 5).status
                    failure = status == 200 ? nil : "\(status)"
                } catch {
                    failure = "\(error)"
                }
                let seconds = (ContinuousClock.now - begin) / .seconds(1)
                shared.state.withLock { state in
                    state.testimony.answers += 1
                    state.testimony.longestSeconds = max(state.testimony.longestSeconds, seconds)
                    if let failure { state.testimony.failures.append(failure) }
                }
                usleep(50_000)
            }
            shared.state.withLock { $0.hasStopped = true }
        }
    }

    deinit { shared.state.withLock { $0.isStopping = true } }

    /// What it has seen, once it has stopped asking.
    public func finish() throws -> Testimony {
        shared.state.withLock { $0.isStopping = true }
        try waitUntil("the last answer") { shared.state.withLock { $0.hasStopped } }
        return shared.state.withLock { $0.testimony }
    }
}
