import Adapters
import Configuration
import Observability
import Pipeline
import Platform
import Readings

/// Tells the pipeline how the instances do, whenever that has changed: whether an adapter fails is seen here, and
/// whether that is an alert is decided where alerts are made.
struct InstanceReports {
    private var last: [InstanceReport]?

    /// - Parameter isComplete: whether all adapters were looked for; before, an instance may yet be found.
    mutating func tend(
        _ instances: Instances, _ settings: Settings, isComplete: Bool, _ pipeline: Pipeline, _ log: Log
    ) {
        guard isComplete else { return }
        let reports = instances.all.map { entry in
            InstanceReport(
                identity: entry.plan.identity,
                condition: settings.isUnconfigured ? .off : Self.condition(entry.status, log),
                isHouse: entry.plan.isHouse, interval: entry.interval(settings), sampling: entry.sampling)
        }
        guard reports != last else { return }
        last = reports
        pipeline.report(reports)
    }

    private static func condition(_ status: InstanceStatus, _ log: Log) -> InstanceReport.Condition {
        // The state's own reason may count seconds: it would be news each time.
        let reason = log.redacted(status.lastError ?? status.state.reason ?? "")
        return switch status.state {
        case .starting: .starting
        case .running: .working
        case .stopped, .paused: .off
        case .waiting, .backingOff, .restarting: .failing(reason)
        case .misconfigured, .needsPerson, .needsLogin, .abandoned: .stuck(reason)
        }
    }
}

extension Instances.Entry {
    /// Nanoseconds of a slot; the host's where the instance's own cannot be told.
    fileprivate func interval(_ settings: Settings) -> Int64 {
        guard case .ready(_, let resolved) = plan.fate else {
            return Int64(settings.host.fetchIntervalSeconds) * Duration.second
        }
        return resolved.interval(settings.host)
    }
}
