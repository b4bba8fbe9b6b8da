import Foundation
import TestSupport
import Testing

@Suite("A meter that answers with JSON", .serialized)
struct HTTPJSONTests {
    private static let answer = """
        {"emeters": [{"power": 120.5, "total": 1000500}, {"power": 80, "total": 2000000}, {"power": -50.5, "total": 500}],
         "pv": {"kw": 1.25}, "loads": [{"name": "hp", "w": 640}]}
        """

    @Test("Its numbers come to InfluxDB, in both hostings", arguments: ["auto", "always"])
    func pipeline(_ isolation: String) throws {
        let device = try FaultServer { request in
            .reply(request.headers["authorization"] == "Bearer t0kenvalue" ? .json(200, Self.answer) : .json(401, "{}"))
        }
        let influx = try InfluxServer()
        let host = try HostProcess([
            "METER_TYPE": "http_json", "HTTP_JSON_URL": device.url + "/status?site=1", "HTTP_JSON_TOKEN": "t0kenvalue",
            "HTTP_JSON_GRID": "emeters[*].power", "HTTP_JSON_SOLAR": "pv.kw kW",
            "HTTP_JSON_IMPORT_TOTAL": "emeters[*].total Wh",
            "HTTP_JSON_CIRCUITS": "hp:Heat pump = loads[name=hp].w", "ADAPTER_ISOLATION": isolation,
            "HTTP_JSON_SAMPLE_SECONDS": "1", "FETCH_INTERVAL_SECONDS": "1", "INFLUXDB_URL": influx.url,
        ])
        try host.waitForConsumption("the first reading") { consumption in
            (consumption["total_power_w"] as? NSNumber)?.doubleValue == 1400
        }
        let point = try waitFor("a point of a whole slot; the log:\n\(host.log.suffix(2000))", within: 30) {
            try influx.points("smart_meter").first { $0.number("grid_power_w") == 150 }
        }
        #expect(point.tags["meter_type"] == "http_json")
        #expect(point.number("solar_power_w") == 1250)
        #expect(point.number("total_power_w") == 1400)
        let circuit = try waitFor("the circuit", within: 30) { try influx.points("smart_meter_circuit").first }
        #expect(circuit.tags["circuit_name"] == "Heat pump")
        #expect(circuit.number("power_w") == 640)
        // While a host starts, another adapter may be looked at in a process of its own.
        try waitUntil("the adapter's process, or none") {
            ProcessFacts(host.processID).runners.isEmpty == (isolation == "auto")
        }
        #expect(!host.allLogs.contains("t0kenvalue"))
    }

    @Test("A device that goes away and answers nonsense is said to, and its readings come again")
    func trouble() throws {
        let device = try FaultServer { _ in .reply(.json(200, "{\"w\": 500}")) }
        let host = try HostProcess([
            "METER_TYPE": "http_json", "HTTP_JSON_URL": device.url, "HTTP_JSON_CONSUMPTION": "w", "FALLBACK": "none",
            "HTTP_JSON_SAMPLE_SECONDS": "1", "FETCH_INTERVAL_SECONDS": "1",
        ])
        try host.waitForConsumption("500 W") { ($0["total_power_w"] as? NSNumber)?.doubleValue == 500 }
        device.setScript { _ in .reply(.json(200, "{\"watts\": 500}")) }
        try host.waitForHealth("what is missing") { "\($0)".contains("w is not in the answer") }
        device.setScript { _ in .close }
        try host.waitForHealth("that it is away", within: 30) { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            return adapters.contains { ($0["last_error"] as? String)?.contains("not in the answer") == false }
        }
        device.setScript { _ in .reply(.json(200, "{\"w\": 700}")) }
        try host.waitForConsumption("700 W", within: 30) { ($0["total_power_w"] as? NSNumber)?.doubleValue == 700 }
    }
}
