import Glibc
import Platform
import Synchronization

/// A server that takes every write and answers at once: what is measured is who sends.
final class Sink: Sendable {
    let port: UInt16
    private let listener: Int32
    private let received = Atomic<Int>(0)

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
                guard unsafe bind(listener, address, size) == 0, listen(listener, 16) == 0 else { return -1 }
                return unsafe getsockname(listener, address, &size)
            }
        }
        guard code == 0 else { throw SystemError("listen", errno) }
        port = UInt16(bigEndian: address.sin_port)
        _ = try Thread(name: "sink") { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                serve(connection)
                close(connection)
            }
        }
    }

    /// Bytes of bodies so far.
    var bytes: Int { received.load(ordering: .relaxed) }

    private func serve(_ connection: Int32) {
        let answer = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        /// Bytes of the body that are still to come; nil while a head is being read.
        var left: Int?
        var head: [UInt8] = []
        while true {
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            var place = 0
            while place < count {
                if let body = left {
                    let taken = min(body, count - place)
                    place += taken
                    received.add(taken, ordering: .relaxed)
                    left = body - taken
                } else {
                    head.append(buffer[place])
                    place += 1
                    guard head.suffix(4) == [13, 10, 13, 10] else { continue }
                    left = Self.length(head)
                    head = []
                }
                guard left == 0 else { continue }
                left = nil
                _ = unsafe send(connection, answer, answer.count, 0)
            }
        }
    }

    private static func length(_ head: [UInt8]) -> Int {
        for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            return Int(parts[1].drop { $0 == " " }) ?? 0
        }
        return 0
    }
}
