import Foundation
import TestSupport
import Testing

@Suite("What /health says is true", .serialized)
struct HealthTests {
    /// The problem that begins with this; each says since when and what to do.
    private static func problem(_ text: String, _ health: [String: Any]) -> [String: Any]? {
        let problems = health["problems"] as? [[String: Any]] ?? []
        return problems.first { problem in
            (problem["what"] as? String)?.contains(text) == true && problem["since"] is String
                && (problem["todo"] as? String)?.isEmpty == false
        }
    }

    @Test(
        "A disk that fills up: degraded while there is a reserve, unhealthy afterwards, and well again once there is room",
        .enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
    func fullDisk() throws {
        let disk = try SmallDisk(megabytes: 100)
        let host = try HostProcess(QuickMock.settings.merging(["DATA_DIR": "\(disk.path)/data"]) { $1 })
        try host.waitForHealth("the start") {
            $0["status"] as? String == "healthy" && $0["total_fetches"] as? Int ?? 0 > 10
        }
        try disk.fill()
        try host.waitForHealth("the end of the reserve", within: 60) { health in
            health["status"] as? String == "degraded" && Self.problem("almost full", health) != nil
        }
        #expect(try HTTP.get(host.port, "/ready").status == 200)
        try disk.fill()
        try host.waitForHealth("the store that takes nothing", within: 60) { health in
            let problem = Self.problem("the store takes nothing", health)
            return health["status"] as? String == "unhealthy" && problem?["severity"] as? String == "unhealthy"
                && (problem?["todo"] as? String)?.contains("make room") == true
        }
        #expect(try HTTP.get(host.port, "/ready").status == 503)
        #expect(try HTTP.get(host.port, "/live").status == 200)
        #expect(try HTTP.get(host.port, "/metrics").text.contains("\nsmart_meter_store_up 0\n"))
        // What is live goes on.
        try host.waitForConsumption("a live reading") { $0["stale"] as? Bool == false }
        try disk.empty()
        try host.waitForHealth("recovery", within: 60) { $0["status"] as? String != "unhealthy" }
        #expect(try HTTP.get(host.port, "/ready").status == 200)
    }

    @Test(
        "An InfluxDB that refuses: what waits, since when, and what to do; and nothing of it once it takes everything")
    func refusingServer() throws {
        let isOpen = try TemporaryDirectory("gate")
        let influx = try FaultServer { _ in
            FileManager.default.fileExists(atPath: isOpen.file("open").path)
                ? .reply(FaultServer.Reply(204)) : .reply(FaultServer.Reply(401, "{\"error\":\"no\"}"))
        }
        let host = try HostProcess(QuickMock.to(influx.url, api: "v2", token: "wrong-token"))
        try host.waitForHealth("the refusal", within: 30) { health in
            guard let problem = Self.problem("is unauthorized", health) else { return false }
            return (problem["what"] as? String)?.contains("points wait") == true
                && (problem["todo"] as? String)?.contains("INFLUXDB_TOKEN") == true
                && health["status"] as? String == "degraded"
        }
        let delivery = try HTTP.get(host.port, "/api/v1/delivery").object()
        let backlog = try #require(delivery["backlog"] as? [String: Any])
        #expect(delivery["state"] as? String == "unauthorized")
        #expect(backlog["points"] as? Int ?? 0 > 0 && backlog["bytes"] as? Int ?? 0 > 0 && backlog["oldest"] is String)
        let instances = try #require(delivery["instances"] as? [[String: Any]])
        #expect(instances.map { $0["instance"] as? String } == ["mock"])
        try isOpen.write("open", "")
        host.signal(SIGHUP)
        try host.waitForHealth("health", within: 30) { $0["status"] as? String == "healthy" }
    }

    @Test(
        "A meter that hands over its readings by itself, and never did: said since when, and nothing said that is not")
    func silentMeter() throws {
        let folder = try TemporaryDirectory("silent")
        try CAdapter.build("diary.c", as: "diary.so", in: folder)
        try folder.write("diary", "at \(Int64(Date().timeIntervalSince1970) + 86_400) 1000 0 0\n")
        let host = try HostProcess([
            "METER_TYPE": "diary", "DIARY_FILE": folder.file("diary").path, "ADAPTER_PATH": folder.path,
            "DIARY_SAMPLE_SECONDS": "0.1",
        ])
        try host.waitForHealth("the silence", within: 30) { health in
            let adapter = (health["adapters"] as? [[String: Any]])?.first
            return Self.problem("diary has given no reading yet", health) != nil
                && adapter?["state"] as? String == "running" && adapter?["next_run"] is NSNull
        }
        #expect(!host.log.contains("mock data stands in") && !host.log.contains("stand-in ends"), "\(host.log)")
    }

    @Test("A directory of adapters that is not there: what to do about a directory")
    func missingDirectory() throws {
        let folder = try TemporaryDirectory("adapters")
        let host = try HostProcess(
            QuickMock.settings.merging(["ADAPTER_PATH": folder.file("nowhere").path]) { $1 })
        try host.waitForHealth("the directory", within: 30) { health in
            let problems = health["problems"] as? [[String: Any]] ?? []
            let problem = problems.first { "\($0["what"] ?? "")".contains("there is no such directory") }
            return (problem?["todo"] as? String)?.contains("create the directory") == true
        }
    }

    @Test("A server that takes points more slowly than they come: what waits and since when, until all is delivered")
    func slowServer() throws {
        let isQuick = try TemporaryDirectory("gate")
        let influx = try FaultServer { _ in
            FileManager.default.fileExists(atPath: isQuick.file("quick").path)
                ? .reply(FaultServer.Reply(204)) : .late(2, FaultServer.Reply(204))
        }
        let clock = try TestClock(Date().timeIntervalSince1970)
        let settings = QuickMock.to(influx.url, api: "v2", token: "token").merging(clock.settings) { $1 }
        let host = try HostProcess(settings)
        try waitUntil("a request", within: 30) { !influx.requests.isEmpty }
        try clock.set(clock.now + 1200)
        try host.waitForHealth("what waits", within: 30) { health in
            let problem = Self.problem("points wait for delivery, although", health)
            return (problem?["todo"] as? String)?.contains("load of the server") == true
                && health["status"] as? String == "degraded"
        }
        try isQuick.write("quick", "")
        try host.waitForHealth("health", within: 30) { $0["status"] as? String == "healthy" }
    }
}
