import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The HTTP API of a running host", .serialized)
struct HTTPAPITests {
    private static let token = "correct-horse-battery"
    private static let authorization = ["Authorization": "Bearer \(token)"]

    private static func guarded() throws -> HostProcess {
        let settings = ["API_TOKEN": token, "HIGH_POWER_THRESHOLD_W": "50"]
        let host = try HostProcess(QuickMock.settings.merging(settings) { $1 })
        try waitUntil("a stored slot; the log:\n\(host.log.suffix(2000))", within: 15) {
            let answer = try? HTTP.get(host.port, "/api/v1/history?resolution=raw", headers: authorization)
            return (try answer?.object()["periods"] as? [Any])?.isEmpty == false
        }
        return host
    }

    private static func check(_ words: [String], _ host: HostProcess) throws {
        let logs = try TemporaryDirectory("check")
        let script = Checkout.root.appendingPathComponent("Tests/EndToEndTests/Fixtures/check_api.py").path
        let child = try ChildProcess(
            Checkout.apiPython, [script, words[0], "\(host.port)", token] + words.dropFirst(),
            environment: ["HOME": logs.path, "PATH": "/usr/bin:/bin"], logs: logs, name: "check")
        let status = try child.waitForEnd(within: 120)
        #expect(status == 0, "\(child.output.suffix(6000))\(child.errors.suffix(2000))")
    }

    @Test("Whatever is asked, the answer is one that /openapi.json describes, and never a failure of the server")
    func answers() throws {
        let host = try Self.guarded()
        try Self.check(["answers"], host)
        #expect(host.isRunning)
        #expect(!host.allLogs.contains(Self.token))
    }

    @Test("docs/api.md has each route, parameter and metric, and examples that are answers")
    func document() throws {
        try Self.check(["documents", Checkout.root.appendingPathComponent("docs/api.md").path], try Self.guarded())
    }

    @Test("promtool finds nothing wrong with /metrics, also with names that would break a line")
    func metrics() throws {
        let folder = try TemporaryDirectory("promtool")
        let host = try Hostile.host(folder)
        let text = try waitFor("metrics of circuits", within: 15) {
            let text = (try? HTTP.get(host.port, "/metrics").text) ?? ""
            return text.contains("smart_meter_circuit_power_watts{") ? text : nil
        }
        let file = try folder.write("metrics", text)
        let child = try ChildProcess(
            "/bin/sh", ["-c", "promtool check metrics < '\(file.path)'"], environment: ["PATH": "/usr/bin:/bin"],
            logs: folder, name: "promtool")
        let status = try child.waitForEnd(within: 20)
        #expect(status == 0, "\(child.errors)")
        #expect(text.contains(#"name="quote\" backslash\\""#))
        #expect(text.contains("# TYPE smart_meter_read_duration_seconds histogram"))
        let resident = try #require(Self.sample("process_resident_memory_bytes", in: text))
        #expect((5e6..<200e6).contains(resident))
        #expect(try #require(Self.sample("process_open_fds", in: text)) > 5)
    }

