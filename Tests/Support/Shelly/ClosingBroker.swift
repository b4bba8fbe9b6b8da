import Foundation
import Glibc
import Synchronization

/// A broker of MQTT that welcomes whoever comes, and closes at once.
public final class ClosingBroker: Sendable {
    public let port: UInt16
    public var url: String { "mqtt://127.0.0.1:\(port)" }
    private let descriptor: Int32
    private let connections: Arrivals

    /// What crosses to the thread that accepts.
    private final class Arrivals: Sendable {
        let count = Mutex(0)
    }

    public init() throws {
        port = try Loopback.freePort()
        let descriptor = try Loopback.listen(port: port)
        let connections = Arrivals()
        self.descriptor = descriptor
        self.connections = connections
        Thread.detachNewThread { Self.serve(descriptor, connections) }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// Connections so far.
    public var count: Int { connections.count.withLock { $0 } }

    private static func serve(_ descriptor: Int32, _ connections: Arrivals) {
        while true {
            let client = accept(descriptor, nil, nil)
            guard client >= 0 else { return }
            connections.count.withLock { $0 += 1 }
            var bytes = [UInt8](repeating: 0, count: 1024)
            _ = unsafe recv(client, &bytes, bytes.count, 0)
            // CONNACK: accepted.
            let welcome: [UInt8] = [0x20, 2, 0, 0]
            _ = unsafe send(client, welcome, welcome.count, Int32(MSG_NOSIGNAL))
            close(client)
        }
    }
}
