import FakeHost
import Foundation
import TestSupport
import Testing

/// The built mock adapter, driven through the interface.
@Suite(.serialized) struct MockTests {
    private static let day: Int64 = 86_400_000_000_000
    private static let midnight: Int64 = 1_767_225_600_000_000_000
    private static let second: Int64 = 1_000_000_000

    private func mock(_ host: FakeHost) throws -> InstanceUnderTest {
        let path = Checkout.products.appendingPathComponent("libsmartmeter-mock.so").path
        let instance = try AdapterUnderTest(path: path).create(host)
        try instance.start()
        return instance
    }

    /// A reading a minute of the day that begins at `midnight`.
    private func day(_ settings: [String: String] = [:], begin: Int64 = midnight) throws -> [EmittedReading] {
        let host = FakeHost(settings: settings)
        let mock = try mock(host)
        return try stride(from: begin, to: begin + Self.day, by: 60 * Int(Self.second)).map { instant in
            host.wall = Int64(instant)
            return try mock.read()
        }
    }

    private func kWh(_ powers: [Double?]) -> Double { powers.reduce(0) { $0 + ($1 ?? 0) } / 60 / 1000 }

    @Test("Its first reading has the six circuits of a house")
    func circuits() throws {
        let reading = try mock(FakeHost()).read()
        #expect(reading.circuits.map(\.name) == ["HVAC", "Kitchen", "Living Room", "Office", "Bedrooms", "Other"])
        #expect(reading.circuits.map(\.id) == ["hvac", "kitchen", "living_room", "office", "bedrooms", "other"])
        #expect(reading.circuits.allSatisfy { ($0.powerW ?? -1) >= 0 })
    }

    @Test("A day is what a household uses, and its nights are quiet", arguments: ["1", "2", "77", "1000003"])
    func believable(_ seed: String) throws {
        let readings = try day(["seed": seed])
        let total = kWh(readings.map(\.consumptionPowerW))
        #expect((10...28).contains(total), "\(total) kWh")
        let night = readings[120..<240].compactMap(\.consumptionPowerW).sorted()
        #expect((100...300).contains(night[night.count / 4]), "\(night[night.count / 4]) W")
    }

    @Test("Consumption is its circuits and a small rest", arguments: ["0", "6000"])
    func balance(_ peak: String) throws {
        for reading in try day(["solar_peak_w": peak]) {
            let consumption = reading.consumptionPowerW ?? (reading.gridPowerW ?? 0) + (reading.solarPowerW ?? 0)
            let rest = consumption - reading.circuits.reduce(0) { $0 + ($1.powerW ?? 0) }
            #expect((20...50).contains(rest), "\(rest) W")
        }
    }

    @Test("The same seed and time are the same house, another seed is another")
    func deterministic() throws {
        let first = try day().map(\.consumptionPowerW)
        #expect(try day().map(\.consumptionPowerW) == first)
        #expect(try day(["seed": "2"]).map(\.consumptionPowerW) != first)
        #expect(try day(begin: Self.midnight + Self.day).map(\.consumptionPowerW) != first)
    }

    @Test("Without a roof, solar is unknown and not zero; with one, the grid takes the surplus")
    func solar() throws {
        let without = try mock(FakeHost()).read()
        #expect(without.known == 8)
        #expect(without.solarPowerW == nil)
        let readings = try day(["solar_peak_w": "6000"])
        #expect(readings.allSatisfy { $0.known == 3 && $0.consumptionPowerW == nil })
        #expect(readings[0].solarPowerW == 0)
        #expect(readings.contains { ($0.gridPowerW ?? 0) < -1000 })
        #expect(readings.allSatisfy { (0...6000).contains($0.solarPowerW ?? -1) })
    }

    @Test("A car appears only where it is set, and charges in the evening")
    func car() throws {
        let readings = try day(["ev": "1"])
        #expect(readings.allSatisfy { $0.circuits.count == 7 && $0.circuits[6].kind == 2 })
        #expect(try #require(readings[22 * 60].circuits[6].powerW) > 7000)
        #expect(try #require(readings[12 * 60].circuits[6].powerW) < 10)
    }

    @Test(
        "Settings that make no sense are named",
        arguments: [
            ("solar_peak_w", "-1"), ("solar_peak_w", "1e9"), ("utc_offset_hours", "24"), ("utc_offset_hours", "nan"),
        ])
    func misconfigured(_ name: String, _ value: String) throws {
        let failure = try #require(throws: AdapterFailure.self) { _ = try mock(FakeHost(settings: [name: value])) }
        #expect(failure.code == 100)
        #expect(failure.message.contains("MOCK_\(name.uppercased())"))
    }

    @Test("Its history is what it said live, in steps up to the end of the span")
    func history() throws {
        let host = FakeHost()
        let mock = try mock(host)
        let step = 300 * Self.second
        let end = Self.midnight + 7_200 * Self.second
        let answer = try mock.history(from: Self.midnight, to: end, step: step, maximumRecords: 100)
        #expect(answer.outcome == 1)
        #expect(answer.coveredTo == end)
        #expect(answer.records.map(\.timestamp) == (1...24).map { Self.midnight + $0 * step })
        #expect(answer.records.allSatisfy { $0.period == step && $0.quality == 3 })
        let live = try stride(from: Self.midnight, to: end, by: 10 * Int(Self.second)).map { instant in
            host.wall = Int64(instant) + 5 * Self.second
            return try mock.read().consumptionPowerW ?? 0
        }
        let liveMean = live.reduce(0, +) / Double(live.count)
        let historyMean = answer.records.reduce(0) { $0 + ($1.consumptionPowerW ?? 0) } / 24
        #expect(abs(liveMean - historyMean) < 0.2, "\(liveMean) W live, \(historyMean) W in its history")
    }

    @Test(
        "History goes on where the most records that were asked for ended", arguments: [(0, 1), (-90, -1), (-119, -1)])
    func historyInPieces(_ offset: Int64, _ first: Int64) throws {
        let mock = try mock(FakeHost())
        let from = Self.midnight + offset * Self.second
        let walk = try HistoryWalk(
            mock, from: from, to: Self.midnight + 3_600 * Self.second, step: 60 * Self.second, maximumRecords: 7)
        #expect(walk.violations.isEmpty)
        #expect(walk.records.map(\.timestamp) == (first...60).map { Self.midnight + $0 * 60 * Self.second })
    }

    @Test("History ends with the record at which the host says stop")
    func stoppedHistory() throws {
        let answer = try mock(FakeHost()).history(
            from: Self.midnight, to: Self.midnight + Self.day, step: 300 * Self.second, stopAfter: 3)
        #expect(answer.records.count == 3)
        #expect(answer.putsAfterStop == 0)
        #expect(answer.outcome == 2)
        #expect(answer.coveredTo == Self.midnight + 900 * Self.second)
    }
}