    static func sample(_ name: String, in text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }?.split(separator: " ").last.flatMap {
            Double($0)
        }
    }

    @Test("Hostile names of circuits are data, wherever they are shown")
    func hostileNames() throws {
        let folder = try TemporaryDirectory("hostile")
        let host = try Hostile.host(folder)
        func object(_ path: String) throws -> [String: Any] { try HTTP.get(host.port, path).object() }
        try waitUntil("a stored quarter; the log:\n\(host.log.suffix(2000))", within: 15) {
            ((try? object("/api/v1/history?resolution=15m"))?["periods"] as? [Any])?.isEmpty == false
        }
        let names = Set(Hostile.circuits.map(\.name))
        // It begins with readings of a while ago: until it has caught up, something else stands in for it.
        try host.waitForConsumption("its circuits") { consumption in
            Set((consumption["circuits"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }) == names
        }
        for (path, list) in [("/consumption", "circuits"), ("/api/v1/circuits", "circuits")] {
            let answer = try object(path)
            // A power is nothing without the moment that it is of.
            #expect(answer["timestamp"] is String && answer["stale"] is Bool)
            let circuits = try #require(answer[list] as? [[String: Any]])
            #expect(Set(circuits.compactMap { $0["name"] as? String }) == names, "\(path)")
        }
        let history = try object("/api/v1/history?circuit=*&resolution=15m")
        let series = try #require(history["series"] as? [[String: Any]])
        #expect(Set(series.compactMap { $0["name"] as? String }) == names)
        for circuit in Hostile.circuits {
            let one = try object("/api/v1/history?resolution=15m&circuit=\(HTTP.escaped(circuit.id))")
            #expect((one["series"] as? [[String: Any]])?.first?["name"] as? String == circuit.name)
        }
        let csv = try HTTP.get(host.port, "/api/v1/history?circuit=*&resolution=15m&format=csv")
        #expect(csv.headers["content-type"]?.hasPrefix("text/csv") == true)
        #expect(csv.headers["x-content-type-options"] == "nosniff")
        #expect(csv.text.contains("'=cmd|' /C calc'!A0"))
        #expect(csv.text.contains(#""quote"" backslash\""#))
        let rows = csv.text.split(separator: "\r\n")
        #expect(rows.count > Hostile.circuits.count && (rows.count - 1) % Hostile.circuits.count == 0)
    }

    @Test("A pause is all that /health says of a meter, and outlives kill -9; a resume goes on")
    func pause() throws {
        let host = try HostProcess(QuickMock.settings.merging(["STALE_SECONDS": "1"]) { $1 })
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        func state() throws -> String? {
            let adapters = try HTTP.get(host.port, "/api/v1/adapters").object()["adapters"] as? [[String: Any]]
            return adapters?.first?["state"] as? String
        }
        let answer = try HTTP.post(host.port, "/api/v1/adapters/mock/pause")
        #expect(answer.status == 202)
        #expect(try answer.object()["action"] as? String == "pause")
        try waitUntil("the pause", within: 10) { try state() == "paused" }
        #expect(try HTTP.post(host.port, "/api/v1/adapters/mock/read").status == 409)
        // Nothing stands in for it.
        try host.waitForConsumption("its last reading") {
            $0["stale"] as? Bool == true && $0["simulated"] as? Bool == false && $0["total_power_w"] is NSNumber
        }
        let problems = try host.health()["problems"] as? [[String: Any]] ?? []
        #expect(problems.map { $0["what"] as? String } == ["mock is paused: nothing of it is read"])
        try waitUntil("the durable pause", within: 10) {
            try !StoredSlots(dataDirectory: host.dataDirectory)
                .query("SELECT 1 AS found FROM state WHERE key = 'host:paused'").isEmpty
        }
        host.kill9()
        try host.start()
        try host.waitForHealth("the pause in /health") { health in
            let problems = health["problems"] as? [[String: Any]] ?? []
            return health["status"] as? String == "degraded"
                && problems.contains {
                    ($0["what"] as? String)?.contains("mock is paused") == true && $0["since"] is String
                        && ($0["todo"] as? String)?.contains("resume") == true
                }
        }
        #expect(try state() == "paused")
        #expect(try HTTP.post(host.port, "/api/v1/adapters/mock/resume").status == 202)
        try host.waitForConsumption("a reading after the pause") {
            $0["total_power_w"] is NSNumber && $0["stale"] as? Bool == false
        }
        try host.waitForHealth("health") { $0["status"] as? String == "healthy" }
        let alerts = try StoredSlots(dataDirectory: host.dataDirectory).query("SELECT kind FROM alert")
        #expect(alerts.isEmpty)
    }

    @Test("A reading that is asked for comes before its time")
    func readNow() throws {
        var settings = QuickMock.settings
        settings["MOCK_SAMPLE_SECONDS"] = "3600"
        let host = try HostProcess(settings)
        func attempts() -> Int? {
            let answer = try? HTTP.get(host.port, "/api/v1/adapters").object()
            return (answer?["adapters"] as? [[String: Any]])?.first?["attempts"] as? Int
        }
        try waitUntil("the first reading", within: 10) { attempts() == 1 }
        #expect(try HTTP.post(host.port, "/api/v1/adapters/mock/read").status == 202)
        try waitUntil("the one that was asked for", within: 10) { attempts() == 2 }
    }

    @Test("SIGHUP takes a new token from its file, and the old one no longer counts")
    func newToken() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("token", "the-first-token-of-two\n")
        let host = try HostProcess(QuickMock.settings.merging(["API_TOKEN_FILE": file.path]) { $1 })
        func status(_ token: String) throws -> Int {
            try HTTP.get(host.port, "/api/v1/readings", headers: ["Authorization": "Bearer \(token)"]).status
        }
        try waitUntil("the host", within: 10) { (try? status("the-first-token-of-two")) == 200 }
        #expect(try status("the-second-token-of-two") == 401)
        try folder.write("token", "the-second-token-of-two\n")
        host.signal(SIGHUP)
        try waitUntil("the new token", within: 10) { try status("the-second-token-of-two") == 200 }
        #expect(try status("the-first-token-of-two") == 401)
        #expect(!host.allLogs.contains("token-of-two"))
    }

    @Test(
        "A token that somebody could guess stops the start, and is not printed",
        arguments: ["secret", "with a blank in it"])
    func weakToken(_ token: String) throws {
        let host = try HostProcess(["METER_TYPE": "mock", "API_TOKEN": token])
        try waitUntil("the end", within: 10) { !host.isRunning }
        #expect(host.log.contains("API_TOKEN") && host.log.contains("16"))
        #expect(!host.log.contains(token))
    }

    @Test("Secrets of adapters are not shown")
    func secrets() throws {
        let host = try HostProcess([
            "METER_TYPE": "home_assistant", "HOME_ASSISTANT_URL": "http://user:pass-word@127.0.0.1:1",
            "HOME_ASSISTANT_TOKEN": "ha-token-value",
        ])
        let text = try waitFor("the adapter's failure", within: 15) {
            let text = (try? HTTP.get(host.port, "/api/v1/adapters").text) ?? ""
            return text.contains("\"backing_off\"") ? text : nil
        }
        #expect(text.contains(#""name":"HOME_ASSISTANT_TOKEN","value":"***""#))
        for path in ["/api/v1/adapters", "/health", "/metrics", "/api/v1/delivery", "/consumption", "/api/v1/readings"]
        {
            let text = try HTTP.get(host.port, path).text
            #expect(!text.contains("ha-token-value") && !text.contains("pass-word"), "\(path)")
        }
        // What fails says since when, and that it is tried again.
        try host.waitForHealth("the stand-in") { "\($0)".contains("mock data stands in") }
        let problems = try #require(try host.health()["problems"] as? [[String: Any]])
        let failing = try #require(
            problems.first { ($0["what"] as? String)?.hasPrefix("home_assistant is failing") == true })
        #expect(failing["since"] is String && failing["todo"] as? String == "it is tried again by itself")
        let standIn = try #require(problems.first { ($0["what"] as? String)?.hasPrefix("mock data stands in") == true })
        #expect(standIn["since"] is String)
    }
}

