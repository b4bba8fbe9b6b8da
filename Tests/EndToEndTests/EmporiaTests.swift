import Foundation
import TestSupport
import Testing

@Suite("An Emporia account", .serialized)
struct EmporiaTests {
    private static let second: Int64 = 1_000_000_000

    private func settings(_ cloud: EmporiaSimulator, _ more: [String: String]) -> [String: String] {
        [
            "METER_TYPE": "emporia", "EMPORIA_EMAIL": cloud.account.email,
            "EMPORIA_PASSWORD": cloud.account.password, "EMPORIA_API_URL": cloud.url, "EMPORIA_AUTH_URL": cloud.url,
            "LOG_LEVEL": "debug",
        ].merging(more) { $1 }
    }

    /// Nothing that is secret stands in anything that the host shows.
    private func expectNoSecret(_ host: HostProcess, _ cloud: EmporiaSimulator, _ more: [String] = []) throws {
        let shown = try ["/health", "/api/v1/adapters", "/metrics"].map { try HTTP.get(host.port, $0).text }
        let words = shown.joined() + host.allLogs
        for secret in try cloud.state().secrets + [cloud.account.password] + more {
            #expect(!words.contains(secret))
        }
    }

    @Test("Live and past minutes reach InfluxDB, and a restart needs no login", arguments: ["auto", "always"])
    func pipeline(isolation: String) throws {
        let cloud = try EmporiaSimulator()
        let influx = try InfluxServer()
        let host = try HostProcess(
            settings(
                cloud,
                [
                    "ADAPTER_ISOLATION": isolation, "INFLUXDB_URL": influx.url, "INFLUXDB_API": "v1",
                    "BACKFILL_DAYS": "1",
                ]))
        try host.waitForConsumption("the first reading") { consumption in
            (consumption["circuits"] as? [Any])?.count == 5 && consumption["total_power_w"] is NSNumber
        }
        let day = Int64(86_400) * Self.second
        let now = Int64(Date().timeIntervalSince1970) * Self.second
        try waitUntil("a day of slots; the log:\n\(host.log.suffix(2000))", within: 90) {
            let points = try influx.points("smart_meter")
            return points.count > 250 && (points.first?.time ?? now) < now - day + 1800 * Self.second
        }
        let slots = try influx.points("smart_meter").filter { $0.text("quality") == "backfilled" }
        #expect(slots.count > 250)
        for slot in slots where slot.time % (300 * Self.second) == 0 {
            let end = Int(slot.time / Self.second)
            let truth = cloud.account.kWh(2345, "1,2,3", from: end - 300, to: end) * 12_000
            #expect(abs((slot.number("total_power_w") ?? .nan) - truth) < 0.01)
        }
        let lamp = try influx.points("smart_meter_circuit").filter { $0.tags["circuit_name"] == "Desk lamp" }
        #expect(lamp.count > 250)
        for point in lamp where point.text("quality") == "backfilled" {
            let end = Int(point.time / Self.second)
            let truth = cloud.account.kWh(9876, "1,2,3", from: end - 300, to: end) * 12_000
            #expect(abs((point.number("power_w") ?? .nan) - truth) < 0.01)
        }
        // Balance is the remainder, and no circuit.
        let names = Set(try influx.points("smart_meter_circuit").compactMap { $0.tags["circuit_name"] })
        #expect(names == ["Desk lamp", "Dryer", "Heat pump", "Küche", "Office"])
        let rest = try #require(slots.last?.number("unmonitored_power_w"))
        #expect(abs(rest - 240) < 0.01)

        let requests = try cloud.state().requests
        #expect(requests.filter { $0.contains("getChartUsage") }.count <= 6 * 4)
        #expect(host.terminate() != nil)
        try host.start()
        try waitUntil("the renewal", within: 20) { try cloud.state().renewals == 1 }
        try host.waitForLog("devices of the Emporia account: Home (2345, VUE002), Desk lamp (9876, SSO001)")
        #expect(try cloud.state().logins == 1)
        let adapters = try HTTP.get(host.port, "/api/v1/adapters").text
        #expect(adapters.contains("\"meter_type\":\"emporia\"") && adapters.contains("\"requests_per_day\":1900"))
        try expectNoSecret(host, cloud)
    }

    @Test("A wrong password is refused once, and said")
    func wrongPassword() throws {
        let cloud = try EmporiaSimulator()
        let host = try HostProcess(
            settings(cloud, ["ADAPTER_ISOLATION": "always", "EMPORIA_PASSWORD": "wr0ng&pässword"]))
        try host.waitForHealth("the refusal") { "\($0)".contains("Emporia refuses EMPORIA_EMAIL and EMPORIA_PASSWORD") }
        host.signal(SIGHUP)
        try waitUntil("the second attempt, which a person has asked for", within: 15) { try cloud.state().refused == 2 }
        usleep(1_000_000)
        #expect(try cloud.state().refused == 2)
        try expectNoSecret(host, cloud, ["wr0ng"])
    }
}
