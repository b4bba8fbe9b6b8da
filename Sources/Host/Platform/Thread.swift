import CLinux
import Glibc
import Synchronization

/// A POSIX thread with a name, a small stack and an owner that joins it.
package final class Thread: Sendable {
    package let name: String
    private let finished: Doorbell
    private let ended = Atomic<Bool>(false)

    private final class Start: Sendable {
        let thread: Thread
        let body: Mutex<(@Sendable () -> Void)?>
        init(thread: Thread, body: @escaping @Sendable () -> Void) {
            self.thread = thread
            self.body = Mutex(body)
        }
    }

    /// Starts a detached thread that runs `body`. Stacks are small on purpose: 256 KB unless said otherwise.
    package init(
        name: String, stackBytes: Int = 256 * 1024, body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        self.name = name
        finished = try Doorbell()

        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackBytes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { unsafe pthread_attr_destroy(&attributes) }

        let start = Start(thread: self, body: body)
        // The new thread takes this reference over in `threadMain`.
        let context = unsafe Unmanaged.passRetained(start).toOpaque()
        var handle = pthread_t()
        let code = unsafe pthread_create(&handle, &attributes, threadMain, context)
        guard code == 0 else {
            unsafe Unmanaged<Start>.fromOpaque(context).release()
            throw SystemError("pthread_create", code)
        }
    }

    /// Whether the body has returned.
    package var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// Waits for the body to return, until `deadline` (monotonic ns; nil = for ever). False where it has not.
    @discardableResult
    package func join(until deadline: Int64? = nil) -> Bool {
        if hasEnded { return true }
        _ = Poll.readable(finished.number, until: deadline)
        return hasEnded
    }

    fileprivate static func run(_ context: UnsafeMutableRawPointer?) {
        guard let context = unsafe context else { return }
        let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        _ = unsafe start.thread.name.withCString { name in unsafe sm_thread_name(name) }
        let body = start.body.withLock { body in
            defer { body = nil }
            return body
        }
        body?()
        start.thread.ended.store(true, ordering: .releasing)
        start.thread.finished.ring()
    }
}

/// C's way in: a nonisolated function, as pthread_create wants one.
private func threadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    unsafe Thread.run(context)
    return nil
}
