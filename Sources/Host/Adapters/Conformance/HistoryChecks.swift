import AdapterABI
import Platform
import Readings

/// What a span of the meter's own log gave.
struct HistorySession: Sendable {
    var from: Int64
    var to: Int64
    var step: Int64
    /// The span at once.
    var whole: SeenHistory
    /// Its two halves.
    var halves: [SeenHistory]
    /// The whole again, three records and no more.
    var few: SeenHistory
    /// The whole again, where the sink says STOP after two.
    var stopped: SeenHistory
    /// Of a span before there was such a meter; nil = it was an answer.
    var emptiness: AdapterFailure?

    private static let records: Int64 = 20

    static func make(_ bench: CheckBench) throws(Finding) -> HistorySession {
        if let session = bench.history { return session }
        let description = try bench.adapter().description
        guard description.historyStep > 0 else { throw .skipped("it has no history") }
        let instance = try bench.startedForHistory()
        defer {
            instance.stop()
            instance.destroy()
        }
        let step = description.historyStep
        let to = Clock.wall() / step * step - step
        let from = to - records * step
        let half = from + records / 2 * step
        var session = try bench.orSkip("history") { () throws(AdapterFailure) in
            HistorySession(
                from: from, to: to, step: step, whole: try instance.history(from: from, to: to, step: step),
                halves: [
                    try instance.history(from: from, to: half, step: step),
                    try instance.history(from: half, to: to, step: step),
                ], few: try instance.history(from: from, to: to, step: step, most: 3),
                stopped: try instance.history(from: from, to: to, step: step, stopAfter: 2))
        }
        // 2001.
        let early = 978_307_200 * Duration.second / step * step
        do throws(AdapterFailure) {
            _ = try instance.history(from: early, to: early + 10 * step, step: step)
        } catch {
            session.emptiness = error
        }
        bench.note(instance)
        bench.history = session
        return session
    }

    /// As `make`, skipped where the log has nothing.
    static func withRecords(_ bench: CheckBench) throws(Finding) -> HistorySession {
        let session = try make(bench)
        guard !session.whole.records.isEmpty || !session.whole.refusals.isEmpty else {
            throw .skipped("the meter's log has no records of the last \(records) steps")
        }
        return session
    }
}

/// What `meter.history/1` is held to, where an adapter has it.
enum HistoryChecks {
    static let table: [ConformanceCheck] = [
        ConformanceCheck(
            "history-span", .history, "Records lie in (from, to], and of two neighbouring spans in one", body: span),
        ConformanceCheck("history-order", .history, "Records come in ascending order, each time once") {
            (bench) throws(Finding) in
            let session = try HistorySession.withRecords(bench)
            let times = session.whole.records.map(\.timestamp)
            guard let pair = zip(times, times.dropFirst()).first(where: { $0 >= $1 }) else { return }
            throw .failed(
                "a record of \(pair.1) ns after one of \(pair.0) ns", expected: "rising timestamps",
                advice: "sort before you put; merge what belongs to one period")
        },
        ConformanceCheck("history-bounded", .history, "No more than max_records are put, and none after STOP") {
            (bench) throws(Finding) in
            let session = try HistorySession.withRecords(bench)
            if session.few.records.count > 3 {
                throw .failed(
                    "\(session.few.records.count) records where 3 were allowed", expected: "at most max_records",
                    advice: "return METER_HISTORY_MORE with covered_to at the last record")
            }
            if session.stopped.putsAfterStop > 0 {
                throw .failed(
                    "put was called \(session.stopped.putsAfterStop) times after it had answered STOP",
                    expected: "no further call of put", advice: "look at the result of each put")
            }
        },
        ConformanceCheck(
            "history-records", .history, "A record has a period of at least step on its grid, and quality backfilled",
            body: records),
        ConformanceCheck("history-covered", .history, "covered_to lies where the outcome puts it", body: covered),
        ConformanceCheck("history-again", .history, "The same span asked twice gives the same records") {
            (bench) throws(Finding) in
            let session = try HistorySession.withRecords(bench)
            let again = session.few.records.map(\.numbers)
            guard again != Array(session.whole.records.prefix(again.count)).map(\.numbers) else { return }
            throw .failed(
                "the first records of a span were others when it was asked for again", expected: "the same",
                advice: "a record is a fact of the meter's log, not of the moment")
        },
        ConformanceCheck("history-empty", .history, "A span before everything is answered, not an error") {
            (bench) throws(Finding) in
            guard let failure = try HistorySession.make(bench).emptiness else { return }
            throw .failed(
                "a span of which there is nothing says \(failure.word): \(failure.message)",
                expected: "METER_OK with NONE_BEFORE or COMPLETE",
                advice: "an error means: ask again; that there is nothing is an answer")
        },
        ConformanceCheck("history-error", .history, "A log that cannot be read is an error, not an empty answer") {
            (bench) throws(Finding) in
            let session = try HistorySession.make(bench)
            try bench.needsHTTP()
            let instance = try bench.startedForHistory()
            defer {
                instance.stop()
                instance.destroy()
            }
            instance.network.set(.answer(status: 500, body: Array("internal error".utf8)))
            let before = instance.network.requests
            let answer = try? instance.history(from: session.from, to: session.to, step: session.step)
            guard instance.network.requests > before else { throw .skipped("it asks nothing of the host's HTTP") }
            guard let answer, answer.answer.outcome != METER_HISTORY_NOT_YET,
                answer.answer.coveredTo > session.from || answer.answer.outcome == METER_HISTORY_NONE_BEFORE
            else { return }
            throw .failed(
                "the meter answered 500, and history METER_OK with outcome \(answer.answer.outcome)",
                expected: "a code: else the host never asks for this span again",
                advice: "return METER_UNAVAILABLE or the like; covered_to is a promise")
        },
    ]

