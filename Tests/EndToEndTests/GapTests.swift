import Foundation
import TestSupport
import Testing

@Suite("Gaps, filled from the meter's own log", .serialized)
struct GapTests {
    private static let second: Int64 = 1_000_000_000
    /// 2026-03-28T11:00:00Z: the night to the 29th has 23 hours in Berlin.
    private static let start = 1_774_695_600

    @Test(
        "26 hours without host and InfluxDB, over a night of 23: afterwards every slot is in InfluxDB, once and right")
    func outage() throws {
        let clock = try TestClock(Double(Self.start))
        let model = IoTaWattModel.house(now: Self.start + 3 * 86_400)
        let device = try IoTaWattSimulator(model, clock: { clock.now })
        let influx = try InfluxServer()
        let settings = [
            "METER_TYPE": "iotawatt", "IOTAWATT_URL": device.url, "INFLUXDB_URL": influx.url, "INFLUXDB_API": "v1",
            "TZ": "Europe/Berlin",
        ].merging(clock.settings) { $1 }
        let host = try HostProcess(settings)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try leap(clock, minutes: 20, host, store)
        host.kill9()
        influx.stop()
        try clock.set(Double(Self.start + 26 * 3600))
        try host.start()
        // Readings after the outage make what lies before it final; then it is asked for.
        try leap(clock, minutes: 15, host, store)
        try influx.start()
        let end = Int64(Self.start + 26 * 3600 + 600) * Self.second
        let first = Int64(Self.start + 300) * Self.second
        // Those that the host came into and went out of were measured in part: they are filled once they are final.
        try waitUntil("every slot, whole; the log:\n\(host.log.suffix(3000))", within: 120) {
            let ends = Set(try influx.points("smart_meter").filter { $0.number("coverage") == 1 }.map(\.time))
            return stride(from: first, through: end, by: 300 * Int(Self.second)).allSatisfy(ends.contains)
        }
        #expect(host.log.contains("gap filled"))
        #expect(device.overlaps == 0)

        // The slots behind the outage go out again with what it adds: once that has come, all is as it should be.
        let loads = Dictionary(uniqueKeysWithValues: model.inputs.dropFirst(4).map { ($0.name, 1.0) })
        func kWh(_ from: Int, _ to: Int) -> Double {
            model.total(loads, from: from, to: to).meanW * Double(to - from) / 3.6e6
        }
        func point(_ time: Int64) throws -> InfluxPoint? { try influx.points("smart_meter").first { $0.time == time } }
        let whole = kWh(Self.start + 300, Int(end / Self.second))
        try waitUntil("the counters behind the outage; the log:\n\(host.log.suffix(3000))", within: 30) {
            let begin = try point(first)?.number("consumption_kwh_total") ?? 0
            return abs((try point(end)?.number("consumption_kwh_total") ?? 0) - begin - whole) < whole * 0.005
        }
        let points = try influx.points("smart_meter").filter { $0.time >= first && $0.time <= end }
        for (before, after) in zip(points, points.dropFirst()) where after.time % (300 * Self.second) == 0 {
            let (from, to) = (before.number("consumption_kwh_total") ?? 0, after.number("consumption_kwh_total") ?? -1)
            #expect(to >= from, "\(after.time)")
        }
        // The old day's last figure, and the new one's: local midnight is 23:00Z.
        let midnight = 1_774_738_800
        // It begins with the first reading, within the first slot.
        let (least, most) = (kWh(Self.start + 300, midnight) * 0.995, kWh(Self.start, midnight) * 1.005)
        var figure = 0.0
        try waitUntil("the old day's figure from \(least) to \(most), it is \(figure)", within: 30) {
            figure = try point(Int64(midnight - 1) * Self.second)?.number("daily_kwh") ?? 0
            return figure > least && figure < most
        }
        let today = try #require(try point(end)?.number("daily_kwh"))
        #expect(abs(today - kWh(midnight, Int(end / Self.second))) < today * 0.005)
        let middle = try #require(try point(Int64(midnight + 3600) * Self.second))
        #expect(middle.text("quality") == "backfilled" && middle.number("coverage") == 1)
        #expect(try store.query("SELECT count(*) AS n FROM night WHERE power_w IS NOT NULL").first?["n"] as? Int == 1)
        #expect(try host.command(["outbox", "verify"]).status == 0)

        // By hand, for what was answered long ago: nothing is missing.
        let again = try host.command(["backfill", "iotawatt", "--from", "\(Self.start + 600)"], within: 60)
        #expect(
            again.status == 0 && again.output.contains("0 slots of iotawatt were filled"),
            "\(again.output)\(again.errors)\n\(host.log.suffix(3000))")
    }

    /// Lets time pass, a minute in a tenth of a second, with the readings that belong to it.
    private func leap(_ clock: TestClock, minutes: Int, _ host: HostProcess, _ store: StoredSlots) throws {
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        for _ in 0..<minutes {
            try clock.set(clock.now + 60)
            usleep(300_000)
        }
    }

    @Test("A real Home Assistant's recorder fills minutes without the host")
    func homeAssistant() throws {
        let home = try HomeAssistantServer(House.sensors, more: "recorder:\n  commit_interval: 0\nhistory:\n")
        let influx = try InfluxServer()
        var settings = House.settings(home, influx)
        settings["HOME_ASSISTANT_INTERVAL_SECONDS"] = "10"
        let host = try HostProcess(settings)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("slots; the log:\n\(host.log.suffix(2000))", within: 40) {
            try store.newestOrNone() > 0 && store.slots().count >= 3
        }
        let before = try store.newestEnd()
        host.kill9()
        try home.setState("sensor.total_power", "3000")
        usleep(30_000_000)
        try home.setState("sensor.total_power", "2450.5")
        try host.start()
        // They are final a minute after they ended, and then asked for.
        try waitUntil("no hole; the log:\n\(host.log.suffix(3000))", within: 150) {
            let ends = try influx.points("smart_meter").filter { $0.number("total_power_w") != nil }.map(\.time)
                .filter { $0 >= before }
            return ends.count >= 5 && zip(ends, ends.dropFirst()).allSatisfy { $1 - $0 == 10 * Self.second }
        }
        let filled = try influx.points("smart_meter").filter { $0.text("quality") == "backfilled" }
        #expect(filled.contains { abs(($0.number("total_power_w") ?? 0) - 3000) < 1 })
    }
}