/// A meter whose circuits are called what nobody should call them.
enum Hostile {
    struct Circuit: Sendable {
        let id: String
        let name: String
    }

    static let circuits = [
        Circuit(id: "<script>alert(1)</script>", name: "<script>alert(document.cookie)</script>"),
        Circuit(id: "../../etc/passwd", name: "../../../../etc/passwd"),
        Circuit(id: "=cmd", name: "=cmd|' /C calc'!A0"),
        Circuit(id: "quotes", name: #"quote" backslash\"#),
        Circuit(id: "%00%2f&circuit=total", name: "a,b;c{d}\u{7F}"),
    ]

    /// A host that has read them once a quarter of an hour ago.
    static func host(_ folder: TemporaryDirectory, _ settings: [String: String] = [:]) throws -> HostProcess {
        try CAdapter.build("diary.c", as: "diary.so", in: folder)
        let now = Int64(Date().timeIntervalSince1970)
        var lines = circuits.map { "circuit \($0.id) 1 0 - \($0.name)" }
        let powers = circuits.map { _ in "100" }.joined(separator: " ")
        for step in stride(from: Int64(-1200), through: 3600, by: 1) {
            lines.append("at \(now + step) 1000 0 0 \(powers)")
        }
        try folder.write("diary", lines.joined(separator: "\n") + "\n")
        let own = [
            "METER_TYPE": "diary", "DIARY_FILE": folder.file("diary").path, "ADAPTER_PATH": folder.path,
            "DIARY_INTERVAL_SECONDS": "60",
        ]
        return try HostProcess(own.merging(settings) { $1 })
    }
}
