import Readings
import Testing

@testable import Analysis

@Suite struct DayAccountTests {
    /// Emissions every 30 s around a midnight that lies 600 s after noon of the test's clock.
    private let house: House = {
        var house = House()
        house.dayStart = .noon + 600 * Duration.second - Duration.day
        return house
    }()

    private func days(_ counter: (Double) -> Double?) -> [Slot?] {
        house.fold(
            (0...40).map { index in
                let seconds = Double(index) * 30
                return house.emission(at: seconds, Powers(consumptionW: 1200), day: counter(seconds))
            }, slots: 4)
    }

    @Test func `without a counter it is the sum of the increments, and begins anew at midnight`() {
        let slots = days { _ in nil }
        #expect(slots[0]?.dayEnergy == millijoules(1200, 300))
        #expect(slots[1]?.dayEnergy == 0)
        #expect(slots[1]?.closingDayEnergy == millijoules(1200, 600))
        #expect(slots[3]?.dayEnergy == millijoules(1200, 600))
    }

    @Test func `the meter's own figure is taken as it stands, and after midnight once it has dropped`() {
        let slots = days { $0 < 630 ? 18.5 + $0 / 3000 : ($0 - 600) / 3000 }
        #expect(slots[0]?.dayEnergy == kWh(18.6))
        #expect(slots[1]?.closingDayEnergy == kWh(18.7))
        #expect(slots[1]?.dayEnergy == 0)
        #expect(slots[2]?.dayEnergy == kWh(0.1))
        #expect(slots[3]?.dayEnergy == kWh(0.2))
    }

    @Test func `a meter that begins its day late loses nothing and never falls`() throws {
        // Its midnight is 300 s after ours: until then increments count, afterwards its figure on top of them.
        let slots = days { $0 < 900 ? 18.5 + $0 / 3000 : ($0 - 900) / 3000 }
        #expect(slots[2]?.dayEnergy == kWh(0.1))
        #expect(slots[3]?.dayEnergy == kWh(0.2))
    }

    @Test func `a meter that begins its day early keeps the old day whole and the new one its own`() throws {
        // Its midnight is 300 s before ours: what it dropped is still in the old day, and the new one counts from 0.
        let slots = days { $0 < 300 ? 18.5 + $0 / 3000 : ($0 - 300) / 3000 }
        let closing = try #require(slots[1]?.closingDayEnergy)
        #expect(abs(closing - kWh(18.7)) <= kWh(0.011), "\(Energy.kWh(closing)) kWh")
        #expect(slots[1]?.dayEnergy == 0)
        #expect(slots[2]?.dayEnergy == kWh(0.1))
        #expect(slots[3]?.dayEnergy == kWh(0.2))
    }

    @Test func `a meter of another zone, which drops in the middle of our day, lets no day fall or jump`() throws {
        // Every 30 s for two of our days, the meter's day beginning six hours after ours.
        var house = House()
        house.dayStart = .noon
        house.interval = Duration.hour
        let day = 86_400.0
        let slots = house.fold(
            (0...(2 * 2880 + 1)).map { index in
                let seconds = Double(index) * 30
                let ofMeter = (seconds + day - 21_600).truncatingRemainder(dividingBy: day)
                return house.emission(at: seconds, Powers(consumptionW: 1200), day: ofMeter / 3000)
            }, slots: 48)
        let figures = try slots.map { try #require($0?.dayEnergy) }
        for hour in 1..<48 where hour % 24 != 23 {
            let rise = figures[hour] - (hour % 24 == 0 ? 0 : figures[hour - 1])
            // 1.2 kWh an hour; where the meter drops, the energy of one step may be before or behind it.
            #expect(abs(rise - kWh(1.2)) <= kWh(0.011) || hour == 24, "hour \(hour): \(Energy.kWh(rise)) kWh")
        }
        let closing = try #require(slots[47]?.closingDayEnergy)
        #expect(figures[47] == 0 && abs(closing - kWh(28.8)) <= kWh(0.03), "\(Energy.kWh(closing)) kWh")
    }

    @Test(arguments: [600.0, 0]) func `one wild value is left out, and its time counts by increments`(value: Double)
        throws
    {
        let slots = days { $0 == 120 ? value : 5 + $0 / 3000 }
        #expect(slots[0]?.dayEnergy == kWh(5.1))
        let wild = days { $0 == 300 ? value : 5 + $0 / 3000 }
        let figure = try #require(wild[0]?.dayEnergy)
        #expect(abs(figure - kWh(5.1)) <= 1)
        #expect(wild[1]?.closingDayEnergy == kWh(5.2))
    }

    @Test func `a value that the next one confirms is the meter's, however far it has leapt`() {
        let slots = days { $0 < 120 ? 5 + $0 / 3000 : 25 + $0 / 3000 }
        #expect(slots[0]?.dayEnergy == kWh(25.1))
    }

    /// Of a day of much, which the new one cannot have had yet, and of little, which it can.
    @Test(arguments: [18.5, 1.5]) func `a counter that jitters after midnight is still yesterday's`(yesterday: Double) {
        let slots = days { $0 < 900 ? ($0 == 660 ? yesterday - 0.01 : yesterday) : ($0 - 900) / 3000 }
        #expect(slots[1]?.dayEnergy == 0)
        #expect(slots[2]?.dayEnergy == kWh(0.1))
        #expect(slots[3]?.dayEnergy == kWh(0.2))
    }

    @Test func `a drop that was none leaves the day to the increments`() throws {
        let slots = days { $0 == 630 ? 0 : 18.5 }
        let figure = try #require(slots[3]?.dayEnergy)
        #expect(abs(figure - kWh(0.2)) <= kWh(0.011), "\(Energy.kWh(figure)) kWh")
    }

    @Test func `a doubtful value is remembered over a restart`() throws {
        var carry = Carry(at: .noon)
        carry.day.doubt = DayAccount.Doubt(reading: 7, at: .noon)
        #expect(Carry(decoding: carry.encoded()) == carry)
    }

    @Test func `where the counter dies the sum goes on from its last value`() throws {
        let slots = days { $0 <= 120 ? 5 + $0 / 3000 : nil }
        let expected = kWh(5.04) + millijoules(1200, 180)
        let slot = try #require(slots[0]?.dayEnergy)
        #expect(abs(slot - expected) <= 1)
    }
}
