import AdapterABI
import Observability
import Platform
import Readings
import Synchronization

// How an instance's gaps are filled between two reads.
extension RunningAdapter {
    /// Whether the meter has a log, and somebody wants to know.
    package var asksHistory: Bool { history != nil && plan.adapter.description.historyStep > 0 }

    /// Asks for one portion, if there is one and time for it before the next read (monotonic ns; nil = none comes).
    func fillGap(
        _ gaps: inout GapAgenda, before read: Int64?, _ hosting: inout some AdapterHosting
    ) throws(HostingError) {
        guard let history else { return }
        let begin = Clock.monotonic()
        let deadline = min(begin + GapAgenda.longest, (read ?? .max) - GapAgenda.margin)
        guard deadline - begin >= GapAgenda.shortest else { return gaps.standBack(until: read ?? begin) }
        switch history.wish(until: begin + GapAgenda.longest) {
        case nil: gaps.fail(nil, .now)
        case .nothing(let wake): gaps.rest(until: wake, .now)
        case .ask(let question):
            guard deadline - Clock.monotonic() >= GapAgenda.shortest else {
                return gaps.standBack(until: read ?? begin)
            }
            do throws(HostingError) {
                let answer = try ask(question, until: deadline, &hosting)
                state.withLock { $0.historyError = nil }
                if history.take(answer, to: question, until: Clock.monotonic() + 10 * Duration.second) {
                    gaps.succeed(.now)
                } else {
                    gaps.fail(nil, .now)
                }
            } catch {
                guard case .failed(let failure) = error else { throw error }
                gaps.fail(failure, .now)
                noteHistory(failure, isNews: gaps.isNews)
            }
        }
    }

    private func ask(
        _ question: HistoryQuestion, until deadline: Int64, _ hosting: inout some AdapterHosting
    ) throws(HostingError) -> Readings.HistoryAnswer {
        let request = HistoryRequest(
            from: question.from.nanoseconds, to: question.to.nanoseconds, step: question.step,
            maxRecords: UInt32(clamping: question.mostRecords), deadline: deadline)
        let records = HistoryRecords(port: services.port, question: question)
        let result = try services.spendingSparingly(readsAnHour) { () throws(HostingError) in
            try unsafe hosting.history(request) { record in unsafe records.put(record) }
        }
        guard let outcome = Self.outcome(result) else {
            throw .failed(
                AdapterFailure(
                    code: METER_BAD_DATA, message: "history ended with the unknown outcome \(result.outcome)"))
        }
        let covered = min(max(Instant(nanoseconds: result.coveredTo), question.from), question.to)
        if outcome == .more, covered == question.from {
            throw .failed(
                AdapterFailure(code: METER_TIMEOUT, message: "history gave nothing of \(question.from.seconds)"))
        }
        return Readings.HistoryAnswer(records: records.taken, outcome: outcome, coveredTo: covered)
    }

    /// With a tenth more: some reads take a second request.
    private var readsAnHour: Double {
        guard plan.adapter.description.delivery == .pull else { return 0 }
        return 1.1 * Double(Duration.hour) / Double(max(Duration.second, plan.sampling))
    }

    private static func outcome(_ result: HistoryAnswer) -> Readings.HistoryAnswer.Outcome? {
        switch result.outcome {
        case METER_HISTORY_COMPLETE: .complete
        case METER_HISTORY_MORE: .more
        case METER_HISTORY_NOT_YET: .notYet(retryAfter: min(max(0, result.retryAfter), Duration.day))
        case METER_HISTORY_NONE_BEFORE: .noneBefore(Instant(nanoseconds: result.noneBefore))
        default: nil
        }
    }

    /// The log is not the meter: reads go on as they do.
    private func noteHistory(_ failure: AdapterFailure, isNews: Bool) {
        state.withLock { $0.historyError = "\(failure.word): \(failure.message)" }
        guard isNews, !requests.isStopping else { return }
        log.warning(
            "history failed", LogField("instance", identity.name), LogField("code", failure.word),
            LogField("error", failure.message))
    }
}

/// The records of one call, as they come in: checked, in order, and no more than were asked for.
private final class HistoryRecords {
    private(set) var taken: [Emission] = []
    private let port: EmissionPort
    private let question: HistoryQuestion

    init(port: EmissionPort, question: HistoryQuestion) {
        self.port = port
        self.question = question
    }

    func put(_ record: UnsafePointer<meter_reading>) -> Int32 {
        guard taken.count < question.mostRecords else { return METER_SINK_STOP }
        guard var emission = unsafe port.record(record) else { return METER_SINK_CONTINUE }
        // What was not asked for, or comes out of order, is no record of this span.
        guard emission.timestamp > question.from, emission.timestamp <= question.to, emission.period > 0,
            taken.last.map({ $0.timestamp < emission.timestamp }) ?? true
        else { return METER_SINK_CONTINUE }
        emission.quality = .backfilled
        for index in emission.circuits.indices { emission.circuits[index].quality = .backfilled }
        taken.append(emission)
        return taken.count < question.mostRecords ? METER_SINK_CONTINUE : METER_SINK_STOP
    }
}
