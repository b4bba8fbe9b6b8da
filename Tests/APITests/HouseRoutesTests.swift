import API
import Foundation
import Readings
import Testing

@Suite(.serialized) struct HouseRoutesTests {
    @Test func `health has the contract's fields, before anything was fetched`() throws {
        let answer = try RunningServer(FakeHouse()).get("/health")
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json")
        let json = answer.json
        #expect(json["status"] as? String == "healthy")
        #expect(json["service"] as? String == "smart-meter-service")
        #expect(json["uptime_seconds"] as? Double == 12.5)
        #expect(json["last_successful_fetch"] is NSNull)
        #expect(json["total_fetches"] as? Int == 0)
        #expect(json["failed_fetches"] as? Int == 0)
        #expect(json["success_rate"] as? Double == 0)
        #expect(json["timestamp"] as? String == "2026-11-23T12:06:30.000Z")
        #expect(json["version"] as? String == "1.2.3")
    }

    @Test func `health sums the fetches of all adapters and stays 200 while unhealthy`() throws {
        var report = HealthReport(version: "1", timestamp: FakeHouse.noon, uptimeSeconds: 1)
        var first = HealthReport.Adapter(instance: "mock", meterType: "mock", state: "running")
        first.attempts = 3
        first.failures = 1
        first.lastSuccess = FakeHouse.noon - Duration.minute
        var second = HealthReport.Adapter(instance: "mock@b", meterType: "mock", state: "waiting")
        second.attempts = 1
        second.lastError = "refused: \"\u{1B}[31m<script>\""
        report.adapters = [first, second]
        report.problems = [
            .init(.degraded, what: "stale", todo: "look"), .init(.unhealthy, what: "disk full", todo: "free space"),
        ]
        let server = try RunningServer(FakeHouse(health: report))
        let answer = try server.get("/health")
        #expect(answer.status == 200)
        #expect(answer.json["status"] as? String == "unhealthy")
        #expect(answer.json["total_fetches"] as? Int == 4)
        #expect(answer.json["failed_fetches"] as? Int == 1)
        #expect(answer.json["success_rate"] as? Double == 0.75)
        #expect(answer.json["last_successful_fetch"] as? String == "2026-11-23T12:05:30.000Z")
        let adapters = try #require(answer.json["adapters"] as? [[String: Any]])
        #expect(adapters.map { $0["instance"] as? String } == ["mock", "mock@b"])
        #expect(adapters[1]["last_error"] as? String == "refused: \"\u{1B}[31m<script>\"")
        #expect((answer.json["problems"] as? [[String: Any]])?.last?["todo"] as? String == "free space")
        #expect(try server.get("/ready").status == 503)
        #expect(try server.get("/live").status == 200)
    }

    @Test func `a degraded service is ready`() throws {
        var report = HealthReport(version: "1", timestamp: FakeHouse.noon, uptimeSeconds: 1)
        report.problems = [.init(.degraded, what: "mock stands in", todo: "set METER_TYPE")]
        let server = try RunningServer(FakeHouse(health: report))
        #expect(try server.get("/health").json["status"] as? String == "degraded")
        #expect(try server.get("/ready").status == 200)
    }

    @Test func `consumption before the first reading is 503 with an error`() throws {
        let answer = try RunningServer(FakeHouse()).get("/consumption")
        #expect(answer.status == 503)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.json["error"] as? String != nil)
    }

    @Test func `consumption has every key where nothing is measured`() throws {
        let report = ReadingReport(instance: "mock", meterType: "mock", timestamp: FakeHouse.noon, totalIs: .grid)
        let json = try RunningServer(FakeHouse(readings: [report])).get("/consumption").json
        #expect(
            Set(json.keys) == [
                "total_power_w", "daily_kwh", "circuits", "timestamp", "total_is", "meter_type", "quality", "stale",
                "simulated", "grid_power_w", "solar_power_w", "battery_power_w", "consumption_power_w",
                "unmonitored_power_w",
            ])
        #expect(json["total_power_w"] is NSNull)
        #expect((json["circuits"] as? [Any])?.isEmpty == true)
        #expect(json["total_is"] as? String == "grid")
    }

    @Test func `hostile names of circuits arrive as text and unknown percentages as 0`() throws {
        let name = "<script>alert(1)</script>\"\\\n\u{0}\u{7F}\u{2028} ../../etc/passwd \u{1F50C}"
        var report = ReadingReport(
            instance: "mock", meterType: "mock", timestamp: FakeHouse.noon, totalIs: .consumption)
        report.totalPowerW = .nan
        report.circuits = [
            .init(id: "a", name: name, powerW: 60.25, percentage: 12.5),
            .init(id: "b", name: "B", powerW: nil, percentage: nil),
        ]
        let answer = try RunningServer(FakeHouse(readings: [report])).get("/consumption")
        let circuits = try #require(answer.json["circuits"] as? [[String: Any]])
        #expect(circuits[0]["name"] as? String == name)
        #expect(circuits[0]["power_w"] as? Double == 60.25)
        #expect(circuits[0]["entity_id"] as? String == "a")
        #expect(circuits[1]["power_w"] is NSNull)
        #expect(circuits[1]["percentage"] as? Double == 0)
        #expect(answer.json["total_power_w"] is NSNull)
        #expect(!answer.body.utf8.contains { $0 < 0x20 })
    }
}
