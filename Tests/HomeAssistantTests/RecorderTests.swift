import AdapterABI
import FakeHost
import Foundation
import TestSupport
import Testing

/// History from a real Home Assistant: what its recorder kept is what was there.
@Suite(.serialized) struct RecorderTests {
    private static let second: Int64 = 1_000_000_000

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) * 1000 }

    /// What a sensor was set to, and when.
    private struct Change {
        var at: Int64
        /// Nil = unavailable.
        var power: Double?
    }

    /// Watts in (from, to], of what was measured; nil where less than four fifths were.
    private func mean(_ changes: [Change], _ from: Int64, _ to: Int64) -> Double? {
        var (sum, time) = (0.0, 0.0)
        for (index, change) in changes.enumerated() {
            guard let power = change.power else { continue }
            let end = index + 1 < changes.count ? changes[index + 1].at : to
            let length = Double(max(0, min(end, to) - max(change.at, from)))
            sum += power * length
            time += length
        }
        return time >= 0.8 * Double(to - from) ? sum / time : nil
    }

    @Test func `the recorder's states become means of ten seconds`() throws {
        let home = try HomeAssistantServer([
            .init("Total Power", "1000", unit: "W", deviceClass: "power"),
            .init("Kitchen", "100", unit: "W", deviceClass: "power"),
        ])
        let host = FakeHost(settings: ["url": home.url, "token": home.token], respond: Network.perform)
        let library = Checkout.product("libsmartmeter-homeassistant.so")
        let instance = try AdapterUnderTest(path: library).create(host)
        host.wall = Self.now
        try instance.start()
        #expect(try instance.read().consumptionPowerW == 1000)

        var total: [Change] = []
        var kitchen: [Change] = []
        func set(_ sensor: String, _ state: String, _ changes: inout [Change]) throws {
            let before = Self.now
            try home.setState("sensor.\(sensor)", state)
            changes.append(Change(at: before + (Self.now - before) / 2, power: Double(state)))
        }
        // As a meter that reports every second, with ups and downs all the time.
        let begin = Self.now
        var step = 0
        while Self.now < begin + 25 * Self.second {
            let due = begin + Int64(step) * Self.second
            try waitUntil("the next state") { Self.now >= due }
            try set("total_power", "\(1000 + step % 7 * 311)", &total)
            if step.isMultiple(of: 4) { try set("kitchen", step == 8 ? "unavailable" : "\(100 + step)", &kitchen) }
            step += 1
        }
        let end = Self.now / (10 * Self.second) * 10 * Self.second
        let from = (begin / (10 * Self.second) + 1) * 10 * Self.second
        try waitUntil("the recorder", within: 15) { Self.now >= end + 11 * Self.second }
        host.wall = Self.now

        let walk = try HistoryWalk(instance, from: from, to: end, step: 10 * Self.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.outcomes == [METER_HISTORY_COMPLETE])
        let ends = Array(stride(from: from + 10 * Self.second, through: end, by: Int64.Stride(10 * Self.second)))
        #expect(!ends.isEmpty && walk.records.map(\.timestamp) == ends)
        for record in walk.records {
            let (from, to) = (record.timestamp - record.period, record.timestamp)
            let truth = try #require(mean(total, from, to))
            #expect(abs((record.consumptionPowerW ?? .nan) - truth) < 0.02 * truth, "\(truth)")
            let circuit = try #require(record.circuits.first { $0.id == "sensor.kitchen" })
            let kitchenTruth = mean(kitchen, from, to)
            #expect((circuit.powerW == nil) == (kitchenTruth == nil))
            #expect(abs((circuit.powerW ?? 0) - (kitchenTruth ?? 0)) < 2)
        }
        let before = try instance.history(
            from: end - 86_400 * Self.second, to: end - 80_000 * Self.second, step: 300 * Self.second)
        #expect(before.records.isEmpty)
    }
}
