import Glibc

/// The clients that are connected, and by when those in a hurry have to have done what they are doing. Lives on the http
/// thread.
struct Visits {
    private var present: [ObjectIdentifier: Visit] = [:]
    /// Monotonic ns; who is not in it may take as long as it likes.
    private var due: [ObjectIdentifier: Int64] = [:]

    var count: Int { present.count }
    var hasDue: Bool { !due.isEmpty }

    /// Keeps it alive until `remove`.
    mutating func add(_ visit: Visit) { present[ObjectIdentifier(visit)] = visit }

    mutating func remove(_ identifier: ObjectIdentifier) {
        present[identifier] = nil
        due[identifier] = nil
    }

    /// - Parameter time: monotonic ns; nil = it may take as long as it likes.
    mutating func expect(_ visit: Visit?, by time: Int64?) {
        guard let visit else { return }
        due[ObjectIdentifier(visit)] = time
    }

    /// Those that are late, once each.
    mutating func takeOverdue(now: Int64) -> [Visit] {
        let late = due.filter { now >= $0.value }.keys
        return late.compactMap { identifier in
            due[identifier] = nil
            return present[identifier]
        }
    }
}

/// A client from its connection to its leaving.
final class Visit {
    private let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The library has no way to close a connection; its socket has: the library then finds it at its end.
    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// How much the kernel keeps for a client that does not read.
    func limitUnsent(bytes: Int32) {
        var bytes = bytes
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }
}
