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

    @Test func `where the counter dies the sum goes on from its last value`() throws {
        let slots = days { $0 <= 120 ? 5 + $0 / 3000 : nil }
        let expected = kWh(5.04) + millijoules(1200, 180)
        let slot = try #require(slots[0]?.dayEnergy)
        #expect(abs(slot - expected) <= 1)
    }
}
