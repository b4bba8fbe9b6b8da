import Glibc
import Platform
import Readings

/// Where connections come in. Without a descriptor left for one it closes for a moment instead of asking again and again.
struct Entrance: ~Copyable {
    private let listener: FileDescriptor
    /// Monotonic ns; nil = it is open.
    private(set) var opensAt: Int64?

    private static let pause = 100 * Duration.millisecond
    /// At a time, so that those who are in are served.
    private static let most = 64

    init(listener: consuming FileDescriptor) {
        self.listener = listener
    }

    /// Readable when somebody waits; -1 while it is closed.
    mutating func descriptor(now: Int64) -> Int32 {
        if let opensAt, now >= opensAt { self.opensAt = nil }
        return opensAt == nil ? listener.number : -1
    }

    mutating func admit(to daemon: borrowing MicrohttpdDaemon) {
        for _ in 0..<Self.most {
            guard let connection = UnixSocket.accept(from: listener.number) else {
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { opensAt = Clock.monotonic() + Self.pause }
                return
            }
            daemon.add(connection)
        }
    }
}
