import CLinux
import Glibc

/// An eventfd: any thread rings, one thread waits. Rings before a wait are not lost; several count as one.
package final class Doorbell: Sendable {
    private let descriptor: FileDescriptor

    package init() throws(SystemError) {
        let number = sm_eventfd()
        guard number >= 0 else { throw SystemError("eventfd") }
        descriptor = FileDescriptor(owning: number)
    }

    /// For poll and epoll: readable while it has been rung.
    package var number: Int32 { descriptor.number }

    /// Any thread; never blocks.
    package func ring() {
        var one: UInt64 = 1
        // EAGAIN would mean 2^64 - 1 unanswered rings: rung all the same.
        _ = unsafe write(descriptor.number, &one, 8)
    }

    /// Forgets the rings so far.
    package func silence() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor.number, &count, 8)
    }

    /// Waits until rung, or until `deadline` (monotonic ns; nil = for ever), and silences it. True if rung.
    @discardableResult
    package func wait(until deadline: Int64?) -> Bool {
        let rung = Poll.readable(descriptor.number, until: deadline)
        if rung { silence() }
        return rung
    }
}

package enum Poll {
    /// Waits until `descriptor` is readable or hung up, or until `deadline` (monotonic ns; nil = for ever).
    package static func readable(_ descriptor: Int32, until deadline: Int64?) -> Bool {
        firstReadable(descriptor, -1, until: deadline) != nil
    }

    /// Waits until `descriptor` takes bytes or is hung up, or until `deadline`.
    package static func writable(_ descriptor: Int32, until deadline: Int64?) -> Bool {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let count = unsafe poll(&entry, 1, milliseconds(until: deadline))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
            if let deadline, Clock.monotonic() >= deadline { return false }
        }
    }

    /// Waits for either of two descriptors (a negative one is ignored); answers the number of one that is readable.
    package static func firstReadable(_ first: Int32, _ second: Int32, until deadline: Int64?) -> Int32? {
        let ready = ready([first, second], until: deadline)
        return ready[0] ? first : ready[1] ? second : nil
    }

    /// Waits until some of the descriptors (negative ones are ignored) are readable or hung up, or until `deadline`:
    /// which are.
    package static func ready(_ descriptors: [Int32], until deadline: Int64?) -> [Bool] {
        while true {
            var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds(until: deadline))
            let isOver = count < 0 ? errno != EINTR : deadline.map { Clock.monotonic() >= $0 } ?? false
            if count > 0 || isOver { return entries.map { count > 0 && $0.revents != 0 } }
        }
    }

    /// Rounded up, so that a wait never ends before its deadline.
    private static func milliseconds(until deadline: Int64?) -> Int32 {
        guard let deadline else { return -1 }
        let left = deadline - Clock.monotonic()
        return left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
    }
}
