import Readings
import Testing

@testable import Pipeline
@testable import Storage

/// What counts as a gap.
@Suite struct GapRulesTests {
    private let rules = GapRules(
        limits: HistoryLimits(step: Duration.minute, reach: 0, backfill: 0), interval: 5 * Duration.minute)
    private let noon = Instant(seconds: 1_780_315_200)

    private func minutes(_ from: Int64, _ to: Int64) -> Range<Instant> {
        (noon + from * Duration.minute)..<(noon + to * Duration.minute)
    }

    private func gaps(asked: [Range<Instant>]) -> [Range<Instant>] {
        rules.gaps(from: noon, to: noon + 15 * Duration.minute, rows: [], asked: asked)
    }

    @Test func `a slot that was asked for in two parts is not asked for again`() {
        #expect(gaps(asked: []) == [minutes(0, 15)])
        // Answered up to within a slot; the meter has not written down the rest yet.
        #expect(gaps(asked: [minutes(0, 8), minutes(8, 10)]) == [minutes(10, 15)])
        #expect(gaps(asked: [minutes(0, 8), minutes(6, 15)]).isEmpty)
        #expect(gaps(asked: [minutes(0, 15), minutes(2, 3)]).isEmpty)
    }

    @Test func `a slot of which a part was never asked for is`() {
        #expect(gaps(asked: [minutes(0, 8), minutes(9, 15)]) == [minutes(5, 10)])
        #expect(gaps(asked: [minutes(0, 8)]) == [minutes(5, 15)])
    }
}
