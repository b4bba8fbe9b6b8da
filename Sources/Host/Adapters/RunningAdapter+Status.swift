import AdapterABI
import Observability
import Platform
import Readings
import Synchronization

/// How an instance is doing, for people and metrics.
extension RunningAdapter {
    package var status: InstanceStatus {
        var status = state.withLock { $0 }
        let now = Instant.now
        status.counts = services.port.counts
        status.rationLeft = services.rationLeft(at: now)
        if case .restarting(let what) = status.state, let next = status.nextRun {
            let seconds = max(1, (next - now + Duration.second - 1) / Duration.second)
            status.state = .restarting("\(what), retrying in \(seconds) s")
        }
        let isPush = plan.adapter.description.delivery == .push
        if isPush {
            // What a push adapter delivers are its fetches.
            status.attempts += status.counts.accepted
            status.lastSuccess = status.counts.lastAccepted
            // It was started when that was due, and comes by itself from then on.
            if case .running = status.state { status.nextRun = nil }
        }
        guard let condition = services.currentCondition else {
            if let since = status.scarceSince, let next = status.nextRun {
                status.condition =
                    "the day's ration of requests is used up: it is read again at \(Timestamp.text(Instant(seconds: next.seconds)))"
                status.conditionSince = since
            }
            return status
        }
        status.condition = condition.message
        status.conditionSince = condition.since
        // A push adapter has no other way to say that it fails.
        if isPush, case .running = status.state {
            status.state = Self.state(AdapterFailure(code: condition.code, message: condition.message))
            status.since = condition.since
            status.lastError = condition.message
        }
        return status
    }

    /// Requests left of a day's ration.
    /// - Parameter stored: the value of `StateKey.ration`; nil = nothing was used.
    package static func requestsLeft(of perDay: Int, stored: [UInt8]?) -> Int {
        Ration(limit: perDay, stored: stored ?? []).left(at: .now) ?? perDay
    }

    func set(_ new: InstanceState) {
        state.withLock { status in
            if case .abandoned = status.state { return }
            guard status.state != new else { return }
            // What fails in another way than before has failed all the while.
            if status.state.word != new.word { status.since = .now }
            status.state = new
        }
    }

    func note(_ failure: AdapterFailure, failures: Int) {
        note(error: "\(failure.word): \(failure.message)", consecutive: failures)
        set(failure.code == METER_MISCONFIGURED ? .misconfigured(failure.message) : Self.state(failure))
        // The first failure is news, the hundredth is not.
        guard failures == 1 || failures.isMultiple(of: 20) else { return }
        log.write(
            .warning, "adapter failed",
            [
                LogField("instance", identity.name), LogField("code", failure.word),
                LogField("error", failure.message), LogField("failures", failures),
            ] + InstanceState.todo(failure.code, identity))
    }

    private static func state(_ failure: AdapterFailure) -> InstanceState {
        if failure.code == METER_LOGIN_REQUIRED { return .needsLogin(failure.message) }
        return failure.needsPerson ? .needsPerson(failure.message) : .backingOff(failure.message)
    }

    func note(error: String, consecutive: Int) {
        state.withLock { status in
            status.attempts += 1
            status.failures += 1
            status.consecutiveFailures = consecutive
            status.lastError = error
            status.lastErrorAt = .now
        }
    }
}
