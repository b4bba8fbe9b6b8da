import Foundation
import TestSupport
import Testing

@Suite("A clock that is wrong", .serialized)
struct ClockTests {
    /// 2026-06-14T12:00:00Z.
    private static let noon = 1_781_438_400.0
    private static let second: Int64 = 1_000_000_000

    private func host(_ clock: TestClock, _ influx: InfluxServer, data: TemporaryDirectory? = nil) throws -> HostProcess
    {
        try HostProcess(QuickMock.to(influx.url, api: "v1").merging(clock.settings) { $1 }, dataDirectory: data)
    }

    @Test("A start in 1970 keeps its readings until the clock is set, and stores them at their right times")
    func boot() throws {
        let influx = try InfluxServer()
        let clock = try TestClock(30, isSynchronised: false)
        let host = try host(clock, influx)
        try host.waitForLog("the clock is not set")
        try host.waitForHealth("the wrong clock") { "\($0["problems"] ?? "")".contains("the clock is wrong") }
        // Readings are live, and none is stored.
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        usleep(3_000_000)
        #expect(try influx.points("smart_meter").isEmpty)
        let booted = Date()
        try clock.set(Self.noon)
        try host.waitForLog("the clock has been set")
        try waitUntil("points; the log:\n\(host.log.suffix(2000))", within: 20) {
            try influx.points("smart_meter").count >= 6
        }
        let points = try influx.points("smart_meter")
        let set = Int64(Self.noon) * Self.second
        let first = try #require(points.first)
        // What was read in the three seconds before lies before noon.
        #expect(first.time < set && first.time > set - 20 * Self.second)
        #expect(points.filter { $0.time < set }.count >= 3)
        let elapsed = Date().timeIntervalSince(booted)
        #expect(points.allSatisfy { Double($0.time - set) / 1e9 < elapsed + 2 })
        #expect(try host.health()["status"] as? String == "healthy")
    }

    @Test("An hour forth makes a gap; an hour back leaves out what comes again, and says until when")
    func steps() throws {
        let influx = try InfluxServer()
        let clock = try TestClock(Self.noon, isSynchronised: false)
        let host = try host(clock, influx)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        let noon = Int64(Self.noon) * Self.second
        try waitUntil("slots", within: 20) { try store.newestOrNone() > noon + 2 * Self.second }
        try clock.set(Self.noon + 3600)
        try waitUntil("slots an hour later; the log:\n\(host.log.suffix(2000))", within: 20) {
            try store.newestOrNone() > noon + 3603 * Self.second
        }
        // The meter's counter tells of the gap; its power, nothing.
        let gap = try store.slots().filter { $0.end > noon + 60 * Self.second && $0.end < noon + 3599 * Self.second }
        #expect(!gap.contains { $0.totalPowerW != nil }, "nothing is invented over the gap")

        try clock.set(Self.noon + 20, isSynchronised: false)
        try host.waitForHealth("what is left out") { "\($0["problems"] ?? "")".contains("the clock was set back") }
        usleep(2_000_000)
        #expect(try !measured(store, noon + 20 * Self.second), "left out, as no one vouches for the clock")

        // Something such as NTP says that the clock is right: what lies ahead is made anew.
        try clock.set(Self.noon + 25, isSynchronised: true)
        try host.waitForLog("slots in the future are made anew")
        try waitUntil("slots of now", within: 20) {
            try measured(store, noon + 26 * Self.second)
        }
        try host.waitForHealth("that all is well") { $0["status"] as? String == "healthy" }
        #expect(try store.isSound())
    }

    /// Whether there is a slot with a power in the ten seconds from then on.
    private func measured(_ store: StoredSlots, _ from: Int64) throws -> Bool {
        try store.slots().contains { $0.totalPowerW != nil && $0.end > from && $0.end < from + 10 * Self.second }
    }

    @Test("A zone that does not exist stops the start; with a line that says so")
    func zone() throws {
        let refused = try HostProcess.command(["run"], settings: ["METER_TYPE": "mock", "TZ": "Europe/Berln"])
        #expect(refused.status != 0)
        #expect(refused.errors.contains("TZ=Europe/Berln is not allowed: it must be a name of the tz database"))
        #expect(refused.errors.split(separator: "\n").count == 1)
    }
}
