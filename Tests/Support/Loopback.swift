import Foundation
import Glibc

/// TCP on 127.0.0.1.
public enum Loopback {
    /// A port that nobody listened on a moment ago, and that the kernel gives to no outgoing connection meanwhile: it takes
    /// those from 32768 on (net.ipv4.ip_local_port_range).
    public static func freePort() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: 15_000..<32_000)
            guard let descriptor = try? listen(port: port) else { continue }
            close(descriptor)
            return port
        }
        throw FixtureError("no free port from 15000 to 32000")
    }

    /// Connections that stay open and say nothing, until they are released.
    public final class IdleConnections {
        private let descriptors: [Int32]

        public init(_ count: Int, to port: UInt16) {
            descriptors = (0..<count).compactMap { _ in try? Loopback.connect(port: port, timeout: 5) }
        }

        public var count: Int { descriptors.count }

        deinit { for descriptor in descriptors { close(descriptor) } }
    }

    /// A listening socket; port 0 takes a free one.
    static func listen(port: UInt16) throws -> Int32 {
        let descriptor = try newSocket()
        var reuse: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        let bound = unsafe withAddress(port) { unsafe bind(descriptor, $0, $1) }
        guard bound == 0, Glibc.listen(descriptor, 128) == 0 else {
            let code = errno
            close(descriptor)
            throw FixtureError("cannot listen on port \(port): errno \(code)")
        }
        return descriptor
    }

    /// A connection whose reads and writes give up after `timeout` seconds.
    static func connect(port: UInt16, timeout: Double) throws -> Int32 {
        let descriptor = try newSocket()
        var patience = timeval(tv_sec: Int(timeout), tv_usec: Int(timeout.truncatingRemainder(dividingBy: 1) * 1e6))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        guard unsafe withAddress(port, { unsafe Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let code = errno
            close(descriptor)
            throw FixtureError("cannot connect to port \(port): errno \(code)")
        }
        return descriptor
    }

    static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe getsockname(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &size)
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// All of it, or false: the other side left.
    static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                unsafe Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// What there is, up to 64 KB; empty at the end, on an error or a timeout.
    static func receive(from descriptor: Int32) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    private static func newSocket() throws -> Int32 {
        // Close-on-exec: a child that inherits a listening socket would keep its port.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw FixtureError("no socket: errno \(errno)") }
        return descriptor
    }

    private static func withAddress(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>?, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return unsafe withUnsafeBytes(of: &address) { bytes in
            let size = socklen_t(bytes.count)
            return unsafe body(bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, size)
        }
    }
}
