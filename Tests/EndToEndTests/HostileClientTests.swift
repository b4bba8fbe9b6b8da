import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite("Clients that mean no good", .serialized)
struct HostileClientTests {
    private struct Footprint {
        let anonymousBytes: Double
        let descriptors: Double
        let threads: Double

        init(_ host: HostProcess) throws {
            let text = try HTTP.get(host.port, "/metrics").text
            anonymousBytes = try #require(HTTPAPITests.sample("process_anonymous_memory_bytes", in: text))
            descriptors = try #require(HTTPAPITests.sample("process_open_fds", in: text))
            threads = try #require(HTTPAPITests.sample("process_threads", in: text))
        }
    }

    /// Asks for /health until told to stop; what it found.
    private final class HealthWatch: Sendable {
        struct Findings: Sendable {
            var slowest = 0.0
            var failures = 0
            var count = 0
            var isOver = false
        }

        private let findings = Mutex(Findings())

        init(_ host: HostProcess) {
            let port = host.port
            Thread.detachNewThread { [self] in
                while !findings.withLock({ $0.isOver }) {
                    let begin = ContinuousClock.now
                    let status = (try? HTTP.get(port, "/health", timeout: 5).status) ?? 0
                    let seconds = (ContinuousClock.now - begin) / .seconds(1)
                    findings.withLock { findings in
                        findings.count += 1
                        if status != 200 { findings.failures += 1 }
                        findings.slowest = max(findings.slowest, seconds)
                    }
                    usleep(10_000)
                }
            }
        }

        func end() -> Findings {
            findings.withLock { findings in
                findings.isOver = true
                return findings
            }
        }
    }

    @Test(
        "500 connections that dawdle, 10,000 malformed requests and everything oversize: /health answers all the while, and memory and descriptors return"
    )
    func siege() throws {
        let host = try HostProcess(QuickMock.settings)
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        // What a first use takes for good is taken.
        try Self.besiege(host, connections: 100, requests: 500)
        let before = try Self.settled(host)
        let watch = HealthWatch(host)
        try Self.besiege(host, connections: 500, requests: 10_000)
        let seen = watch.end()
        #expect(seen.failures == 0 && seen.count > 20, "\(seen)")
        #expect(seen.slowest < 2, "\(seen)")
        // The dawdlers are cut off after 15 s; those that were hung up on are gone already.
        try waitUntil("the descriptors of before; they were \(before)", within: 30) {
            try Footprint(host).descriptors <= before.descriptors + 2
        }
        try waitUntil("the memory of before; it was \(before)", within: 10) {
            try Footprint(host).anonymousBytes - before.anonymousBytes < 1e6
        }
        #expect(try Footprint(host).threads <= before.threads)
        #expect(host.isRunning)
    }

    private static func settled(_ host: HostProcess) throws -> Footprint {
        for _ in 0..<5 { _ = try Footprint(host) }
        return try Footprint(host)
    }

    private static let beginnings = [
        "GET /health HTTP/1.1\r\nHost: l",
        "POST /api/v1/adapters/mock/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
        "GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\nX: ", "",
    ]

    /// More than an address may have is hung up on: who asks for /health has another.
    private static let attacker = "127.0.0.2"

    private static func besiege(_ host: HostProcess, connections: Int, requests: Int) throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed of the siege: \(seed)")
        var random = SeededRandom(seed: seed)
        let dawdlers = try (0..<connections).map { index in
            let dawdler = try RawConnection(port: host.port, from: attacker)
            dawdler.send(beginnings[index % beginnings.count])
            return dawdler
        }
        for round in 0..<requests {
            let connection = try RawConnection(port: host.port, from: attacker)
            connection.send(MalformedRequest.make(&random))
            // Most are gone before they are answered.
            if round.isMultiple(of: 50) { _ = connection.ends(within: 0.05) }
        }
        for request in oversize {
            let connection = try RawConnection(port: host.port, from: attacker)
            connection.send(request)
            #expect(connection.ends(within: 5), "\(request.prefix(80))")
        }
        withExtendedLifetime(dawdlers) {}
    }

    private static let oversize = [
        "GET /" + String(repeating: "x", count: 100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "x", count: 100_000) + "\r\n\r\n",
        "GET /health HTTP/1.1\r\n" + (0..<5000).map { "X-\($0): y\r\n" }.joined() + "\r\n",
        "POST /live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
            + String(repeating: "b", count: 1_000_000),
        "GET /api/v1/history?" + (0..<300).map { "circuit=\($0)" }.joined(separator: "&")
            + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ]

    @Test("Years of quarter hours go out as CSV without being in memory, and more than an answer holds is refused")
    func longAnswer() throws {
        let folder = try TemporaryDirectory("crowd")
        try CAdapter.build("crowd.c", as: "crowd.so", in: folder, macros: ["CIRCUITS=5"])
        let host = try HostProcess([
            "METER_TYPE": "crowd", "ADAPTER_PATH": folder.path, "CROWD_INTERVAL_SECONDS": "1",
        ])
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("a bucket; the log:\n\(host.log.suffix(2000))", within: 20) {
            try store.newestOrNone() > 0 && !store.query("SELECT start FROM bucket").isEmpty
        }
        host.terminate()
        // Six years, all as the last quarter hour.
        let quarters = 6 * 365 * 96
        let columns = try store.query("SELECT name FROM pragma_table_info('bucket')").compactMap {
            $0["name"] as? String
        }
        let values = columns.map { $0 == "start" ? "start - i * 900000000000" : $0 }.joined(separator: ", ")
        _ = try store.query(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(quarters))
            INSERT INTO bucket (\(columns.joined(separator: ", "))) SELECT \(values)
            FROM (SELECT * FROM bucket ORDER BY start DESC LIMIT 1), n
            """)
        try host.start()
        try host.waitForConsumption("the host") { _ in true }
        let now = Int(Date().timeIntervalSince1970)
        let before = try Self.settled(host)
        let path = "/api/v1/history?circuit=*&resolution=15m&format=csv&from=\(now - 366 * 86_400)&to=\(now)"
        let lines = try Self.lineCount(of: path, host, folder)
        let after = try Footprint(host)
        #expect((5 * 365 * 96...5 * 367 * 96).contains(lines), "\(lines)")
        #expect(after.anonymousBytes - before.anonymousBytes < 3e6, "\(before) \(after)")

        let tooMuch = try HTTP.get(host.port, "/api/v1/history?circuit=*&resolution=15m&from=2000-01-01")
        #expect(tooMuch.status == 400)
        #expect(try (tooMuch.object()["detail"] as? String)?.contains("1000000") == true)
        let months = try HTTP.get(host.port, "/api/v1/history?circuit=*&resolution=1mo&from=2000-01-01").object()
        #expect((72...75).contains((months["periods"] as? [Any])?.count ?? 0))
    }

    /// Read a little at a time, as a program would that writes it to a file.
    private static func lineCount(of path: String, _ host: HostProcess, _ logs: TemporaryDirectory) throws -> Int {
        let script = """
            import urllib.request
            print(sum(1 for _ in urllib.request.urlopen("http://127.0.0.1:\(host.port)\(path)", timeout=60)))
            """
        let child = try ChildProcess(
            "/usr/bin/env", ["python3", "-c", script],
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], logs: logs,
            name: "lines")
        guard try child.waitForEnd(within: 120) == 0 else { throw FixtureError("python: \(child.errors)") }
        return Int(child.output.split(separator: "\n").first ?? "") ?? 0
    }
}
