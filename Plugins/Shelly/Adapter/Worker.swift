import AdapterKit
import CMosquitto
import Glibc
import Synchronization

/// A thread of the adapter's own, which its owner joins.
final class Worker: Sendable {
    private let body: Mutex<(@Sendable () -> Void)?>
    private let hasEnded = Atomic<Bool>(false)
    private let end: Bell

    private static let stackBytes = 256 * 1024

    init(_ body: @escaping @Sendable () -> Void) throws(AdapterError) {
        self.body = Mutex(body)
        end = try Bell()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, Self.stackBytes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // The thread takes this reference over in `runWorker`.
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        var handle = pthread_t()
        let code = unsafe pthread_create(&handle, &attributes, runWorker, context)
        guard code == 0 else {
            unsafe Unmanaged<Worker>.fromOpaque(context).release()
            throw AdapterError(.failed, "no thread: errno \(code)")
        }
    }

    /// Waits for the body to return; false where it has not within the time.
    @discardableResult
    func join(milliseconds: Int32) -> Bool {
        if !hasEnded.load(ordering: .acquiring) {
            _ = Bell.wait(for: [(end.descriptor, Int32(POLLIN))], milliseconds: milliseconds)
        }
        return hasEnded.load(ordering: .acquiring)
    }

    fileprivate func run() {
        unsafe sm_name_this_thread("shelly")
        // TLS writes without MSG_NOSIGNAL: a broker that leaves must not end the process.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let body = body.withLock { body in
            defer { body = nil }
            return body
        }
        body?()
        hasEnded.store(true, ordering: .releasing)
        end.ring()
    }
}

/// C's way in: a nonisolated function, as pthread_create wants one.
private func runWorker(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    unsafe Unmanaged<Worker>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
