import Foundation
import TestSupport
import Testing

@Suite("Several meters at once", .serialized)
struct InstanceTests {
    @Test("One adapter runs twice, with settings of its own each; only the house writes smart_meter")
    func labels() throws {
        let influx = try InfluxServer()
        var settings = QuickMock.to(influx.url, api: "v1")
        settings["METER_TYPE"] = "mock,mock@attic,nowhere"
        settings["MOCK__ATTIC__SEED"] = "7"
        let host = try HostProcess(settings)
        try waitUntil("points of both; the log:\n\(host.log.suffix(2000))", within: 20) {
            let tags = Set(try influx.points("smart_meter_circuit").map { $0.tags["meter"] ?? "" })
            return tags == ["", "attic"]
        }
        #expect(Set(try influx.points("smart_meter").map(\.tags)) == [["meter_type": "mock"]])
        let totals = try influx.points("smart_meter_circuit").filter { $0.tags["circuit_name"] == "Total" }
        #expect(Set(totals.map { $0.tags["meter"] }) == ["attic"])
        #expect(totals.allSatisfy { $0.text("kind") == "total" })
        // A type that is not there waits, is named, and stops nobody.
        try host.waitForHealth("the meter that waits") { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            return adapters.contains { $0["instance"] as? String == "nowhere" && $0["state"] as? String == "waiting" }
                && health["status"] as? String == "degraded"
        }
    }

    @Test("PRIMARY_METER is the house, wherever it stands in METER_TYPE")
    func primary() throws {
        let influx = try InfluxServer()
        var settings = QuickMock.to(influx.url, api: "v1")
        settings["METER_TYPE"] = "mock,mock@attic"
        settings["MOCK__ATTIC__SEED"] = "7"
        settings["PRIMARY_METER"] = "mock@attic"
        let host = try HostProcess(settings)
        try waitUntil("points of the house; the log:\n\(host.log.suffix(2000))", within: 20) {
            try influx.points("smart_meter").count >= 2
        }
        #expect(Set(try influx.points("smart_meter").map(\.tags)) == [["meter_type": "mock", "meter": "attic"]])
        let totals = try influx.points("smart_meter_circuit").filter { $0.tags["circuit_name"] == "Total" }
        #expect(Set(totals.map { $0.tags["meter"] }) == [nil])
    }

    @Test("A reading is printed through the running host, and where none runs")
    func read() throws {
        let host = try HostProcess(QuickMock.settings)
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        let through = try host.command(["read", "--json"])
        #expect(through.status == 0)
        #expect(through.output.contains(#""instance":"mock""#))
        let alone = try HostProcess.command(["read", "mock", "--json"], settings: [:])
        #expect(alone.status == 0)
        let reading = try #require(
            try JSONSerialization.jsonObject(with: Data(alone.output.utf8)) as? [String: Any])
        #expect((reading["circuits"] as? [Any])?.count == 6)
        let wrong = try HostProcess.command(["read", "nothing"], settings: [:])
        #expect(wrong.status != 0)
        #expect(wrong.errors.contains("nothing"))
    }

    @Test("A private certificate authority is trusted where it is named, and nowhere else")
    func privateAuthority() throws {
        let folder = try TemporaryDirectory("tls")
        let openssl = try ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", folder.file("key.pem").path, "-out",
                folder.file("ca.pem").path,
            ], logs: folder, name: "openssl")
        #expect(try openssl.waitForEnd(within: 30) == 0)
        let port = try Loopback.freePort()
        let script = Checkout.root.appendingPathComponent("Tests/EndToEndTests/Fixtures/tls_home_assistant.py").path
        let server = try ChildProcess(
            "/usr/bin/env", ["python3", script, "\(port)", folder.file("ca.pem").path, folder.file("key.pem").path],
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], logs: folder,
            name: "server")
        try waitUntil("the server: \(server.errors)", within: 20) { server.output.contains("ready") }
        var settings = [
            "HOME_ASSISTANT_URL": "https://localhost:\(port)", "HOME_ASSISTANT_TOKEN": "tls-token",
        ]
        let refused = try HostProcess.command(["read", "home_assistant"], settings: settings)
        #expect(refused.status != 0)
        #expect(refused.errors.contains("TLS"), "\(refused.errors)")
        settings["HOME_ASSISTANT_CA_FILE"] = folder.file("ca.pem").path
        let trusted = try HostProcess.command(["read", "home_assistant", "--json"], settings: settings)
        #expect(trusted.status == 0, "\(trusted.errors)")
        #expect(trusted.output.contains(#""total_power_w":1234.0"#), "\(trusted.output)")
    }
}
