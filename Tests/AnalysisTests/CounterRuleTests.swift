import Readings
import Testing

@testable import Analysis

/// The table of `docs/energy.md`, row by row.
@Suite struct CounterRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var last: Double
        var current: Double
        var step: CounterRule.Step
    }

    static let cases = [
        Case(testDescription: "rises by a possible amount", last: 100, current: 100.5, step: .advanced(kWh(0.5))),
        Case(testDescription: "stands still", last: 100, current: 100, step: .advanced(0)),
        Case(testDescription: "rises by more than the house can draw", last: 100, current: 900, step: .restarted),
        Case(testDescription: "falls by a hundredth", last: 544.587493, current: 544.587, step: .jittered),
        Case(testDescription: "falls by 0.2 kWh", last: 100.2, current: 100, step: .jittered),
        Case(
            testDescription: "wraps at the end of its register", last: 99_999.9, current: 0.1, step: .advanced(kWh(0.2))
        ),
        Case(testDescription: "starts again from zero", last: 544, current: 0.3, step: .advanced(kWh(0.3))),
        Case(testDescription: "is zero after a restart", last: 544, current: 0, step: .advanced(0)),
        Case(testDescription: "is another meter's", last: 544, current: 300, step: .restarted),
    ]

    @Test(arguments: cases) func `a step means what the table says`(_ given: Case) {
        let step = CounterRule.step(
            from: kWh(given.last), to: kWh(given.current), elapsed: 60 * Duration.second, maximumPowerW: 100_000)
        #expect(step == given.step)
    }

    @Test func `a long silence makes a large step possible`() {
        let step = CounterRule.step(
            from: kWh(100), to: kWh(180), elapsed: 26 * Duration.hour, maximumPowerW: 100_000)
        #expect(step == .advanced(kWh(80)))
    }

    private func fold(_ counters: [(seconds: Double, kWh: Double?)], powerW: Double = 1000) -> Millijoules {
        let house = House(known: [.grid])
        let emissions = counters.map { entry in
            var flows = Flows<Millijoules?>(repeating: nil)
            flows.imported = entry.kWh.map(kWh)
            return house.emission(at: entry.seconds, Powers(gridW: powerW), counters: flows)
        }
        return house.fold(emissions, slots: 1).compactMap { $0?.energy.imported }.reduce(0, +)
    }

    @Test func `a counter that is missing for a while counts once`() {
        // 1000 W for 120 s by power while the counter is away; the counter then says 0.05 kWh for the whole time.
        let energy = fold([(1, 10), (31, 10.01), (61, nil), (91, nil), (121, nil), (151, 10.05), (300, 10.06)])
        #expect(energy == kWh(0.06))
    }

    @Test func `after a swap the step counts by power and the new counter goes on`() {
        let energy = fold([(1, 10), (31, 10.01), (61, 9_000), (91, 9_000.02), (300, 9_000.03)])
        #expect(energy == kWh(0.01) + millijoules(1000, 30) + kWh(0.03))
    }

    @Test func `jitter never makes energy fall, and nothing counts twice`() {
        let energy = fold([(1, 10), (31, 10.1), (61, 10.05), (91, 10.1), (121, 10.12), (300, 10.12)])
        #expect(energy == kWh(0.12))
    }
}
