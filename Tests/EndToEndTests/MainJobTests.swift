import Foundation
import TestSupport
import Testing

@Suite("From a real Home Assistant to a real InfluxDB", .serialized)
struct MainJobTests {
    @Test("What the house uses arrives in InfluxDB in watts, and what is not measured does not arrive as 0")
    func arrives() throws {
        let home = try HomeAssistantServer(House.sensors)
        let influx = try InfluxServer()
        let host = try HostProcess(House.settings(home, influx))
        try waitUntil("the first points in InfluxDB", within: 20) {
            try influx.points("smart_meter").count >= 3 && !influx.points("smart_meter_circuit").isEmpty
        }

        let point = try #require(try influx.points("smart_meter").last)
        #expect(point.tags == ["meter_type": "home_assistant"])
        #expect(point.number("total_power_w") == 2450.5)
        #expect(point.number("daily_kwh") == 12.25)
        #expect(point.text("total_is") == "consumption")

        let circuits = try influx.points("smart_meter_circuit")
        let powers = Dictionary(grouping: circuits, by: { $0.tags["circuit_name"] ?? "" })
            .mapValues { Set($0.compactMap { $0.number("power_w") }) }
        #expect(powers["Power Kitchen"] == [350])
        #expect(powers["Power Office"] == [120])
        #expect(powers["Power Balcony"] == [-180])
        for name in ["Power Garage", "Power Attic", "Power Broken", "Power Production Forecast"] {
            #expect(powers[name, default: []].isEmpty, "\(name) is not measured")
        }
        #expect(!powers.keys.contains { $0.hasPrefix("Total Power") })
        let kitchen = try #require(circuits.last { $0.tags["circuit_name"] == "Power Kitchen" })
        #expect(abs((kitchen.number("percentage") ?? 0) - 100 * 350 / 2450.5) < 0.01)
        #expect(kitchen.text("circuit_id") == "sensor.power_kitchen")

        let consumption = try #require(try host.consumption())
        #expect(consumption["total_power_w"] as? Double == 2450.5)
        #expect(consumption["daily_kwh"] as? Double == 12.25)
        #expect(try host.health()["status"] as? String == "healthy")
        #expect(!host.allLogs.contains(home.token))
    }

    @Test("A changed state arrives in InfluxDB")
    func changes() throws {
        let home = try HomeAssistantServer(House.sensors)
        let influx = try InfluxServer()
        let host = try HostProcess(House.settings(home, influx))
        try host.waitForConsumption("the first reading") { $0["total_power_w"] as? Double == 2450.5 }
        try home.setState("sensor.total_power", "3100")
        try home.setState("sensor.power_kitchen", "1.25")
        try home.setState("sensor.power_office", "unavailable")
        try waitUntil("the changed total and circuit in InfluxDB", within: 20) {
            try influx.points("smart_meter").last?.number("total_power_w") == 3100
                && influx.points("smart_meter_circuit").last { $0.tags["circuit_name"] == "Power Kitchen" }?
                    .number("power_w") == 1250
        }
        try home.setState("sensor.total_power", "unavailable")
        try waitUntil("a slot without a total", within: 20) {
            try StoredSlots(dataDirectory: host.dataDirectory).slots().last?.totalPowerW == nil
        }
        let totals = try influx.points("smart_meter").compactMap { $0.number("total_power_w") }
        #expect(totals.allSatisfy { $0 >= 2450.5 && $0 <= 3100 }, "never 0, nothing invented: \(Set(totals))")
    }

    @Test("While Home Assistant is away: stale, then a stand-in in the live view only; back again: taken over")
    func away() throws {
        let home = try HomeAssistantServer(House.sensors)
        let influx = try InfluxServer()
        var settings = House.settings(home, influx)
        settings["STALE_SECONDS"] = "8"
        let host = try HostProcess(settings)
        try host.waitForConsumption("the first reading") { $0["total_power_w"] as? Double == 2450.5 }

        home.kill()
        let stopped = House.now
        try host.waitForConsumption("the last reading, as stale") {
            $0["stale"] as? Bool == true && $0["total_power_w"] as? Double == 2450.5
                && $0["simulated"] as? Bool == false
        }
        try host.waitForConsumption("the stand-in") {
            $0["simulated"] as? Bool == true && $0["meter_type"] as? String == "mock"
        }
        #expect(try host.health()["status"] as? String != "healthy")

        let started = House.now
        try home.start()
        try host.waitForConsumption("the real meter again", within: 90) {
            $0["simulated"] as? Bool == false && $0["stale"] as? Bool == false
                && $0["total_power_w"] as? Double == 2450.5
        }
        try waitUntil("points after the return", within: 20) {
            try influx.points("smart_meter").contains { $0.time > started }
        }

        let points = try influx.points("smart_meter") + influx.points("smart_meter_circuit")
        #expect(Set(points.compactMap { $0.tags["meter_type"] }) == ["home_assistant"])
        // A sample counts for 2.5 sampling periods at most; a slot's stamp is its end, up to a second later.
        let silence = points.filter { $0.time > stopped + 4_000_000_000 && $0.time < started }
        #expect(silence.compactMap { $0.number("total_power_w") }.isEmpty, "nothing was measured then")
    }
}