    private static func span(_ bench: CheckBench) throws(Finding) {
        let session = try HistorySession.withRecords(bench)
        let times = session.whole.records.map(\.timestamp)
        if let time = times.first(where: { $0 <= session.from || $0 > session.to }) {
            throw .failed(
                "asked for (\(session.from), \(session.to)], it put a record of \(time)",
                expected: "from < timestamp <= to",
                advice: "a record belongs to the span in which its period ends")
        }
        let halves = session.halves.flatMap(\.records).map(\.timestamp)
        let isWhole = (session.halves + [session.whole]).allSatisfy { $0.answer.outcome == METER_HISTORY_COMPLETE }
        if Set(halves).count != halves.count || isWhole && halves.sorted() != times.sorted() {
            throw .failed(
                "two neighbouring spans gave \(halves.count) records, both at once \(times.count)",
                expected: "each record in exactly one of them", advice: "a span is half-open: (from, to]")
        }
    }

    private static func records(_ bench: CheckBench) throws(Finding) {
        let session = try HistorySession.withRecords(bench)
        let expected = "a period >= step, a timestamp that is a multiple of it, quality BACKFILLED, and a number"
        if let refusal = session.whole.refusals.first {
            throw .failed(refusal, expected: expected, advice: "a record is a reading like any other")
        }
        for record in session.whole.records {
            let fault: String? =
                if record.period < session.step {
                    "a period of \(record.period) ns for a step of \(session.step)"
                } else if record.timestamp % record.period != 0 {
                    "a timestamp of \(record.timestamp) ns with a period of \(record.period)"
                } else if record.quality != METER_QUALITY_BACKFILLED {
                    "quality \(record.quality)"
                } else if record.numbers.isEmpty && record.circuits.allSatisfy(\.numbers.isEmpty) {
                    "a record of which nothing is measured"
                } else {
                    nil
                }
            if let fault { throw .failed(fault, expected: expected, advice: "see History in docs/adapter-abi.md") }
        }
    }

    private static func covered(_ bench: CheckBench) throws(Finding) {
        let session = try HistorySession.make(bench)
        for part in [session.whole, session.few, session.stopped] {
            let answer = part.answer
            let last = part.records.last?.timestamp ?? session.from
            let isRight =
                switch answer.outcome {
                case METER_HISTORY_COMPLETE: answer.coveredTo == session.to
                case METER_HISTORY_MORE: answer.coveredTo > session.from && answer.coveredTo <= session.to
                case METER_HISTORY_NOT_YET: answer.coveredTo >= session.from && answer.coveredTo <= session.to
                case METER_HISTORY_NONE_BEFORE:
                    part.records.isEmpty && answer.coveredTo == min(answer.noneBefore, session.to)
                        && answer.noneBefore > session.from
                default: false
                }
            guard isRight, answer.coveredTo >= last else {
                throw .failed(
                    "outcome \(answer.outcome) with covered_to \(answer.coveredTo), from \(session.from), to "
                        + "\(session.to), last record \(last)",
                    expected:
                        "COMPLETE = to; MORE > from; NOT_YET >= from; NONE_BEFORE = none_before or to; no record behind",
                    advice: "covered_to is a promise: everything up to there has been answered for")
            }
        }
    }
}
