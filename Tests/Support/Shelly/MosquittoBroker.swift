import Foundation
import Synchronization

/// A real mosquitto on loopback ports of its own. It keeps what it retains over a restart.
public final class MosquittoBroker: Sendable {
    public let port: UInt16
    public var url: String { "mqtt://127.0.0.1:\(port)" }
    /// Of the listener that asks for TLS, with a certificate for `localhost`.
    public let securePort: UInt16
    public var secureURL: String { "mqtts://localhost:\(securePort)" }
    /// The authority of that certificate; valid for two days.
    public var authority: String { folder.file("certificate.pem").path }

    private let folder: TemporaryDirectory
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameters:
    ///   - account: with one, nobody else may connect.
    ///   - isSecure: whether there is a listener for TLS, too.
    public init(account: (user: String, password: String)? = nil, isSecure: Bool = false) throws {
        folder = try TemporaryDirectory("mosquitto")
        port = try Loopback.freePort()
        securePort = try Loopback.freePort()
        var lines = [
            "user root", "per_listener_settings false", "listener \(port) 127.0.0.1", "persistence true",
            "persistence_location \(folder.path)/", "log_dest stderr", "log_type error", "log_type warning",
            "max_queued_messages 0",
        ]
        if let account {
            try run(
                "/usr/bin/mosquitto_passwd", ["-b", "-c", folder.file("accounts").path, account.user, account.password])
            lines += ["allow_anonymous false", "password_file \(folder.file("accounts").path)"]
        } else {
            lines.append("allow_anonymous true")
        }
        if isSecure {
            try makeCertificate()
            lines += [
                "listener \(securePort) 127.0.0.1", "cafile \(authority)", "certfile \(authority)",
                "keyfile \(folder.file("key.pem").path)",
            ]
        }
        try folder.write("mosquitto.conf", lines.joined(separator: "\n") + "\n")
        try start()
    }

    /// Again on the same ports, after `stop` or `kill`.
    public func start() throws {
        let child = try ChildProcess(
            "/usr/sbin/mosquitto", ["-c", folder.file("mosquitto.conf").path], logs: folder, name: "mosquitto")
        process.withLock { $0 = child }
        try waitUntil("mosquitto on port \(port): \(child.errors.suffix(300))", within: 20) {
            guard child.isRunning else { throw FixtureError("mosquitto ended: \(child.errors.suffix(500))") }
            guard let descriptor = try? Loopback.connect(port: port, timeout: 1) else { return false }
            close(descriptor)
            return true
        }
    }

    /// In order: what is retained is written down.
    public func stop() {
        process.withLock { $0 }?.terminate()
        process.withLock { $0 = nil }
    }

    /// It takes connections, as the kernel does for it, and does nothing else until `thaw`.
    public func freeze() { process.withLock { $0 }?.signal(SIGSTOP) }
    public func thaw() { process.withLock { $0 }?.signal(SIGCONT) }

    public func kill() {
        process.withLock { $0 }?.kill()
        process.withLock { $0 = nil }
    }

    private func makeCertificate() throws {
        try run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", folder.file("key.pem").path, "-out", authority,
            ])
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let child = try ChildProcess(program, arguments, logs: folder, name: "tool")
        guard try child.waitForEnd(within: 30) == 0 else { throw FixtureError("\(program): \(child.errors)") }
    }
}
