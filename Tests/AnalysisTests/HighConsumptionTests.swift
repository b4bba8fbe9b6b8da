import Readings
import Testing

@testable import Analysis

@Suite struct HighConsumptionTests {
    private let start = Instant.noon

    private func watch(hold: Double = 0, open: HighConsumption.Episode? = nil) -> HighConsumption {
        HighConsumption(
            rules: HighConsumption.Rules(
                thresholdW: 10_000, hold: Int64(hold * 1e9), clear: 300 * Duration.second), open: open)
    }

    private func at(_ seconds: Double) -> Instant { start + Int64(seconds * 1e9) }

    @Test func `an episode is raised, grows and ends, once each`() {
        var watch = watch()
        #expect(watch.take(9_999, at: at(0)) == nil)
        #expect(watch.take(10_000, at: at(10)) == nil)
        #expect(watch.take(10_500, at: at(30)) == .raised(.init(start: at(30), peakW: 10_500)))
        #expect(watch.take(10_400, at: at(60)) == nil)
        #expect(watch.take(12_000, at: at(90)) == .grew(.init(start: at(30), peakW: 12_000)))
        // Within 95 % of the threshold it goes on.
        #expect(watch.take(9_600, at: at(120)) == nil)
        #expect(watch.take(9_000, at: at(150)) == nil)
        #expect(watch.take(9_000, at: at(449)) == nil)
        #expect(watch.take(9_000, at: at(450)) == .ended(.init(start: at(30), peakW: 12_000), at: at(150)))
        #expect(watch.take(9_000, at: at(900)) == nil)
    }

    @Test func `a short peak is nothing where it has to last`() {
        var watch = watch(hold: 60)
        #expect(watch.take(15_000, at: at(0)) == nil)
        #expect(watch.take(15_000, at: at(59)) == nil)
        #expect(watch.take(5_000, at: at(61)) == nil)
        #expect(watch.take(15_000, at: at(90)) == nil)
        #expect(watch.take(16_000, at: at(150)) == .raised(.init(start: at(90), peakW: 16_000)))
    }

    @Test func `silence and export change nothing, and a dip starts its time anew`() {
        var watch = watch()
        _ = watch.take(11_000, at: at(0))
        #expect(watch.take(nil, at: at(5_000)) == nil)
        #expect(watch.take(1_000, at: at(5_010)) == nil)
        #expect(watch.take(11_000, at: at(5_100)) == nil)
        #expect(watch.take(1_000, at: at(5_200)) == nil)
        #expect(watch.take(1_000, at: at(5_499)) == nil)
        #expect(watch.take(-20_000, at: at(5_500)) != nil)
    }

    @Test func `what has to last does not last over silence`() {
        var watch = watch(hold: 60)
        let hold = 75 * Duration.second
        #expect(watch.take(15_000, at: at(0), holdsFor: hold) == nil)
        // Two hours later: nobody knows what was in between.
        #expect(watch.take(15_000, at: at(7200), holdsFor: hold) == nil)
        #expect(
            watch.take(15_000, at: at(7260), holdsFor: hold) == .raised(.init(start: at(7200), peakW: 15_000)))
        #expect(watch.take(1_000, at: at(7290), holdsFor: hold) == nil)
        #expect(watch.take(1_000, at: at(9000), holdsFor: hold) == nil)
        for second in stride(from: 9030.0, to: 9300, by: 30) {
            #expect(watch.take(1_000, at: at(second), holdsFor: hold) == nil)
        }
        #expect(
            watch.take(1_000, at: at(9300), holdsFor: hold)
                == .ended(.init(start: at(7200), peakW: 15_000), at: at(9000)))
    }

    @Test func `an episode that was open at a restart goes on`() {
        var watch = watch(open: .init(start: at(-100), peakW: 13_000))
        #expect(watch.take(12_000, at: at(0)) == nil)
        #expect(watch.take(1_000, at: at(10)) == nil)
        #expect(watch.take(1_000, at: at(310)) == .ended(.init(start: at(-100), peakW: 13_000), at: at(10)))
    }
}

extension HighConsumption {
    /// Of a meter that is read seldom enough for the steps of these tests.
    fileprivate mutating func take(_ powerW: Double?, at instant: Instant) -> Event? {
        take(powerW, at: instant, holdsFor: Duration.hour)
    }
}
