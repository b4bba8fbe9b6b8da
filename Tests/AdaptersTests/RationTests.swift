import Readings
import Testing

@testable import Adapters

@Suite struct RationTests {
    private let noon = Instant(seconds: 1_780_315_200)

    @Test func `the day's ration holds across restarts and comes back hour by hour`() {
        var ration = Ration(limit: 10)
        let spent = [
            ration.spend(6, at: noon), ration.spend(4, at: noon + 2 * Duration.hour),
            ration.spend(1, at: noon + 3 * Duration.hour),
        ]
        #expect(spent == [true, true, false])
        let stored = ration.encoded(at: noon + 3 * Duration.hour)
        var restarted = Ration(limit: 10, stored: stored)
        let isRefused = !restarted.spend(1, at: noon + 23 * Duration.hour)
        #expect(isRefused)
        #expect(restarted.left(at: noon + 24 * Duration.hour) == 6)
        let isAllowed = restarted.spend(6, at: noon + 24 * Duration.hour)
        #expect(isAllowed)
        #expect(Ration(limit: nil).left(at: noon) == nil)
        #expect(Ration(limit: 5, stored: [1, 2, 3]).left(at: noon) == 5)
    }

    @Test func `what was counted while the clock stood far ahead does not use up the ration for good`() {
        var ration = Ration(limit: 2)
        let isSpent = ration.spend(2, at: noon + 400 * Duration.day)
        #expect(isSpent)
        #expect(ration.left(at: noon) == 2)
        let stored = ration.encoded(at: noon)
        #expect(Ration(limit: 2, stored: stored).left(at: noon) == 2)
    }

    @Test func `setting the clock back by hours gives no second ration`() {
        var ration = Ration(limit: 2)
        let isSpent = ration.spend(2, at: noon)
        #expect(isSpent)
        #expect(ration.left(at: noon - 3 * Duration.hour) == 0)
    }

    @Test func `what can wait leaves enough for what cannot, at any hour of the day to come`() {
        var ration = Ration(limit: 100)
        // A day's reads are 72: 28 are left over, however they lie in the day.
        let first = (0..<40).filter { _ in ration.spend(1, sparing: 3, at: noon) }.count
        #expect(first == 28)
        for hour in 0..<72 {
            let now = noon + Int64(hour) * Duration.hour
            let reads = (0..<3).filter { _ in ration.spend(1, at: now) }.count
            #expect(reads == 3, "hour \(hour)")
            _ = (0..<40).filter { _ in ration.spend(1, sparing: 3, at: now) }
        }
        var unlimited = Ration(limit: nil)
        let isFree = unlimited.spend(1000, sparing: 1000, at: noon)
        #expect(isFree)
    }

    @Test func `where reads alone are too many, nothing is left over for what can wait`() {
        var ration = Ration(limit: 100)
        let isTaken = ration.spend(1, sparing: 5, at: noon)
        #expect(!isTaken)
    }
}
