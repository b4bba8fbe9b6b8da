import Foundation
import Synchronization

/// Emporia's cloud on a loopback port: the login and the service at one address, in a process of its own.
public final class EmporiaSimulator: Sendable {
    public var account: EmporiaAccount { current.withLock { $0 } }
    public let port: UInt16
    public var url: String { "http://127.0.0.1:\(port)" }

    private let current: Mutex<EmporiaAccount>
    private let folder: TemporaryDirectory
    private let process: ChildProcess

    public init(_ account: EmporiaAccount = .home) throws {
        current = Mutex(account)
        let folder = try TemporaryDirectory("emporia")
        self.folder = folder
        try JSONEncoder().encode(account).write(to: folder.file("account.json"))
        let script = Checkout.root.appendingPathComponent("Tests/Support/Scripts/emporia_simulator.py").path
        port = try Loopback.freePort()
        let process = try ChildProcess(
            "/usr/bin/env", ["python3", script, folder.file("account.json").path, "\(port)"],
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], logs: folder,
            name: "simulator")
        self.process = process
        try waitUntil("the simulator: \(process.errors)", within: 30) { !process.output.isEmpty }
    }

    /// Begins anew, with nobody logged in.
    public func reset(_ account: EmporiaAccount) throws {
        current.withLock { $0 = account }
        try control(["account": try JSONSerialization.jsonObject(with: JSONEncoder().encode(account))])
    }

    /// Changes how it behaves from the next request on; the script has the words.
    public func control(_ change: [String: Any]) throws {
        let body = String(decoding: try JSONSerialization.data(withJSONObject: change), as: UTF8.self)
        let answer = try HTTP.post(port, "/_control", body: body)
        guard answer.status == 200 else { throw FixtureError("control: \(answer.status): \(process.errors)") }
    }

    /// The clock, in seconds since the epoch; it stands still.
    public func set(now: Double) throws { try control(["now": now]) }

    public struct State: Sendable {
        /// Calls of the login by name, and targets of the service.
        public var requests: [String]
        public var logins: Int
        public var renewals: Int
        /// Logins with a wrong password.
        public var refused: Int
        /// Every token that it has handed out and that still counts.
        public var secrets: [String]
    }

    public func state() throws -> State {
        let state = try HTTP.get(port, "/_state").object()
        func count(_ key: String) -> Int { (state[key] as? Int) ?? 0 }
        return State(
            requests: state["requests"] as? [String] ?? [], logins: count("logins"), renewals: count("renewals"),
            refused: count("refused"), secrets: state["secrets"] as? [String] ?? [])
    }

    /// What was asked since the last call.
    public func takeRequests() throws -> [String] {
        let requests = try state().requests
        try control(["forget": true])
        return requests
    }

    public func stop() { process.kill() }
}
