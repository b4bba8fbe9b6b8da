import Readings
import TestSupport
import Testing

@testable import Analysis

/// A day of a zone on which its clocks are changed, or not, and the hours that its days have.
struct ChangedDay: CustomTestStringConvertible, Sendable {
    let zone: String
    let date: CalendarDate
    let hours: Double
    /// Local time at which it begins, in seconds after midnight.
    var begins = 0

    var testDescription: String { "\(zone) \(date.text)" }

    static let all = [
        ChangedDay(zone: "Europe/Berlin", date: CalendarDate(year: 2026, month: 3, day: 29), hours: 23),
        ChangedDay(zone: "Europe/Berlin", date: CalendarDate(year: 2026, month: 10, day: 25), hours: 25),
        ChangedDay(zone: "Europe/Helsinki", date: CalendarDate(year: 2026, month: 3, day: 29), hours: 23),
        ChangedDay(zone: "Europe/Helsinki", date: CalendarDate(year: 2026, month: 10, day: 25), hours: 25),
        ChangedDay(zone: "America/New_York", date: CalendarDate(year: 2026, month: 3, day: 8), hours: 23),
        ChangedDay(zone: "America/New_York", date: CalendarDate(year: 2026, month: 11, day: 1), hours: 25),
        ChangedDay(zone: "Australia/Lord_Howe", date: CalendarDate(year: 2026, month: 4, day: 5), hours: 24.5),
        ChangedDay(zone: "Australia/Lord_Howe", date: CalendarDate(year: 2026, month: 10, day: 4), hours: 23.5),
        ChangedDay(zone: "Africa/Cairo", date: CalendarDate(year: 2026, month: 4, day: 24), hours: 23, begins: 3600),
        ChangedDay(zone: "Africa/Cairo", date: CalendarDate(year: 2026, month: 10, day: 29), hours: 25),
        ChangedDay(zone: "Africa/Casablanca", date: CalendarDate(year: 2026, month: 2, day: 15), hours: 25),
        ChangedDay(zone: "Africa/Casablanca", date: CalendarDate(year: 2026, month: 3, day: 22), hours: 23),
        ChangedDay(zone: "Asia/Kolkata", date: CalendarDate(year: 2026, month: 3, day: 29), hours: 24),
        ChangedDay(zone: "UTC", date: CalendarDate(year: 2026, month: 3, day: 29), hours: 24),
    ]
}

@Suite struct LocalPeriodsTests {
    /// A bucket for each quarter hour of [from, to), with energies that differ.
    private func buckets(_ from: Instant, _ to: Instant, prices: PriceList? = nil) -> [Bucket] {
        var random = SeededRandom(seed: 7)
        return stride(from: from.nanoseconds, to: to.nanoseconds, by: Int(Bucket.length)).map { start in
            var bucket = Bucket(start: Instant(nanoseconds: start), coveredSeconds: 900)
            bucket.energy.imported = Int64.random(in: 0...3_600_000_000, using: &random)
            bucket.energy.exported = Int64.random(in: 0...900_000_000, using: &random)
            bucket.billed = bucket.energy.imported
            bucket.powerW = 400
            if let prices = prices?.prices(at: bucket.start) {
                bucket.importPrice = prices.importPerKWh
                bucket.exportPrice = prices.exportPerKWh
                bucket.fixedPrice = prices.fixedPerDay
            }
            return bucket
        }
    }

    private func sums(_ buckets: [Bucket], by length: LocalPeriod, _ zone: Zone) -> [EnergyPeriod] {
        var sums = LocalSums(by: length, in: zone)
        for bucket in buckets { sums.add(bucket) }
        return sums.periods()
    }

    @Test(arguments: ChangedDay.all) func `a day has the hours that its clocks showed`(_ day: ChangedDay) throws {
        let zone = try Zone(named: day.zone)
        let start = zone.start(of: day.date)
        let local = zone.localTime(at: start)
        #expect(local.date == day.date)
        #expect(local.hour * 3600 + local.minute * 60 == day.begins)
        let end = zone.nextDayStart(after: start)
        let days = sums(buckets(start - Duration.day, end + Duration.day), by: .day, zone)
        let sum = try #require(days.first { $0.start == start })
        #expect(sum.end == end)
        #expect(sum.coveredSeconds == day.hours * 3600)
        #expect(sum.coverage == 1)
    }

