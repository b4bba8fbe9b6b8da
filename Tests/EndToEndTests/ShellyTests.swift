import Foundation
import TestSupport
import Testing

@Suite("Shelly meters, from their broker to InfluxDB", .serialized)
struct ShellyTests {
    private static let second: Int64 = 1_000_000_000

    @Test(
        "Over TLS, in a process of its own that may reach the broker and read the CA file; a broker that dies is said")
    func live() throws {
        let account = ("meter", "s3cret-w0rd")
        let broker = try MosquittoBroker(account: account, isSecure: true)
        let influx = try InfluxServer()
        let now = Int(Date().timeIntervalSince1970)
        var pump = ShellyGen2("shellyproem50-a0dd6c", .single, [.constant(2000), .constant(40)], at: now)
        pump.channelNames = [0: "Heat pump"]
        let devices = [
            try ShellyDevice(
                .gen1(ShellyGen1("shellyem3-4855", [.constant(1500), .constant(800), .constant(300)], at: now)),
                at: broker.port, account: account),
            try ShellyDevice(.gen2(pump), at: broker.port, account: account),
        ]
        for device in devices { device.speak(everySeconds: 0.5) }
        let host = try HostProcess([
            "METER_TYPE": "shelly", "SHELLY_MQTT_URL": broker.secureURL, "SHELLY_MQTT_USERNAME": account.0,
            "SHELLY_MQTT_PASSWORD": account.1, "SHELLY_MQTT_CA_FILE": broker.authority, "FETCH_INTERVAL_SECONDS": "1",
            "INFLUXDB_URL": influx.url, "INFLUXDB_API": "v1",
        ])
        try waitUntil("points of both devices; the log:\n\(host.log.suffix(3000))", within: 40) {
            try influx.points("smart_meter").contains { $0.number("total_power_w") == 2600 }
                && influx.points("smart_meter_circuit").contains { $0.tags["circuit_name"] == "Heat pump" }
        }
        let circuits = try influx.points("smart_meter_circuit")
        let powers = Dictionary(grouping: circuits, by: { $0.tags["circuit_name"] ?? "" })
            .mapValues { Set($0.compactMap { $0.number("power_w") }) }
        #expect(powers["Heat pump"] == [2000])
        #expect(powers["shellyproem50-a0dd6c em1:1"] == [40])
        #expect(powers["shellyem3-4855 emeter/2"] == [300])
        let listed = try host.command(["adapters"])
        #expect(
            listed.output.contains("shelly") && listed.output.contains("in a process of its own"), "\(listed.output)")
        #expect(ProcessFacts(host.processID).runner(of: "shelly") != nil)

        broker.kill()
        try host.waitForHealth("the broker away", within: 30) {
            "\($0)".contains("mqtts://localhost:\(broker.securePort)")
        }
        try broker.start()
        for device in devices { try device.connect() }
        let restart = House.now
        try waitUntil("points after the outage; the log:\n\(host.log.suffix(3000))", within: 40) {
            try influx.points("smart_meter").contains { $0.time > restart && $0.number("total_power_w") == 2600 }
        }
        try host.waitForHealth("all is well", within: 30) { $0["status"] as? String == "healthy" }
        #expect((host.terminate() ?? 10) < 2)
        #expect(!host.allLogs.contains("s3cret"))
    }

    @Test("What the devices have written down before the first reading is asked for, and is in InfluxDB as it was")
    func history() throws {
        let broker = try MosquittoBroker()
        let influx = try InfluxServer()
        let now = Int(Date().timeIntervalSince1970)
        let begin = (now / 60 - 12) * 60
        let load = ShellyLoad.switching(300, 1800, on: 70, period: 400)
        var meter = ShellyGen2("shellyproem50-a0dd6c", .single, [load], at: begin)
        meter.advance(to: now)
        let device = try ShellyDevice(.gen2(meter), at: broker.port)
        device.speak(everySeconds: 0.5)
        let host = try HostProcess([
            "METER_TYPE": "shelly", "SHELLY_MQTT_URL": broker.url, "SHELLY_DEVICES": "shellyproem50-a0dd6c",
            "SHELLY_MAINS": "em1:0", "BACKFILL_DAYS": "1", "FETCH_INTERVAL_SECONDS": "1", "INFLUXDB_URL": influx.url,
            "INFLUXDB_API": "v1",
        ])
        // Slots of a second get the mean of their minute.
        let slots = Array(stride(from: begin + 1, through: now - 240, by: 1))
        let from = Date(timeIntervalSince1970: Double(begin)).formatted(.iso8601)
        // What lies before a slot that does not change any more can be asked for: 5 s after its end.
        try waitUntil("a final slot; the log:\n\(host.log.suffix(3000))", within: 60) {
            try influx.points("smart_meter").count >= 8
        }
        let asked = try host.command(["backfill", "shelly", "--from", from], within: 60)
        #expect(asked.status == 0, "\(asked.errors)")
        try waitUntil("the slots of the log; the log:\n\(host.log.suffix(3000))", within: 60) {
            let ends = Set(try influx.points("smart_meter").map(\.time))
            return slots.allSatisfy { ends.contains(Int64($0) * Self.second) }
        }
        let points = try influx.points("smart_meter").reduce(into: [Int64: InfluxPoint]()) { $0[$1.time] = $1 }
        for end in slots {
            let point = try #require(points[Int64(end) * Self.second])
            #expect(point.text("quality") == "backfilled")
            let minute = (end - 1) / 60 * 60
            let truth = load.energy(from: minute, to: minute + 60).forwardWh * 60
            #expect(abs((point.number("total_power_w") ?? .nan) - truth) < 1, "\(end)")
        }
    }
}
