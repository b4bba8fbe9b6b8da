import Foundation
import Glibc
import Platform

/// A TCP connection that sends what it is told, however malformed. Reads give up after 5 s.
final class RawConnection {
    private let descriptor: FileDescriptor
    /// The server has closed it.
    private(set) var hasEnded = false

    /// - Parameter address: of the loopback, to come from.
    init(port: UInt16, from address: String = "127.0.0.1") throws {
        let made = FileDescriptor(
            owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        unsafe setsockopt(made.number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let number = made.number
        descriptor = made
        let bound = unsafe Self.withAddress(address, 0) { unsafe bind(number, $0, $1) }
        let connected = unsafe Self.withAddress("127.0.0.1", port) { unsafe Glibc.connect(number, $0, $1) }
        guard bound == 0, connected == 0 else { throw SystemError("connect") }
    }

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

    private var number: Int32 { descriptor.number }

    func close() { shutdown(number, Int32(SHUT_RDWR)) }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// What the server no longer reads is lost, as it would be for any client.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                unsafe Glibc.send(number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Everything until the server closes.
    func readToEnd() -> [UInt8] { read(atLeast: .max) }

    /// So many bytes or more; fewer where the server closes or is silent.
    func read(atLeast least: Int) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while all.count < least {
            let count = unsafe recv(number, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { hasEnded = true }
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
        return all
    }

    /// Whether the server closes until then (monotonic ns); what it sends is passed over.
    func endsBefore(_ deadline: Int64) -> Bool {
        while !hasEnded, Poll.readable(number, until: deadline) { _ = read(atLeast: 1) }
        return hasEnded
    }
}

/// An HTTP answer taken apart.
struct RawAnswer {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: String

    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        self.status = status
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1)
            headers[sides[0].lowercased()] = sides.count > 1 ? sides[1].trimmingCharacters(in: .whitespaces) : ""
        }
        self.headers = headers
        body = String(text[end.upperBound...])
    }

    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
    }
}
