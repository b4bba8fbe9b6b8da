import Foundation

/// TLS in front of a server that speaks plain HTTP, with a certificate for `localhost` of a private authority (itself).
public final class TLSProxy: Sendable {
    public let port: UInt16
    public var url: String { "https://localhost:\(port)" }
    /// The certificate, which is its own authority; valid for two days from now.
    public var certificate: String { folder.file("certificate.pem").path }

    private let folder: TemporaryDirectory
    private let process: ChildProcess

    public init(to target: UInt16) throws {
        folder = try TemporaryDirectory("tls")
        port = try Loopback.freePort()
        let openssl = try ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", folder.file("key.pem").path, "-out",
                folder.file("certificate.pem").path,
            ], logs: folder, name: "openssl")
        guard try openssl.waitForEnd(within: 30) == 0 else { throw FixtureError("openssl: \(openssl.errors)") }
        let process = try ChildProcess(
            "/usr/bin/env",
            [
                "python3", Checkout.root.appendingPathComponent("Tests/Support/Scripts/tls_proxy.py").path, "\(port)",
                "\(target)", folder.file("certificate.pem").path, folder.file("key.pem").path,
            ],
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], logs: folder,
            name: "proxy")
        self.process = process
        try waitUntil("the proxy: \(process.errors)", within: 20) { process.output.contains("ready") }
    }
}
