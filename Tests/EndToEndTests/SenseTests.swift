import Foundation
import TestSupport
import Testing

@Suite("A Sense monitor", .serialized)
struct SenseTests {
    private static let second: Int64 = 1_000_000_000
    private static let hour = 3600

    /// It links libcrypto, so that it runs in a process of its own under either setting.
    private func settings(_ cloud: SenseSimulator, _ isolation: String) -> [String: String] {
        [
            "METER_TYPE": "sense", "SENSE_EMAIL": cloud.account.email, "SENSE_PASSWORD": cloud.account.password,
            "SENSE_API_URL": cloud.url, "BACKFILL_DAYS": "1", "ADAPTER_ISOLATION": isolation,
        ]
    }

    /// Whatever a person gets to see of it.
    private func expectNoSecret(_ host: HostProcess, _ cloud: SenseSimulator) throws {
        let adapters = try HTTP.get(host.port, "/api/v1/adapters", timeout: 5).text
        let health = try HTTP.get(host.port, "/health", timeout: 5).text
        for text in [host.allLogs, adapters, health, try host.command(["adapters"]).output] {
            for secret in cloud.tokens + [cloud.account.password] { #expect(!text.contains(secret)) }
        }
    }

    @Test(
        "Its reading and the day before are in InfluxDB as the cloud has them, and a restart logs in no second time",
        arguments: ["auto", "always"])
    func pipeline(_ isolation: String) throws {
        let model = SenseModel.house()
        let cloud = try SenseSimulator([model])
        let influx = try InfluxServer()
        let begin = Date().timeIntervalSince1970
        let host = try HostProcess(
            settings(cloud, isolation).merging(["INFLUXDB_URL": influx.url, "INFLUXDB_API": "v1"]) { $1 })
        let live = try waitFor("the first reading; the log:\n\(host.log.suffix(2000))", within: 30) {
            try influx.points("smart_meter").first { $0.text("quality") == "measured" }
        }
        // The house goes on within the quarter of an hour that was read, or within the next.
        let used = [begin, Date().timeIntervalSince1970].map { model.consumptionW(at: $0) }
        #expect(used.contains { abs((live.number("total_power_w") ?? .nan) - $0) < 0.01 })
        #expect(live.tags["meter_type"] == "sense" && live.text("total_is") == "consumption")
        let supplies = (live.number("grid_power_w") ?? .nan) + (live.number("solar_power_w") ?? .nan)
        #expect(abs(supplies - (live.number("total_power_w") ?? .nan)) < 0.01)
        let alwaysOn = try influx.points("smart_meter_circuit").first { $0.tags["circuit_name"] == "Always On" }
        #expect(alwaysOn?.number("power_w") == 902 && alwaysOn?.text("quality") == "estimated")

        #expect(host.log.contains("isolated=\(isolation == "always")"))
        try expectHistory(model, influx, host, before: Int(begin))
        try expectNoSecret(host, cloud)
        host.terminate()
        let lists = cloud.paths.filter { $0.hasSuffix("devices/overview") }.count
        try host.start()
        try waitUntil("the next start; the log:\n\(host.log.suffix(2000))", within: 30) {
            cloud.paths.filter { $0.hasSuffix("devices/overview") }.count > lists
        }
        #expect(cloud.loginCount == 1 && cloud.deviceIDs.count == 1 && cloud.complaints.isEmpty)
        try expectNoSecret(host, cloud)
    }

    /// Every slot of a whole hour of the last day is that hour's mean.
    private func expectHistory(
        _ model: SenseModel, _ influx: InfluxServer, _ host: HostProcess, before time: Int
    ) throws {
        let last = (time - 900) / Self.hour * Self.hour
        let ends = stride(from: last - 20 * Self.hour + 300, through: last, by: 300)
        try waitUntil("a day of slots; the log:\n\(host.log.suffix(3000))", within: 60) {
            let stored = Set(try influx.points("smart_meter").map(\.time))
            return ends.allSatisfy { stored.contains(Int64($0) * Self.second) }
        }
        let points = Dictionary(try influx.points("smart_meter").map { ($0.time, $0) }) { $1 }
        for end in ends {
            let point = try #require(points[Int64(end) * Self.second])
            let begin = (end - 1) / Self.hour * Self.hour
            let truth = model.energy(from: begin, to: begin + Self.hour)
            #expect(abs((point.number("total_power_w") ?? .nan) - truth.used * 1000) < 0.01)
            #expect(abs((point.number("solar_power_w") ?? .nan) - truth.made * 1000) < 0.01)
            #expect(point.text("quality") == "backfilled")
        }
    }

    @Test(
        "A password that is refused is tried once, and said in /health without being shown",
        arguments: ["auto", "always"])
    func refused(_ isolation: String) throws {
        let cloud = try SenseSimulator()
        var settings = settings(cloud, isolation)
        settings["SENSE_PASSWORD"] = "not-the-pässword&="
        let host = try HostProcess(settings)
        try host.waitForHealth("the refusal", within: 30) { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            return adapters.contains { ($0["last_error"] as? String)?.contains("SENSE_PASSWORD") == true }
        }
        let health = try HTTP.get(host.port, "/health").text
        #expect(!health.contains("not-the-p") && !host.allLogs.contains("not-the-p"))
        host.terminate()
        #expect(cloud.paths == ["authenticate"])
    }
}
