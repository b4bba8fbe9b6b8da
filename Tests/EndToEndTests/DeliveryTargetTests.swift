import Foundation
import TestSupport
import Testing

@Suite("The other servers that take InfluxDB's writes", .serialized)
struct DeliveryTargetTests {
    @Test("VictoriaMetrics, over the v2 interface, holds each slot of the store")
    func victoriaMetrics() throws {
        let server = try VictoriaMetricsServer()
        let host = try HostProcess(QuickMock.to(server.url, api: "v2", token: "any"))
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("five delivered slots", within: 30) { try store.hasDelivered(5) }
        let limit = try store.deliveredUpTo()
        let slots = try store.slots().filter { $0.end <= limit && $0.totalPowerW != nil }
        let series = try waitFor("the series") {
            try server.series("smart_meter_total_power_w").first { $0.samples.count >= slots.count }
        }
        #expect(series.tags["meter_type"] == "mock")
        let samples = Dictionary(grouping: series.samples, by: \.milliseconds)
        for slot in slots {
            let stored = samples[slot.end / 1_000_000] ?? []
            #expect(stored.count == 1)
            #expect(isSamePower(stored.first?.value, slot.totalPowerW))
        }
    }

    @Test("The v3 interface gets each slot, with token, database and precision as documented")
    func influxV3() throws {
        let server = try InfluxV3Imitation(token: "T0ken")
        let host = try HostProcess(QuickMock.to(server.url, api: "v3", token: "T0ken"))
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("five delivered slots", within: 30) { try store.hasDelivered(5) }
        let limit = try store.deliveredUpTo()
        let lines = server.stored().filter { $0.hasPrefix("smart_meter,") }
        for slot in try store.slots() where slot.end <= limit && slot.totalPowerW != nil {
            #expect(lines.contains { $0.hasSuffix(" \(slot.end)") })
        }
        let write = try #require(server.writes.first)
        #expect(write.parameter("precision") == "nanosecond")
        #expect(write.headers["authorization"] == "Bearer T0ken")
        #expect(!host.allLogs.contains("T0ken"))
    }

    @Test("One line that the v3 server refuses is put aside, its neighbours are delivered")
    func poison() throws {
        let server = try InfluxV3Imitation(poison: "circuit_name=Kitchen")
        let host = try HostProcess(QuickMock.to(server.url, api: "v3"))
        try waitUntil("lines of the neighbours", within: 30) {
            server.stored().contains { $0.contains("circuit_name=Office") }
        }
        try waitUntil("the refused line among the rejected", within: 30) {
            let rows = try StoredSlots(dataDirectory: host.dataDirectory).query("SELECT line, reason FROM rejected")
            return rows.contains {
                ($0["line"] as? String)?.contains("circuit_name=Kitchen") == true
                    && ($0["reason"] as? String)?.contains("refused by the test") == true
            }
        }
        #expect(!server.stored().contains { $0.contains("circuit_name=Kitchen") })
    }

    @Test("While InfluxDB is away everything is kept; once it is back everything arrives")
    func outage() throws {
        let influx = try InfluxServer()
        influx.stop()
        let host = try HostProcess(QuickMock.to(influx.url, api: "auto"))
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("four slots that wait", within: 20) { try store.newestOrNone() > 0 && store.slots().count >= 4 }
        try host.waitForHealth("a backlog in /health") { health in
            let delivery = health["delivery"] as? [String: Any]
            return (delivery?["backlog_points"] as? NSNumber)?.intValue ?? 0 >= 4
        }
        #expect(try store.deliveredUpTo() == 0)
        try influx.start()
        let end = try store.newestEnd()
        try waitUntil("the backlog's end", within: 90) { try store.deliveredUpTo() >= end }
        let times = Set(try influx.points("smart_meter").map(\.time))
        for slot in try store.slots() where slot.end <= end { #expect(times.contains(slot.end)) }
    }

    @Test("TLS: an authority that is not trusted and a certificate that expired are said; nothing is lost")
    func tls() throws {
        let influx = try InfluxServer()
        let proxy = try TLSProxy(to: influx.port)
        let untrusting = try HostProcess(QuickMock.to(proxy.url, api: "v1"))
        try untrusting.waitForHealth("that it is not trusted") {
            "\($0["problems"] ?? "")".contains("TLS: SSL certificate problem: self-signed certificate")
        }
        #expect(try influx.points("smart_meter").isEmpty)
        untrusting.terminate()

        // Ten days on, the certificate's two days have passed.
        let now = Date().timeIntervalSince1970
        let clock = try TestClock(now + 10 * 86_400)
        var settings = QuickMock.to(proxy.url, api: "v1").merging(clock.settings) { $1 }
        settings["INFLUXDB_CA_FILE"] = proxy.certificate
        let host = try HostProcess(settings)
        try host.waitForHealth("that it expired") {
            "\($0["problems"] ?? "")".contains("TLS: SSL certificate problem: certificate has expired")
        }
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("slots that wait", within: 20) { try store.slots().count > 3 }
        let waiting = try store.slots().map(\.end)
        // Somebody renews it; here, the clock does.
        try clock.set(now + 20)
        host.signal(SIGHUP)
        try waitUntil("what waited; the log:\n\(host.log.suffix(2000))", within: 30) {
            Set(try influx.points("smart_meter").map(\.time)).isSuperset(of: waiting)
        }
    }
}
