import Foundation
import Glibc
import Synchronization

/// An IoTaWatt on a loopback port, as its firmware and documentation describe it: one connection at a time, closed
/// after each answer.
public final class IoTaWattSimulator: Sendable {
    public struct Request: Sendable {
        /// Path and query as sent.
        public let target: String
        public let path: String
        /// Unescaped.
        public let query: [String: String]
        public let status: Int
        public let answerBytes: Int
    }

    public let port: UInt16
    public var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameters:
    ///   - accounts: user and password; none = everybody may ask.
    ///   - clock: the device's, in seconds since the epoch; nil = that of this machine.
    public init(
        _ model: IoTaWattModel, accounts: [(user: String, password: String)] = [], port: UInt16 = 0,
        clock: (@Sendable () -> Double)? = nil
    ) throws {
        let clock = clock ?? { Date().timeIntervalSince1970 }
        self.clock = clock
        let listener = try Loopback.listen(port: port)
        self.port = Loopback.port(of: listener)
        let gate = DigestGate(
            realm: model.deviceName, accounts: accounts.map { .init(user: $0.user, password: $0.password) })
        state = Mutex(State(log: IoTaWattLog(model), gate: gate, startedAt: clock()))
        serve(listener)
    }

    deinit {
        // Not `stop`: the thread that serves may be the one that lets go of it last.
        if let listener = state.withLock({ $0.listener }) { shutdown(listener, Int32(SHUT_RDWR)) }
    }

    /// From the next request on: renamed inputs, other holes.
    public func setModel(_ model: IoTaWattModel) { state.withLock { $0.log = IoTaWattLog(model) } }

    /// How long it takes before it answers, and how much longer for each row.
    public func setSlowness(seconds: Double, perRow: Double = 0) {
        state.withLock { $0.slowness = (seconds, perRow) }
    }

    public var requests: [Request] { state.withLock { $0.requests } }
    public func forgetRequests() { state.withLock { $0.requests = [] } }

    /// How many requests came while another one was being answered.
    public var overlaps: Int { state.withLock { $0.overlaps } }

    /// As without current: connections are refused. The port is free when this returns.
    public func stop() {
        let listener = state.withLock { state -> Int32? in
            state.isStopping = true
            return state.listener
        }
        guard let listener else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        try? waitUntil("the simulator's end") { state.withLock { $0.listener == nil } }
    }

    /// Again, after `stop`, on the same port.
    public func start() throws { serve(try Loopback.listen(port: port)) }

    private struct State {
        var log: IoTaWattLog
        var gate: DigestGate
        let startedAt: Double
        var slowness = (seconds: 0.0, perRow: 0.0)
        var requests: [Request] = []
        var overlaps = 0
        var listener: Int32?
        var isStopping = false
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Double

    /// What the device's memory allows.
    private static let mostBytes = 100_000
    private static let patienceSeconds = 5

    // MARK: Serving

