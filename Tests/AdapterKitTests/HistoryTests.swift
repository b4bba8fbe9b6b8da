import AdapterABI
import AdapterKit
import FakeHost
import Testing

/// What a history in Swift is for the host.
@Suite struct HistoryTests {
    private func request(_ from: Int64, _ to: Int64, maximum: Int = 1000) -> HistoryRequest {
        HistoryRequest(from: from, to: to, step: 1, maximumRecords: maximum, deadline: Deadline(monotonic: .max))
    }

    @Test(
        arguments: [
            (0, 300, [100, 200, 300]), (100, 300, [200, 300]), (99, 100, [100]), (100, 199, []), (100, 100, []),
            (200, 100, []), (-250, 0, [-200, -100, 0]), (150, 350, [200, 300]),
        ] as [(Int64, Int64, [Int64])])
    func `records lie on the multiples of their period, the beginning excluded and the end included`(
        from: Int64, to: Int64, expected: [Int64]
    ) {
        #expect(Array(request(from, to).timestamps(period: 100)) == expected)
    }

    @Test func `no more records than are asked for, and one at least`() {
        #expect(Array(request(0, 1000, maximum: 3).timestamps(period: 100)) == [100, 200, 300])
        #expect(Array(request(0, 1000, maximum: 0).timestamps(period: 100)) == [100])
        let huge = request(.max - 250, .max, maximum: .max)
        #expect(Array(huge.timestamps(period: 100).prefix(5)).count <= 3)
    }

    @Test func `neighbouring spans give each record once`() {
        let borders: [Int64] = [-70, 0, 33, 100, 101, 299, 300, 777, 1000]
        let pieces = zip(borders, borders.dropFirst()).flatMap { Array(request($0, $1).timestamps(period: 100)) }
        #expect(pieces == Array(request(-70, 1000).timestamps(period: 100)))
    }

    @Test func `a span is complete where no further record fits`() {
        #expect(request(0, 399).outcome(coveredTo: 300, period: 100) == .complete)
        #expect(request(0, 400).outcome(coveredTo: 300, period: 100) == .more(coveredTo: 300))
        #expect(request(0, .max).outcome(coveredTo: .max - 1, period: 100) == .complete)
    }

    @Test(
        arguments: [
            ("complete", METER_HISTORY_COMPLETE, 1_000, 0, 0), ("more", METER_HISTORY_MORE, 107, 0, 0),
            ("not yet", METER_HISTORY_NOT_YET, 500, 2_500_000_000, 0),
            ("none before", METER_HISTORY_NONE_BEFORE, 700, 0, 700),
            ("none before later", METER_HISTORY_NONE_BEFORE, 1_000, 0, 5_000),
        ] as [(String, UInt32, Int64, Int64, Int64)])
    func `every outcome says how far it answers`(
        outcome: String, code: UInt32, coveredTo: Int64, retryAfter: Int64, noneBefore: Int64
    ) throws {
        let host = FakeHost(settings: ["script": "history: \(outcome)"])
        let answer = try unsafe AdapterUnderTest(ScriptedLibrary.enter()).create(host)
            .history(from: 100, to: 1_000, step: 10)
        #expect(answer.outcome == code)
        #expect(answer.coveredTo == coveredTo)
        #expect(answer.retryAfter == retryAfter)
        #expect(answer.noneBefore == noneBefore)
    }
}
