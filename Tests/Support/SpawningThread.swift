import Dispatch
import Foundation
import Synchronization

/// The one thread that starts children. Linux' parent-death signal fires when the *thread* that forked ends, so
/// that thread has to live as long as the process.
enum SpawningThread {
    private static let jobs = Mutex<[@Sendable () -> Void]>([])
    private static let bell = DispatchSemaphore(value: 0)
    private static let started: Void = Thread.detachNewThread {
        while true {
            bell.wait()
            jobs.withLock { $0.removeFirst() }()
        }
    }

    static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result? {
        started
        let result = Mutex<Result?>(nil)
        let done = DispatchSemaphore(value: 0)
        jobs.withLock {
            $0.append {
                let made = body()
                result.withLock { $0 = made }
                done.signal()
            }
        }
        bell.signal()
        done.wait()
        return result.withLock { $0 }
    }
}