    @Test(arguments: Set(ChangedDay.all.map(\.zone)).sorted())
    func `quarters add up to hours, hours to days, days to months, exactly`(_ name: String) throws {
        let zone = try Zone(named: name)
        let from = zone.start(of: CalendarDate(year: 2026, month: 1, day: 1))
        let to = zone.start(of: CalendarDate(year: 2027, month: 1, day: 1))
        let tariff = Tariff(perKWh: 0.3217, bands: [], exportPerKWh: 0.0811, fixedPerDay: 0.4)
        let all = buckets(from, to, prices: PriceList(tariff: tariff, zone: zone))
        let periods = LocalPeriod.allCases.map { sums(all, by: $0, zone) }
        #expect(periods[2].count == 365)
        #expect(periods[3].count == 12)
        for (finer, coarser) in zip(periods, periods.dropFirst()) {
            var rest = finer[...]
            for period in coarser {
                let parts = rest.prefix { $0.end <= period.end }
                rest = rest.dropFirst(parts.count)
                #expect(parts.first?.start == period.start)
                #expect(parts.last?.end == period.end)
                #expect(parts.reduce(0) { $0 + ($1.energy.imported ?? 0) } == period.energy.imported)
                #expect(parts.reduce(0) { $0 + ($1.energy.exported ?? 0) } == period.energy.exported)
                #expect(parts.reduce(0) { $0 + ($1.importCost ?? 0) } == period.importCost)
                #expect(parts.reduce(0) { $0 + ($1.exportEarnings ?? 0) } == period.exportEarnings)
                #expect(period.energy.produced == nil)
            }
            #expect(rest.isEmpty)
        }
        #expect(periods[1].allSatisfy { $0.fixedCost == nil })
        #expect(periods[2].allSatisfy { $0.fixedCost == 400_000 })
        #expect(periods[3].map(\.fixedCost) == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].map { $0 * 400_000 })
    }

    @Test func `a day on which nothing was measured costs its fixed price all the same`() throws {
        let berlin = try Zone(named: "Europe/Berlin")
        let from = berlin.start(of: CalendarDate(year: 2026, month: 3, day: 20))
        let silent = berlin.start(of: CalendarDate(year: 2026, month: 3, day: 28))
        let again = berlin.start(of: CalendarDate(year: 2026, month: 4, day: 3)) + 5 * Duration.hour
        let to = berlin.start(of: CalendarDate(year: 2026, month: 4, day: 6))
        let prices = PriceList(tariff: Tariff(perKWh: 0.3, bands: [], fixedPerDay: 0.4), zone: berlin)
        let all = buckets(from, silent, prices: prices) + buckets(again, to, prices: prices)
        let days = sums(all, by: .day, berlin)
        #expect(days.count == 17)
        #expect(days.allSatisfy { $0.fixedCost == 400_000 })
        #expect(days[8].start == silent && days[8].coverage == 0 && days[8].energy.imported == nil)
        let months = sums(all, by: .month, berlin)
        #expect(months.map(\.fixedCost) == [12 * 400_000, 5 * 400_000])
        // Without a price there is nothing to say of such a day.
        #expect(sums(buckets(from, silent) + buckets(again, to), by: .day, berlin).count == 11)
    }

    @Test func `a doubled hour is two, and a skipped one is none`() throws {
        let berlin = try Zone(named: "Europe/Berlin")
        func hours(_ month: Int, _ day: Int) -> [Int] {
            let start = berlin.start(of: CalendarDate(year: 2026, month: month, day: day))
            return sums(buckets(start, start + 5 * Duration.hour), by: .hour, berlin).map {
                berlin.localTime(at: $0.start).hour
            }
        }
        #expect(hours(3, 29) == [0, 1, 3, 4, 5])
        #expect(hours(10, 25) == [0, 1, 2, 2, 3])
    }

