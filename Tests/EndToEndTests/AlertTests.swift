import Foundation
import TestSupport
import Testing

@Suite("Alerts")
struct AlertTests {
    @Test("High consumption is logged in the words of the Python service and is a point in InfluxDB")
    func highConsumption() throws {
        let influx = try InfluxServer()
        var settings = QuickMock.to(influx.url, api: "v1")
        settings["HIGH_POWER_THRESHOLD_W"] = "50"
        let host = try HostProcess(settings)
        let line = try host.waitForLog("High power consumption: ")
        #expect(line.contains("W instance=mock"))
        let alert = try waitFor("the alert; the log:\n\(host.log.suffix(2000))", within: 20) {
            try influx.points("smart_meter_alert").first
        }
        #expect(alert.tags == ["meter_type": "mock", "kind": "high_consumption"])
        #expect(alert.text("state") == "raised")
        #expect(try #require(alert.number("peak_w")) > 50)
        // The episode goes on over a restart, and is told once.
        host.kill9()
        try host.start()
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        try waitUntil("two more slots", within: 20) { host.log.components(separatedBy: "Power: ").count > 2 }
        #expect(!host.log.contains("High power consumption"))
        #expect(try influx.points("smart_meter_alert").count == 1)
    }
}
