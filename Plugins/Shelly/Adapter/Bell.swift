import AdapterKit
import Glibc

/// A pipe that wakes a thread that polls: any thread rings, rings are not lost, several count as one.
final class Bell: Sendable {
    /// Readable while it has been rung.
    let descriptor: Int32
    private let end: Int32

    init() throws(AdapterError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw AdapterError(.failed, "no pipe: errno \(errno)") }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        descriptor = ends[0]
        end = ends[1]
    }

    deinit {
        close(descriptor)
        close(end)
    }

    /// Never blocks: a full pipe is rung enough.
    func ring() {
        var byte: UInt8 = 1
        _ = unsafe write(end, &byte, 1)
    }

    /// Forgets the rings so far.
    func silence() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while unsafe read(descriptor, &bytes, bytes.count) == bytes.count {}
    }

    /// Waits until one of the descriptors has something, or the time is over. Negative ones are passed over.
    /// - Returns: for each what `poll` says of it.
    static func wait(for descriptors: [(number: Int32, events: Int32)], milliseconds: Int32) -> [Int32] {
        var entries = descriptors.map { pollfd(fd: $0.number, events: Int16($0.events), revents: 0) }
        guard unsafe poll(&entries, nfds_t(entries.count), milliseconds) > 0 else {
            return [Int32](repeating: 0, count: entries.count)
        }
        return entries.map { Int32($0.revents) }
    }
}
