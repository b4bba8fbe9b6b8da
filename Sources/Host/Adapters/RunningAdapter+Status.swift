import AdapterABI
import Observability
import Readings
import Synchronization

/// How an instance is doing, for people and metrics.
extension RunningAdapter {
    package var status: InstanceStatus {
        var status = state.withLock { $0 }
        status.counts = context.port.counts
        status.rationLeft = context.rationLeft(at: Self.now)
        let isPush = plan.adapter.description.delivery == .push
        if isPush {
            // What a push adapter delivers are its fetches.
            status.attempts += status.counts.accepted
            status.lastSuccess = status.counts.lastAccepted
        }
        guard let condition = context.currentCondition else { return status }
        status.condition = condition.message
        status.conditionSince = condition.since
        // A push adapter has no other way to say that it fails.
        if isPush, case .running = status.state {
            let failure = AdapterFailure(code: condition.code, message: condition.message)
            status.state = failure.needsPerson ? .needsPerson(condition.message) : .backingOff(condition.message)
            status.since = condition.since
            status.lastError = condition.message
        }
        return status
    }

    func set(_ new: InstanceState) {
        state.withLock { status in
            if case .abandoned = status.state { return }
            guard status.state != new else { return }
            // What fails in another way than before has failed all the while.
            if status.state.word != new.word { status.since = Self.now }
            status.state = new
        }
    }

    func note(_ failure: AdapterFailure, failures: Int) {
        let text = "\(failure.word): \(failure.message)"
        state.withLock { status in
            status.attempts += 1
            status.failures += 1
            status.consecutiveFailures = failures
            status.lastError = text
            status.lastErrorAt = Self.now
        }
        switch (failure.code, failure.needsPerson) {
        case (METER_MISCONFIGURED, _): set(.misconfigured(failure.message))
        case (_, true): set(.needsPerson(failure.message))
        default: set(.backingOff(failure.message))
        }
        // The first failure is news, the hundredth is not.
        guard failures == 1 || failures.isMultiple(of: 20) else { return }
        log.warning(
            "adapter failed", LogField("instance", identity.name), LogField("code", failure.word),
            LogField("error", failure.message), LogField("failures", failures))
    }
}
