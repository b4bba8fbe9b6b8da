import Readings
import TestSupport
import Testing

@testable import Analysis

@Suite struct HistorySumsTests {
    /// 2026-06-01T12:00:00Z.
    private static let noon = Instant(seconds: 1_780_315_200)
    private static let kWh: Millijoules = 3_600_000_000

    private func bucket(_ quarter: Int64, watts: Double?, consumed: Millijoules?, covered: Double = 900) -> Bucket {
        var bucket = Bucket(start: Self.noon + quarter * Bucket.length, coveredSeconds: covered)
        bucket.powerW = watts
        bucket.minimumPowerW = watts.map { $0 - 10 }
        bucket.maximumPowerW = watts.map { $0 + 10 }
        bucket.energy.consumed = consumed
        bucket.quality = .measured
        return bucket
    }

    private func circuit(
        _ number: Int32, kind: CircuitKind = .load, watts: Double?, energy: Millijoules?, covered: Double = 900
    ) -> BucketCircuit {
        var circuit = BucketCircuit(circuit: number, kind: kind, coveredSeconds: covered)
        circuit.powerW = watts
        circuit.minimumPowerW = watts
        circuit.maximumPowerW = watts
        circuit.energy = energy
        return circuit
    }

    /// All of it, by the hour in UTC.
    private func hours(
        _ buckets: [Bucket], _ series: [HistorySeries], isTopLevel: [Bool] = [true, true, true]
    ) -> [HistoryPeriod] {
        var sums = HistorySums(series: series, isTopLevel: isTopLevel)
        var periods: [HistoryPeriod] = []
        for bucket in buckets {
            if let period = sums.add(bucket, within: { LocalPeriod.hour.bounds(containing: bucket.start, in: .utc) }) {
                periods.append(period)
            }
        }
        if let last = sums.finish() { periods.append(last) }
        return periods
    }

    @Test func `an hour is the sum of its quarters, each for the time in which it was measured`() throws {
        var second = bucket(1, watts: 400, consumed: Self.kWh / 10, covered: 450)
        second.quality = .estimated
        let buckets = [
            bucket(0, watts: 100, consumed: Self.kWh / 40), second,
            bucket(2, watts: nil, consumed: Self.kWh, covered: 0),
            bucket(5, watts: 50, consumed: nil),
        ]
        let periods = hours(buckets, [.total])
        #expect(periods.map(\.start) == [Self.noon, Self.noon + Duration.hour])
        let first = try #require(periods.first?.sums.first)
        #expect(first.energy == Self.kWh / 40 + Self.kWh / 10 + Self.kWh)
        // 900 s of 100 W and 450 s of 400 W.
        #expect(first.powerW == 200)
        #expect(first.minimumPowerW == 90 && first.maximumPowerW == 410)
        #expect(periods[0].coverage(of: first) == 0.375)
        #expect(first.quality == .estimated)
        #expect(periods[1].sums[0].energy == nil && periods[1].sums[0].powerW == 50)
    }

    @Test func `each series has its own sums, in the order that was asked for`() throws {
        var bucket = bucket(0, watts: 1000, consumed: Self.kWh / 4)
        bucket.circuits = [
            circuit(0, watts: 300, energy: 300), circuit(2, kind: .solar, watts: 500, energy: 500, covered: 90),
        ]
        bucket.circuits[1].returned = 7
        let period = try #require(hours([bucket], [.circuit(2), .total, .circuit(0), .circuit(1)]).first)
        #expect(period.sums.map(\.energy) == [500, Self.kWh / 4, 300, nil])
        #expect(period.sums.map(\.powerW) == [500, 1000, 300, nil])
        #expect(period.sums[0].returned == 7)
        #expect(period.sums.map { period.coverage(of: $0) } == [0.025, 0.25, 0.25, 0])
        #expect(period.sums[3].quality == .unknown)
    }

    @Test func `unmonitored is the use less the consuming circuits directly below the mains`() throws {
        var bucket = bucket(0, watts: 1000, consumed: 1000)
        bucket.circuits = [
            circuit(0, watts: 300, energy: 300),
            // In a circuit, and not a consumer: neither counts.
            circuit(1, watts: 200, energy: 200), circuit(2, kind: .solar, watts: 500, energy: 500),
        ]
        let period = try #require(hours([bucket], [.unmonitored], isTopLevel: [true, false, true]).first)
        #expect(period.sums[0].energy == 700 && period.sums[0].powerW == 700)
    }

    @Test(arguments: [
        (Optional(300.0), Millijoules?.none, 900.0, Optional(700.0), Millijoules?.none),
        (nil, 300, 900, nil, 700),
        (300, 300, 700, nil, nil),
    ])
    func `unmonitored is unknown while a circuit is`(
        watts: Double?, energy: Millijoules?, covered: Double, rest: Double?, restEnergy: Millijoules?
    ) throws {
        var bucket = bucket(0, watts: 1000, consumed: 1000)
        bucket.circuits = [circuit(0, watts: watts, energy: energy, covered: covered)]
        let period = try #require(hours([bucket], [.unmonitored]).first)
        #expect(period.sums[0].powerW == rest)
        #expect(period.sums[0].energy == restEnergy)
    }

    @Test func `of a house whose grid alone is measured, use is import, and unknown where something is exported`()
        throws
    {
        var quiet = bucket(0, watts: 400, consumed: nil)
        quiet.energy.imported = 100
        quiet.energy.exported = 0
        quiet.circuits = [circuit(0, watts: 100, energy: 40)]
        var sunny = bucket(1, watts: -400, consumed: nil)
        sunny.energy.imported = 100
        sunny.energy.exported = 300
        sunny.circuits = [circuit(0, watts: 100, energy: 40)]
        let period = try #require(hours([quiet, sunny], [.total, .unmonitored]).first)
        #expect(period.sums[0].energy == 200)
        #expect(period.sums[1].energy == 60 && period.sums[1].powerW == 300)
        #expect(period.coverage(of: period.sums[1]) == 0.25)
    }

    @Test func `a day on which clocks go back has 25 hours`() throws {
        let zone = try Zone(named: "Europe/Berlin")
        let start = zone.start(of: CalendarDate(year: 2026, month: 10, day: 25))
        var days = HistorySums(series: [.total], isTopLevel: [])
        var count = 0
        for quarter in 0..<Int64(25 * 4) {
            var bucket = Bucket(start: start + quarter * Bucket.length, coveredSeconds: 900)
            bucket.energy.consumed = 1
            let finished = days.add(bucket) { LocalPeriod.day.bounds(containing: bucket.start, in: zone) }
            if finished != nil { count += 1 }
        }
        let last = days.finish()
        let day = try #require(last)
        #expect(count == 0 && day.sums[0].energy == 100 && day.coverage(of: day.sums[0]) == 1)
    }

    @Test(arguments: [
        (Quality.measured, Quality.estimated, Quality.estimated), (.backfilled, .measured, .backfilled),
        (.backfilled, .estimated, .estimated), (.unknown, .measured, .measured), (.unknown, .unknown, .unknown),
    ])
    func `the less certain quality names what is made of both`(first: Quality, second: Quality, both: Quality) {
        #expect(first.combined(with: second) == both)
        #expect(second.combined(with: first) == both)
    }
}
