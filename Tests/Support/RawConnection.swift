import Glibc

/// A TCP connection that sends what it is told, however malformed. Reads give up after 5 s.
public final class RawConnection {
    private let descriptor: Int32
    /// The server has closed it.
    public private(set) var hasEnded = false

    /// - Parameter address: of the loopback, to come from.
    public init(port: UInt16, from address: String = "127.0.0.1") throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let bound = unsafe Self.withAddress(address, 0) { unsafe bind(descriptor, $0, $1) }
        let connected = unsafe Self.withAddress("127.0.0.1", port) { unsafe Glibc.connect(descriptor, $0, $1) }
        guard bound == 0, connected == 0 else { throw FixtureError("cannot connect to port \(port): errno \(errno)") }
    }

    deinit { Glibc.close(descriptor) }

    private static func withAddress(
        _ text: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>?, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, text, &address.sin_addr)
        return unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                unsafe body(pointer.baseAddress, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    public func send(_ text: String) { send(Array(text.utf8)) }

    /// What the server no longer reads is lost, as it would be for any client.
    public func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                unsafe Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Everything until the server closes.
    public func readToEnd() -> [UInt8] { read(atLeast: .max) }

    /// So many bytes or more; fewer where the server closes or is silent.
    public func read(atLeast least: Int) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while all.count < least {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { hasEnded = true }
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
        return all
    }

    /// Whether the server closes within `seconds`; what it sends is passed over.
    public func ends(within seconds: Double) -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while !hasEnded {
            let left = (end - ContinuousClock.now) / .milliseconds(1)
            guard left > 0 else { return false }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&entry, 1, Int32(left.rounded(.up))) > 0 { _ = read(atLeast: 1) }
        }
        return true
    }
}
