import Readings
import TestSupport
import Testing

@testable import Delivery
@testable import Storage

/// What is written is read back and compared, point by point.
@Suite(.serialized) struct RealServerTests {
    @Test func `InfluxDB 1 is found out, and has each point once, corrected`() throws {
        let influx = try InfluxServer(account: ("me", "pass word"))
        let rig = try DeliveryRig(url: influx.url, api: nil) {
            InfluxCredentials(token: nil, username: "me", password: "pass word")
        }
        try rig.add(2..<51)
        try rig.loop.start()
        try rig.drain()
        try rig.add(7..<8) { $0.totalPowerW = 7.125 }
        try rig.wait("the correction") { rig.loop.currentStatus.delivered == 50 }
        #expect(rig.loop.currentStatus.api == "v1")
        let points = try influx.query("SELECT * FROM smart_meter GROUP BY *", database: "smart_meter_data")
        #expect(points.count == 1)
        let back = try influx.points("smart_meter")
        #expect(back.map(\.time) == (2..<51).map { (DeliveryRig.noon + Int64($0) * Duration.minute).nanoseconds })
        #expect(back.map { $0.number("total_power_w") } == (2..<51).map { $0 == 7 ? 7.125 : Double($0) })
        #expect(back.allSatisfy { $0.tags == ["meter_type": "mock", "site": "a b"] && $0.text("total_is") == "grid" })
    }

    @Test func `a type conflict in InfluxDB rejects those lines and no other`() throws {
        let influx = try InfluxServer()
        let conflicting = (DeliveryRig.noon + 3 * Duration.minute).nanoseconds
        // A field's type is fixed by the first write of its shard: another week is another shard.
        let answer = try HTTP.post(
            influx.port, "/write?db=smart_meter_data&precision=ns",
            body: "smart_meter,meter_type=mock unmonitored_power_w=\"text\" \(conflicting)")
        #expect(answer.status == 204)
        let rig = try DeliveryRig(url: influx.url, api: .v1) {
            InfluxCredentials(token: nil, username: nil, password: nil)
        }
        try rig.add(1..<3)
        try rig.add(3..<4) { $0.unmonitoredPowerW = 5 }
        try rig.add(4..<20)
        try rig.loop.start()
        try rig.drain()
        #expect(rig.loop.currentStatus.delivered == 18)
        #expect(try rig.rejected().map { $0.reason.contains("field type conflict") } == [true])
        #expect(try rig.rejected().first?.line.hasSuffix(" \(conflicting)") == true)
    }

    @Test func `what lies beyond the retention is rejected in InfluxDB's words, and replayed`() throws {
        let influx = try InfluxServer()
        try influx.query("ALTER RETENTION POLICY autogen ON smart_meter_data DURATION 18250d")
        let rig = try DeliveryRig(url: influx.url, api: .v1) {
            InfluxCredentials(token: nil, username: nil, password: nil)
        }
        // Fifty years are kept: three slots of 1970 are none of these.
        let beginning = -Int((DeliveryRig.noon.seconds - 30 * 86_400) / 60)
        try rig.add(1..<998)
        try rig.add(beginning..<(beginning + 3))
        try rig.loop.start()
        try rig.drain()
        #expect(rig.loop.currentStatus.delivered == 997)
        #expect(try influx.points("smart_meter").count == 997)
        #expect(try rig.rejected().map { $0.reason.contains("beyond retention policy") } == [true, true, true])

        try influx.query("ALTER RETENTION POLICY autogen ON smart_meter_data DURATION INF")
        #expect(try rig.store.replayRejected() == 3)
        rig.loop.wake()
        try rig.wait("the three") { rig.loop.currentStatus.delivered == 1000 }
        #expect(try influx.points("smart_meter").count == 1000)
        #expect(try rig.rejected().isEmpty)
    }

    @Test func `a line that InfluxDB 1 loses with "dropped=0" is found, and rejected alone`() throws {
        let influx = try InfluxServer()
        let rig = try DeliveryRig(url: influx.url, api: .v1) {
            InfluxCredentials(token: nil, username: nil, password: nil)
        }
        try rig.add(1..<4)
        // The last nanosecond that 64 bits hold is one too many for InfluxDB.
        try rig.store.database.run("UPDATE slot SET end = 9223372036854775807 WHERE total_power_w = 2")
        try rig.loop.start()
        try rig.drain()
        #expect(try influx.points("smart_meter").map { $0.number("total_power_w") } == [1, 3])
        let rejected = try rig.rejected()
        #expect(rejected.map { $0.reason.contains("time outside range") } == [true])
        // What it said of all three at once.
        let lines = [1, 9_223_372_036_854_775_807, 2].map { "other value=1 \($0)\n" }.joined()
        let answer = try HTTP.post(influx.port, "/write?db=smart_meter_data&precision=ns", body: lines)
        #expect(answer.status == 400 && answer.text.contains("dropped=0"))
        #expect(try influx.points("other").count == 2)
    }

    @Test func `a missing database is said, and what waited arrives once it is there`() throws {
        let influx = try InfluxServer(database: nil)
        let rig = try DeliveryRig(url: influx.url, api: .v1) {
            InfluxCredentials(token: nil, username: nil, password: nil)
        }
        try rig.add(1..<5)
        try rig.loop.start()
        try rig.wait("missing") { rig.loop.currentStatus.state == .missingBucket }
        #expect(rig.loop.currentStatus.lastAnswer?.contains("smart_meter_data") == true)
        try influx.createDatabase("smart_meter_data")
        try rig.drain()
        #expect(try influx.points("smart_meter").count == 4)
    }

    @Test func `VictoriaMetrics takes the same over the interface of InfluxDB 2`() throws {
        let victoria = try VictoriaMetricsServer()
        let rig = try DeliveryRig(url: victoria.url, api: .v2)
        try rig.add(1..<20)
        try rig.loop.start()
        try rig.drain()
        let series = try victoria.series("smart_meter_total_power_w")
        #expect(series.count == 1)
        #expect(series.first?.samples.map(\.value) == (1..<20).map(Double.init))
        #expect(series.first?.samples.first?.milliseconds == (DeliveryRig.noon.seconds + 60) * 1000)
    }

    @Test func `InfluxDB 3 is found out behind its token, and its bad lines by their numbers`() throws {
        let influx = try InfluxV3Imitation(token: "secret", poison: "total_power_w=7,")
        let rig = try DeliveryRig(url: influx.url, api: nil)
        try rig.add(1..<20)
        try rig.loop.start()
        try rig.drain()
        #expect(rig.loop.currentStatus.api == "v3")
        #expect(influx.stored().count == 18)
        #expect(influx.writes.count == 1)
        #expect(try rig.rejected().map { $0.line.contains("total_power_w=7,") } == [true])
        #expect(influx.writes.first?.parameter("precision") == "nanosecond")
    }
}
