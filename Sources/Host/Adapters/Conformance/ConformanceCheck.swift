import Readings

/// One thing that an adapter is held to: a line of `smart-meter check --list`.
package struct ConformanceCheck: Sendable {
    package enum Group: String, CaseIterable, Sendable {
        case loading, descriptor, life, reading, trouble, cancellation, threads, manners, history, evolution
        case robustness, isolation
    }

    /// Where it runs, and what it does.
    enum Body: Sendable {
        /// In a child, which has loaded the library.
        case child(@Sendable (CheckBench) throws(Finding) -> Void)
        /// In the checker's own process, beside a runner that has loaded a copy of it.
        case host(@Sendable (IsolationBench) throws(Finding) -> Void)
    }

    /// Stable for good: scripts name it.
    package let name: String
    package let group: Group
    /// What holds where it passes, in one line.
    package let meaning: String
    /// Checks of a group and a lane share a child process for as long as it lives.
    let lane: Int
    /// Nanoseconds; one that takes longer is ended from outside.
    let limit: Int64
    let body: Body

    init(
        _ name: String, _ group: Group, _ meaning: String, lane: Int = 0, limitSeconds: Int64 = 20,
        body: @escaping @Sendable (CheckBench) throws(Finding) -> Void
    ) {
        self.name = name
        self.group = group
        self.meaning = meaning
        self.lane = lane
        self.limit = limitSeconds * Duration.second
        self.body = .child(body)
    }

    init(
        isolated name: String, _ meaning: String, body: @escaping @Sendable (IsolationBench) throws(Finding) -> Void
    ) {
        self.name = name
        group = .isolation
        self.meaning = meaning
        lane = 0
        // Each call has a deadline of its own.
        limit = Duration.minute
        self.body = .host(body)
    }

    /// Every check, in the order in which people read the results.
    package static let all: [ConformanceCheck] =
        LoadingChecks.table + DescriptorChecks.table + LifeChecks.table + ReadingChecks.table + CircuitChecks.table
        + TroubleChecks.table + CancellationChecks.table + ThreadChecks.table + MannersChecks.table
        + HistoryChecks.table + EvolutionChecks.table + RobustnessChecks.table + IsolationChecks.table
}

/// What came of a check.
package struct CheckResult: Sendable {
    package enum Outcome: String, Sendable {
        case passed, failed, warning, skipped, crashed
    }

    package let check: ConformanceCheck
    package var outcome: Outcome
    /// What was seen, or why it was skipped; empty where it passed.
    package var seen = ""
    /// What the interface asks for.
    package var expected = ""
    /// What to do.
    package var advice = ""
    package var seconds = 0.0
}

/// Ends a check before its end: it has seen something.
struct Finding: Error {
    var outcome: CheckResult.Outcome
    var seen: String
    var expected = ""
    var advice = ""

    static func failed(_ seen: String, expected: String, advice: String) -> Finding {
        Finding(outcome: .failed, seen: seen, expected: expected, advice: advice)
    }

    static func warning(_ seen: String, expected: String, advice: String) -> Finding {
        Finding(outcome: .warning, seen: seen, expected: expected, advice: advice)
    }

    /// It says nothing about this adapter.
    static func skipped(_ why: String) -> Finding { Finding(outcome: .skipped, seen: why) }

    /// - Parameter missing: settings without which there is none.
    static func noMeterGiven(missing: [String]) -> Finding {
        .skipped("no meter was given: \(missing.map { "--setting \($0)=..." }.joined(separator: " "))")
    }
}