    @Test func `a period without a bucket is left out, and one that was half measured says so`() throws {
        let noon = Instant.noon
        var bucket = Bucket(start: noon, coveredSeconds: 450)
        bucket.energy.imported = 5
        let hours = sums([bucket, Bucket(start: noon + 3 * Duration.hour, coveredSeconds: 900)], by: .hour, .utc)
        #expect(hours.map(\.start) == [noon, noon + 3 * Duration.hour])
        #expect(hours[0].coverage == 0.125)
        #expect(hours[0].powerW == nil)
        #expect(hours[1].energy.imported == nil)
    }
}

@Suite struct TariffTests {
    /// 2026-06-01 is a Monday.
    private func price(_ tariff: Tariff, _ day: Int, _ hour: Int, _ minute: Int = 0) -> Double {
        let start = Instant(seconds: 1_780_272_000) + Int64(day - 1) * Duration.day
        return PriceList(tariff: tariff, zone: .utc)
            .prices(at: start + Int64(hour) * Duration.hour + Int64(minute) * Duration.minute).importPerKWh
    }

    @Test func `bands hold from their first quarter to before their last, on their days`() {
        let weekdays: UInt8 = 0b011_1110
        let tariff = Tariff(
            perKWh: 0.30, bands: [Tariff.Band(weekdays: weekdays, start: 17 * 4, end: 20 * 4 + 1, perKWh: 0.45)])
        #expect(price(tariff, 1, 16, 45) == 0.30)
        #expect(price(tariff, 1, 17) == 0.45)
        #expect(price(tariff, 1, 20) == 0.45)
        #expect(price(tariff, 1, 20, 15) == 0.30)
        #expect(price(tariff, 6, 18) == 0.30)
        #expect(price(tariff, 7, 18) == 0.30)
    }

    @Test func `a band over midnight belongs to the day on which it begins`() {
        let friday: UInt8 = 1 << 5
        let tariff = Tariff(
            perKWh: 0.30, bands: [Tariff.Band(weekdays: friday, start: 22 * 4, end: 6 * 4, perKWh: 0.20)])
        #expect(price(tariff, 5, 5) == 0.30)
        #expect(price(tariff, 5, 22) == 0.20)
        #expect(price(tariff, 6, 5, 45) == 0.20)
        #expect(price(tariff, 6, 6) == 0.30)
        #expect(price(tariff, 6, 22) == 0.30)
    }

    @Test func `the first band that fits counts, and the mean is of all the week's quarters`() {
        let every: UInt8 = 0b111_1111
        let tariff = Tariff(
            perKWh: 0.4,
            bands: [
                Tariff.Band(weekdays: every, start: 0, end: 24, perKWh: 0.2),
                Tariff.Band(weekdays: every, start: 0, end: 48, perKWh: 0.3),
            ])
        #expect(price(tariff, 1, 5) == 0.2)
        #expect(price(tariff, 1, 6) == 0.3)
        // 6 h at 0.2, 6 h at 0.3, 12 h at 0.4.
        #expect(abs(tariff.meanPerKWh - 0.325) < 1e-12)
    }

    @Test func `bands are of the local clock, in summer and in winter`() throws {
        let tariff = Tariff(
            perKWh: 0.3, bands: [Tariff.Band(weekdays: 0b111_1111, start: 22 * 4, end: 96, perKWh: 0.2)])
        let prices = PriceList(tariff: tariff, zone: try Zone(named: "Europe/Berlin"))
        // 20:00 UTC is 22:00 in summer and 21:00 in winter.
        #expect(prices.prices(at: Instant(seconds: 1_780_344_000)).importPerKWh == 0.2)
        #expect(prices.prices(at: Instant(seconds: 1_767_297_600)).importPerKWh == 0.3)
        #expect(prices.prices(at: Instant(seconds: 1_767_301_200)).importPerKWh == 0.2)
    }
}
