import Foundation
import Glibc
import Synchronization

/// An HTTP server that answers, request by request, what a test's script says, good or bad. A thread a connection.
public final class FaultServer: Sendable {
    public struct Request: Sendable {
        public let method: String
        /// Path and query as sent.
        public let target: String
        /// Names in lower case.
        public let headers: [String: String]
        public let body: [UInt8]
        /// 1 for the first that this server got.
        public let number: Int

        public var path: String { target.components(separatedBy: "?")[0] }
        public var text: String { String(decoding: body, as: UTF8.self) }

        /// A value of the query, unescaped.
        public func parameter(_ name: String) -> String? {
            URLComponents(string: target)?.queryItems?.first { $0.name == name }?.value
        }
    }

    public struct Reply: Sendable {
        public var status: Int
        public var headers: [String: String]
        public var body: [UInt8]

        public init(_ status: Int, _ body: String = "", headers: [String: String] = [:]) {
            self.status = status
            self.headers = headers
            self.body = Array(body.utf8)
        }

        public static func json(_ status: Int, _ body: String) -> Reply {
            Reply(status, body, headers: ["Content-Type": "application/json"])
        }
    }

    public enum Answer: Sendable {
        case reply(Reply)
        /// A reply, after this many seconds.
        case late(Double, Reply)
        /// Announces the whole and closes after half of the body.
        case half(Reply)
        /// The body one byte at a time, this many seconds apart.
        case drip(Double, Reply)
        /// A good head, then so many bytes of `x`.
        case flood(bytes: Int)
        /// These bytes as they are, then closes.
        case raw(String)
        /// Never answers.
        case hang
        /// Closes without a word.
        case close
    }

    public typealias Script = @Sendable (Request) -> Answer

    public let port: UInt16
    public var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter port: 0 takes a free one.
    public init(port: UInt16 = 0, _ script: @escaping Script) throws {
        listener = try Loopback.listen(port: port)
        self.port = Loopback.port(of: listener)
        state = State(script: script)
        let state = state
        let listener = listener
        Thread.detachNewThread { Self.acceptAll(listener, state) }
    }

    deinit { stop() }

    /// From the next request on.
    public func setScript(_ script: @escaping Script) { state.values.withLock { $0.script = script } }

    public var requests: [Request] { state.values.withLock { $0.requests } }
    public var count: Int { state.values.withLock { $0.requests.count } }

    public func forgetRequests() { state.values.withLock { $0.requests = [] } }

    /// Cuts all connections; the port is free when this returns.
    public func stop() {
        let connections = state.values.withLock { values -> [Int32] in
            guard !values.isStopped else { return [] }
            values.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            return values.connections
        }
        for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
        try? waitUntil("the server's end") { state.values.withLock { $0.isClosed && $0.connections.isEmpty } }
    }

    private let listener: Int32
    private let state: State
}

// What the threads do, on the state that they share.
extension FaultServer {
    private final class State: Sendable {
        struct Values {
            var script: Script
            var requests: [Request] = []
            var total = 0
            var connections: [Int32] = []
            var isStopped = false
            var isClosed = false
        }
        let values: Mutex<Values>
        init(script: @escaping Script) { values = Mutex(Values(script: script)) }

        var isStopped: Bool { values.withLock { $0.isStopped } }
    }

    private static func acceptAll(_ listener: Int32, _ state: State) {
        while !state.isStopped {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            // A child of another test would keep it open.
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            let isWelcome = state.values.withLock { values in
                if !values.isStopped { values.connections.append(connection) }
                return !values.isStopped
            }
            guard isWelcome else {
                Glibc.close(connection)
                break
            }
            Thread.detachNewThread {
                serve(connection, state)
                state.values.withLock { $0.connections.removeAll { $0 == connection } }
                Glibc.close(connection)
            }
        }
        Glibc.close(listener)
        state.values.withLock { $0.isClosed = true }
    }

    /// Request after request, until one side closes.
    private static func serve(_ connection: Int32, _ state: State) {
        var bytes: [UInt8] = []
        while let request = receive(&bytes, connection, state) {
            let script = state.values.withLock { $0.script }
            guard perform(script(request), connection, state) else { return }
        }
    }

    private static func receive(_ bytes: inout [UInt8], _ connection: Int32, _ state: State) -> Request? {
        var head: HTTPHead?
        while true {
            if head == nil {
                head = HTTPHead.take(from: &bytes)
                if head?.headers["expect"] != nil {
                    _ = Loopback.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: connection)
                }
            }
            if let head, bytes.count >= head.contentLength ?? 0 {
                let body = Array(bytes.prefix(head.contentLength ?? 0))
                bytes.removeFirst(body.count)
                return record(head, body, state)
            }
            let more = Loopback.receive(from: connection)
            if more.isEmpty { return nil }
            bytes += more
        }
    }

    private static func record(_ head: HTTPHead, _ body: [UInt8], _ state: State) -> Request? {
        guard head.firstLine.count >= 2 else { return nil }
        return state.values.withLock { values in
            values.total += 1
            let request = Request(
                method: head.firstLine[0], target: head.firstLine[1], headers: head.headers, body: body,
                number: values.total)
            values.requests.append(request)
            return request
        }
    }

    /// - Returns: whether the connection may go on.
    private static func perform(_ answer: Answer, _ connection: Int32, _ state: State) -> Bool {
        switch answer {
        case .reply(let reply):
            return Loopback.send(head(reply) + reply.body, to: connection)
        case .late(let seconds, let reply):
            return pause(seconds, state) && Loopback.send(head(reply) + reply.body, to: connection)
        case .half(let reply):
            _ = Loopback.send(head(reply) + reply.body.prefix(reply.body.count / 2), to: connection)
            return false
        case .drip(let seconds, let reply):
            guard Loopback.send(head(reply), to: connection) else { return false }
            return reply.body.allSatisfy { pause(seconds, state) && Loopback.send([$0], to: connection) }
        case .flood(let count):
            return flood(count, connection)
        case .raw(let text):
            _ = Loopback.send(Array(text.utf8), to: connection)
            return false
        case .hang:
            // Until the client or `stop` ends it.
            while !Loopback.receive(from: connection).isEmpty {}
            return false
        case .close:
            return false
        }
    }

    private static func head(_ reply: Reply) -> [UInt8] {
        var head = "HTTP/1.1 \(reply.status) Scripted\r\nContent-Length: \(reply.body.count)\r\n"
        for (name, value) in reply.headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
        return Array("\(head)\r\n".utf8)
    }

    private static func flood(_ count: Int, _ connection: Int32) -> Bool {
        let head = "HTTP/1.1 200 Scripted\r\nContent-Type: application/json\r\nContent-Length: \(count)\r\n\r\n"
        guard Loopback.send(Array(head.utf8), to: connection) else { return false }
        let block = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
        var left = count
        while left > 0 {
            guard Loopback.send(Array(block.prefix(left)), to: connection) else { return false }
            left -= min(left, block.count)
        }
        return true
    }

    /// False when the server was stopped meanwhile.
    private static func pause(_ seconds: Double, _ state: State) -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if state.isStopped { return false }
            usleep(10_000)
        }
        return true
    }
}
