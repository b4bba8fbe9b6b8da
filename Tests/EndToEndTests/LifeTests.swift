import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Start, stop and signals", .serialized)
struct LifeTests {
    @Test("SIGTERM ends it within 2 s with status 0 and what was accepted on disk", arguments: [SIGTERM, SIGINT])
    func stops(_ signal: Int32) throws {
        let influx = try InfluxServer()
        let host = try HostProcess(QuickMock.to(influx.url, api: "v1"))
        try host.waitForConsumption("a reading") { $0["total_power_w"] as? Double != nil }
        let begin = ContinuousClock.now
        host.signal(signal)
        try waitUntil("the end", within: 5) { !host.isRunning }
        #expect(ContinuousClock.now - begin < .seconds(2))
        #expect(host.exitCode == 0)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        #expect(try !store.slots().isEmpty)
        #expect(try store.isSound())
    }

    @Test("SIGTERM ends it within 2 s while the meter and InfluxDB hang")
    func stopsAmongHangs() throws {
        let home = try FaultServer { _ in .hang }
        let influx = try FaultServer { _ in .hang }
        var settings = QuickMock.to(influx.url, api: "v2", token: "t")
        settings["METER_TYPE"] = "mock,home_assistant"
        settings["HOME_ASSISTANT_URL"] = home.url
        settings["HOME_ASSISTANT_TOKEN"] = "t"
        let host = try HostProcess(settings)
        try waitUntil("both asked", within: 20) { home.count >= 1 && influx.count >= 1 }
        #expect(try #require(host.terminate()) < 2)
        #expect(host.exitCode == 0)
    }

    @Test("It starts while nothing can be reached, says so, and delivers once InfluxDB is there")
    func startsAlone() throws {
        let influx = try InfluxServer()
        influx.stop()
        var settings = QuickMock.to(influx.url, api: "auto")
        settings["METER_TYPE"] = "mock,home_assistant"
        settings["HOME_ASSISTANT_URL"] = "http://127.0.0.1:\(try Loopback.freePort())"
        settings["HOME_ASSISTANT_TOKEN"] = "t"
        let host = try HostProcess(settings)
        try host.waitForConsumption("the mock's reading") { $0["meter_type"] as? String == "mock" }
        try host.waitForHealth("the unreachable meter and the backlog") { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            let home = adapters.first { $0["instance"] as? String == "home_assistant" }
            let delivery = health["delivery"] as? [String: Any]
            return home?["last_error"] as? String != nil
                && (delivery?["backlog_points"] as? NSNumber)?.intValue ?? 0 > 0
        }
        try influx.start()
        try waitUntil("points", within: 90) { try !influx.points("smart_meter").isEmpty }
    }

    @Test("SIGHUP reads a token file again, wherever the adapter runs", arguments: ["auto", "always"])
    func rereadsToken(_ isolation: String) throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("token", "old-token\n")
        let server = try FaultServer { request in
            request.headers["authorization"] == "Bearer new-token"
                ? .reply(.json(200, "[]")) : .reply(FaultServer.Reply(401, "401: Unauthorized"))
        }
        let host = try HostProcess([
            "METER_TYPE": "home_assistant", "HOME_ASSISTANT_URL": server.url,
            "HOME_ASSISTANT_TOKEN_FILE": file.path, "HOME_ASSISTANT_SAMPLE_SECONDS": "1",
            "ADAPTER_ISOLATION": isolation,
        ])
        try waitUntil("a request with the old token", within: 20) {
            server.requests.contains { $0.headers["authorization"] == "Bearer old-token" }
        }
        try folder.write("token", "new-token\n")
        host.signal(SIGHUP)
        try waitUntil("a request with the new token; the log:\n\(host.log.suffix(2000))", within: 20) {
            server.requests.contains { $0.headers["authorization"] == "Bearer new-token" }
        }
        #expect(host.isRunning)
        #expect(!host.allLogs.contains("old-token") && !host.allLogs.contains("new-token"))
    }

    @Test("A second host on the same data directory is refused, the first goes on")
    func secondHost() throws {
        let first = try HostProcess(QuickMock.settings)
        try first.waitForConsumption("a reading") { $0["total_power_w"] as? Double != nil }
        let second = try HostProcess(QuickMock.settings, dataDirectory: first.dataDirectory)
        try waitUntil("the second's end", within: 10) { !second.isRunning }
        #expect(second.exitCode != 0)
        #expect(second.log.contains(first.dataDirectory.path))
        #expect(first.isRunning)
        #expect(try first.consumption() != nil)
    }

    @Test("With nothing configured mock stands in for the live view only")
    func nothingConfigured() throws {
        let influx = try InfluxServer()
        let host = try HostProcess(["INFLUXDB_URL": influx.url])
        try host.waitForConsumption("the stand-in") {
            $0["simulated"] as? Bool == true && $0["meter_type"] as? String == "mock"
        }
        #expect(try influx.points("smart_meter").isEmpty)
        #expect(try StoredSlots(dataDirectory: host.dataDirectory).slots().isEmpty)
    }

    @Test("A wrong setting stops the start with one line that names it")
    func wrongSetting() throws {
        let host = try HostProcess(["METER_TYPE": "mock", "HISTORY_DAYS": "many"])
        try waitUntil("the end", within: 10) { !host.isRunning }
        #expect(host.exitCode != 0)
        #expect(host.log.contains("HISTORY_DAYS"))
        #expect(host.log.contains("many"))
    }
}
