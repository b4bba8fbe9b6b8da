import Foundation
import TestSupport
import Testing

@Suite("The webhook for alerts", .serialized)
struct WebhookTests {
    /// The mock uses more than this at any time.
    private static func settings(_ url: String) -> [String: String] {
        QuickMock.settings.merging(["HIGH_POWER_THRESHOLD_W": "30", "ALERT_WEBHOOK_URL": url]) { $1 }
    }

    private func told(_ server: FaultServer) -> [String] {
        server.requests.compactMap { request in
            let object = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
            return object.map { "\($0["kind"] ?? "") \($0["state"] ?? "")" }
        }
    }

    @Test("A receiver that hangs holds nothing up; kill -9 loses nothing, and what was taken is not repeated")
    func hangs() throws {
        let server = try FaultServer { _ in .hang }
        var settings = Self.settings(server.url + "/hook/hunter2")
        settings["ALERT_WEBHOOK_SECRET"] = "correct horse"
        let host = try HostProcess(settings)
        try waitUntil("an attempt; the log:\n\(host.log.suffix(2000))", within: 20) { server.count == 1 }
        // While it hangs, the rest goes on.
        let slots = host.log.components(separatedBy: "Power: ").count
        try waitUntil("more slots", within: 10) { host.log.components(separatedBy: "Power: ").count > slots + 1 }
        #expect(server.count == 1)
        #expect(try #require(host.terminate()) < 2)

        server.setScript { _ in .reply(.init(401)) }
        try host.start()
        try host.waitForHealth("that nobody takes alerts") { health in
            let problems = "\(health["problems"] ?? "")"
            return health["status"] as? String == "degraded" && problems.contains("takes no alerts")
                && problems.contains("HTTP status 401; 1 message waits") && problems.contains("check ALERT_WEBHOOK_URL")
        }
        host.kill9()

        server.forgetRequests()
        server.setScript { _ in .reply(.init(204)) }
        try host.start()
        try waitUntil("the message; the log:\n\(host.log.suffix(2000))", within: 20) { !told(server).isEmpty }
        try waitUntil("that the store knows", within: 10) { try waiting(host) == 0 }
        try host.waitForHealth("that all is well") { $0["status"] as? String == "healthy" }
        #expect(try isGenuine(try #require(server.requests.last), secret: "correct horse") == "True False False")
        host.kill9()
        try host.start()
        let later = host.log.components(separatedBy: "Power: ").count
        try waitUntil("slots of the next run", within: 20) {
            host.log.components(separatedBy: "Power: ").count > later + 1
        }
        #expect(told(server) == ["high_consumption raised"])
        #expect(!host.allLogs.contains("hunter2") && !host.allLogs.contains("correct horse"))
        let config = try host.command(["config"]).output
        #expect(config.contains("ALERT_WEBHOOK_URL") && !config.contains("hunter2"))
    }