    private func serve(_ listener: Int32) {
        state.withLock { state in
            state.listener = listener
            state.isStopping = false
        }
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard let self, !self.state.withLock({ $0.isStopping }) else {
                    if connection >= 0 { close(connection) }
                    break
                }
                guard connection >= 0 else { continue }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                self.answer(connection)
                close(connection)
            }
            close(listener)
            self?.state.withLock { $0.listener = nil }
        }
    }

    private var isAnotherWaiting: Bool {
        guard let listener = state.withLock({ $0.listener }) else { return false }
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waiting, 1, 0) > 0 && waiting.revents & Int16(POLLIN) != 0
    }

    private func answer(_ connection: Int32) {
        var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        unsafe setsockopt(
            connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var bytes: [UInt8] = []
        while true {
            if let head = HTTPHead.take(from: &bytes) {
                answer(head, connection)
                return
            }
            let more = Loopback.receive(from: connection)
            guard !more.isEmpty, bytes.count < 16_384 else { return }
            bytes += more
        }
    }

    private func answer(_ head: HTTPHead, _ connection: Int32) {
        guard head.firstLine.count >= 2 else { return }
        let method = head.firstLine[0]
        let target = head.firstLine[1]
        let (path, query) = Self.parts(target)
        let (reply, slowness) = state.withLock { state -> (Reply, (seconds: Double, perRow: Double)) in
            let reply = respond(to: method, path, query, head.headers["authorization"], &state)
            state.requests.append(
                Request(
                    target: target, path: path, query: query, status: reply.status, answerBytes: reply.body.utf8.count))
            return (reply, state.slowness)
        }
        let pause = slowness.seconds + slowness.perRow * Double(reply.rows)
        if pause > 0 { usleep(UInt32(pause * 1e6)) }
        if isAnotherWaiting { state.withLock { $0.overlaps += 1 } }
        send(reply, connection)
    }

    /// As the device's server takes a target apart: brackets may stand as they are.
    private static func parts(_ target: String) -> (path: String, query: [String: String]) {
        let sides = target.split(separator: "?", maxSplits: 1)
        let pairs = (sides.count > 1 ? sides[1] : "").split(separator: "&").map { pair in
            let words = pair.split(separator: "=", maxSplits: 1).map { word in
                String(word).replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? String(word)
            }
            return (words.first ?? "", words.count > 1 ? words[1] : "")
        }
        return (sides.first.map(String.init) ?? "", Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    private struct Reply {
        var status = 200
        var type = "application/json"
        var body: String
        var rows = 0
        var isChunked = false
        var challenge: String?
    }

    private func respond(
        to method: String, _ path: String, _ query: [String: String], _ authorization: String?, _ state: inout State
    ) -> Reply {
        let now = clock()
        guard method == "GET", path == "/status" || path == "/query" else {
            return Reply(status: 404, type: "text/plain", body: "Not found: \(method), URI: \(path)")
        }
        guard state.gate.admits(authorization, method: method, now: now) else {
            let challenge = state.gate.challenge(now: now)
            return Reply(status: 401, type: "text/html", body: "IoTaWatt-Login", challenge: challenge)
        }
        let type = state.log.model.sendsTextJSON ? "text/json" : "application/json"
        if path == "/status" {
            let status = IoTaWattStatus(
                log: state.log, now: now, startedAt: state.startedAt, hasPasswords: !state.gate.accounts.isEmpty)
            return Reply(type: type, body: status.text(query))
        }
        if query["show"] == "series" { return Reply(type: type, body: series(state.log.model), isChunked: true) }
        do {
            let parsed = try IoTaWattQuery(query, model: state.log.model, now: Int(now))
            let answer = IoTaWattAnswer(query: parsed, log: state.log, now: now).text()
            return Reply(
                type: parsed.isCSV ? "text/plain" : type, body: answer.text, rows: answer.rows, isChunked: true)
        } catch {
            return Reply(status: 400, type: "text/plain", body: "{\"error\":\"invalid query. \(error.reason)\"}")
        }
    }

    private func series(_ model: IoTaWattModel) -> String {
        let inputs = model.inputs.map { input -> (String, String) in
            if case .voltage = input.kind { (input.name, "Volts") } else { (input.name, "Watts") }
        }
        let all = inputs + model.outputs.map { ($0.name, $0.units) }
        let objects = all.map { "{\"name\":\"\($0.0)\",\"unit\":\"\($0.1)\"}" }
        return "{\"series\":[\(objects.joined(separator: ","))]}"
    }

    private func send(_ reply: Reply, _ connection: Int32) {
        var head = "HTTP/1.1 \(reply.status) OK\r\nContent-Type: \(reply.type)\r\n"
        if let challenge = reply.challenge { head += "WWW-Authenticate: \(challenge)\r\n" }
        let body = Array(reply.body.utf8)
        head += reply.isChunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: \(body.count)\r\n"
        guard Loopback.send(Array("\(head)Connection: close\r\n\r\n".utf8), to: connection) else { return }
        guard reply.isChunked else {
            _ = Loopback.send(body, to: connection)
            return
        }
        var sent = 0
        while sent < body.count {
            // Out of memory: it leaves in the middle.
            guard sent < Self.mostBytes else { return }
            let piece = body[sent..<min(body.count, sent + 1440)]
            let chunk = Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
            guard Loopback.send(chunk, to: connection) else { return }
            sent += piece.count
        }
        _ = Loopback.send(Array("0\r\n\r\n".utf8), to: connection)
    }
}
