import Testing

@testable import HomeAssistantAdapter

/// A quantity over time.
@Suite struct SegmentsTests {
    private func segments(_ changes: [(Int64, Double?)], end: Int64 = 1000, hold: Int64 = 1000) -> Segments {
        let track = StateTrack(changes: changes.map { .init(at: $0.0, value: $0.1) })
        return Segments(track, factor: 1, end: end) { $0 + hold }
    }

    @Test func `a state counts until the next one, in proportion to its time`() throws {
        let power = segments([(0, 100), (30, 300), (80, -100)])
        let measure = try #require(power.measure(0, 100))
        #expect(measure.mean == 160)
        #expect(measure.positive == 18_000 && measure.negative == 2000)
        #expect(power.measure(40, 50)?.mean == 300)
        #expect(power.measure(79, 81)?.mean == 100)
    }

    @Test func `what was not a number is a hole, and less than four fifths are not enough`() {
        let power = segments([(0, 100), (80, nil), (90, 200)])
        #expect(power.measure(0, 100)?.mean == 10_000.0 / 90)
        #expect(power.measure(20, 95)?.time == 65)
        #expect(power.measure(60, 100) == nil)
        #expect(power.measure(82, 88) == nil)
        #expect(segments([]).measure(0, 100) == nil)
    }

    @Test func `a value that is not reported again goes stale, but zero rests`() {
        let power = segments([(0, 100), (500, 0)], hold: 50)
        #expect(power.measure(0, 50)?.mean == 100)
        #expect(power.measure(100, 400) == nil)
        #expect(power.measure(600, 1000)?.mean == 0)
        #expect(power.measure(900, 1200) == nil, "nothing is known beyond the end")
    }

    @Test func `two sensors are one quantity where both are measured`() {
        let imported = segments([(0, 100), (50, 0), (100, nil)])
        let exported = segments([(20, 0), (60, 400)])
        let grid = Segments(imported, exported) { $0 - $1 }
        #expect(grid.all.map(\.from) == [20, 50, 60])
        #expect(grid.all.map(\.to) == [50, 60, 100])
        #expect(grid.all.map(\.value) == [100, 0, -400])
    }

    @Test func `a counter is read where it stands`() {
        let counter = segments([(10, 5), (20, 6), (30, nil), (40, 7)], end: 50)
        #expect([5, 10, 19, 25, 35, 45, 50, 51].map { counter.value(at: $0) } == [nil, 5, 5, 6, nil, 7, 7, nil])
    }
}