    /// What the function of `docs/alerts.md` says of a message: as it is, under another secret, and with another body.
    private func isGenuine(_ request: FaultServer.Request, secret: String) throws -> String {
        let folder = try TemporaryDirectory("receiver")
        try folder.write(
            "check.py",
            try block("python") + """

                import sys
                stamp, signature, body, secret = sys.argv[1], sys.argv[2], sys.argv[3].encode(), sys.argv[4].encode()
                headers = {"X-Smart-Meter-Timestamp": stamp, "X-Smart-Meter-Signature": signature}
                print(is_genuine(secret, headers, body), is_genuine(b"other", headers, body),
                      is_genuine(secret, headers, body + b" "))
                """)
        let headers = ["timestamp", "signature"].map { request.headers["x-smart-meter-\($0)"] ?? "" }
        let python = try ChildProcess(
            "\(Checkout.homeAssistantVenv)/bin/python",
            [folder.file("check.py").path] + headers + [request.text, secret], logs: folder, name: "python")
        guard try python.waitForEnd(within: 20) == 0 else { throw FixtureError(python.errors) }
        return python.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The last block of `docs/alerts.md` in a language.
    private func block(_ language: String) throws -> String {
        let page = try String(contentsOf: Checkout.root.appendingPathComponent("docs/alerts.md"), encoding: .utf8)
        let block = page.components(separatedBy: "```\(language)\n").last?.components(separatedBy: "```").first
        return try #require(block)
    }

    private func waiting(_ host: HostProcess) throws -> Int {
        let file = host.dataDirectory.path + "/smart-meter.db"
        let sqlite = try ChildProcess(
            "/usr/bin/sqlite3", [file, "SELECT count(*) FROM message WHERE answered IS NULL"], logs: host.logs,
            name: "sqlite3")
        guard try sqlite.waitForEnd(within: 10) == 0 else { throw FixtureError(sqlite.errors) }
        return Int(sqlite.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
    }

    @Test("A wrong address is refused by its name, and not shown")
    func wrongAddress() throws {
        let refused = try HostProcess.command(["run"], settings: Self.settings("homeassistant/hook/hunter2"))
        #expect(refused.status != 0)
        #expect(refused.errors.contains("ALERT_WEBHOOK_URL") && refused.errors.contains("http://"))
        #expect(!refused.errors.contains("hunter2"))
    }

    /// Shows the newest notification as a state. `webhook:` is part of the configuration that Home Assistant begins
    /// with, and not of these tests'.
    private static let witness = """
          - alias: "Witness"
            mode: queued
            trigger:
              - platform: event
                event_type: call_service
                event_data: {domain: persistent_notification, service: create}
            action:
              - service: input_text.set_value
                target: {entity_id: input_text.notified}
                data: {value: "{{ trigger.event.data.service_data.message[:200] }}"}
        input_text:
          notified: {max: 255}
        webhook:

        """

    @Test("Home Assistant's two automations, as documented, tell of high consumption and of a phantom load at 3 AM")
    func homeAssistant() throws {
        let home = try HomeAssistantServer([], more: try block("yaml") + Self.witness)
        // 2026-06-15T02:50:00Z.
        let clock = try TestClock(1_781_491_800)
        var settings = Self.settings(home.url + "/api/webhook/smart-meter-CHANGE-ME").merging(clock.settings) { $1 }
        settings.merge(
            ["MOCK_SAMPLE_SECONDS": "300", "MOCK_INTERVAL_SECONDS": "300", "PHANTOM_THRESHOLD_W": "20"]
        ) { $1 }
        let host = try HostProcess(settings)
        try waitUntil("the notification; the log:\n\(host.log.suffix(2000))", within: 20) {
            try home.state("input_text.notified")?.hasPrefix("High power consumption: ") ?? false
        }
        // A reading every five minutes, through the night's hour and a little more.
        for _ in 0..<17 {
            try clock.set(clock.now + 300)
            #expect(try host.command(["read"]).status == 0)
        }
        try waitUntil("the notification of the night; the log:\n\(host.log.suffix(3000))", within: 20) {
            let text = try home.state("input_text.notified") ?? ""
            return text.hasPrefix("High phantom load: ") && text.contains("kWh a year; behind it: ")
        }
        #expect(host.log.contains("High phantom load detected: "))
    }

    @Test("A meter that goes away is told of as silent and as failing, and both end when it is back")
    func away() throws {
        let server = try FaultServer { _ in .reply(.init(204)) }
        let influx = try InfluxServer()
        let home = try HomeAssistantServer(House.sensors)
        var settings = House.settings(home, influx)
        settings["ALERT_WEBHOOK_URL"] = server.url
        let host = try HostProcess(settings)
        try host.waitForConsumption("a reading") { $0["total_power_w"] as? Double == 2450.5 }
        home.kill()
        try waitUntil("both; the log:\n\(host.log.suffix(3000))", within: 30) {
            Set(told(server)) == ["no_data raised", "adapter_failing raised"]
        }
        try home.start()
        try waitUntil("both ends; the log:\n\(host.log.suffix(3000))", within: 90) { server.count >= 4 }
        #expect(
            told(server).sorted() == [
                "adapter_failing ended", "adapter_failing raised", "no_data ended", "no_data raised",
            ])
        try waitUntil("the points", within: 20) {
            let alerts = try influx.points("smart_meter_alert")
            return Set(alerts.map { "\($0.tags["kind"] ?? "") \($0.text("state") ?? "")" })
                == ["no_data ended", "adapter_failing ended"]
        }
        #expect(host.log.contains("no data ") && host.log.contains("adapter failing "))
    }
}
