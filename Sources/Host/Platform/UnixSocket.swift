import CLinux
import Glibc

/// Stream sockets in the file system: how an operator's command reaches the running host.
package enum UnixSocket {
    /// Listens at `path` for this user alone; a socket file that a dead process left there is replaced.
    package static func listen(at path: String) throws(SystemError) -> FileDescriptor {
        let descriptor = FileDescriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        guard descriptor.number >= 0 else { throw SystemError("socket") }
        unsafe unlink(path)
        let mask = umask(0o177)
        let bound = try unsafe withAddress(path) { address, length in unsafe bind(descriptor.number, address, length) }
        let code = errno
        umask(mask)
        guard bound == 0 else { throw SystemError("bind \(path)", code) }
        guard Glibc.listen(descriptor.number, 8) == 0 else { throw SystemError("listen \(path)") }
        guard sm_close_on_exec(descriptor.number) == 0 else { throw SystemError("fcntl") }
        return descriptor
    }

    package static func connect(to path: String) throws(SystemError) -> FileDescriptor {
        let descriptor = FileDescriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        guard descriptor.number >= 0 else { throw SystemError("socket") }
        let result = try unsafe withAddress(path) { address, length in
            unsafe Glibc.connect(descriptor.number, address, length)
        }
        guard result == 0 else { throw SystemError("connect \(path)") }
        return descriptor
    }

    /// The next connection; nil where there is none (any more).
    package static func accept(from listener: Int32) -> FileDescriptor? {
        let number = sm_accept(listener)
        return number >= 0 ? FileDescriptor(owning: number) : nil
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { throw SystemError("socket path \(path)", ENAMETOOLONG) }
        // sun_path is a tuple of bytes in C's layout; the copy is bounded by the check above.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in unsafe target.copyBytes(from: bytes) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// Whole reads and writes on a descriptor, with a deadline.
package enum Stream {
    /// Writes everything, or answers false (peer gone, deadline).
    package static func write(_ bytes: [UInt8], to descriptor: Int32, until deadline: Int64) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                // MSG_NOSIGNAL: a peer that is gone is an error here, not a SIGPIPE.
                unsafe send(
                    descriptor, buffer.baseAddress.map { unsafe $0 + offset }, bytes.count - offset,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                guard Poll.writable(descriptor, until: deadline) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Reads exactly `count` bytes; nil at the end of the stream, on an error or at the deadline (nil = none).
    package static func read(_ count: Int, from descriptor: Int32, until deadline: Int64?) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var offset = 0
        while offset < count {
            guard Poll.readable(descriptor, until: deadline) else { return nil }
            let received = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe recv(
                    descriptor, buffer.baseAddress.map { unsafe $0 + offset }, count - offset,
                    Int32(MSG_DONTWAIT))
            }
            if received > 0 {
                offset += received
            } else if received == 0 || (errno != EAGAIN && errno != EINTR) {
                return nil
            }
        }
        return bytes
    }
}
