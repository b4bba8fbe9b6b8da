import AdapterABI
import Observability
package import Readings

/// What an instance is doing.
package enum InstanceState: Hashable, Sendable {
    /// Its type is not among the adapters found.
    case waiting(String)
    /// A setting is missing or wrong.
    case misconfigured(String)
    case starting
    case running
    /// By a person, until it is resumed.
    case paused
    /// It failed, and will be tried again.
    case backingOff(String)
    /// It failed in a way that trying again cannot mend.
    case needsPerson(String)
    /// It waits for somebody to log in.
    case needsLogin(String)
    /// The process that it ran in is gone, and will be started again.
    case restarting(String)
    /// A call did not return: never called again.
    case abandoned(String)
    case stopped

    package var word: String {
        switch self {
        case .waiting: "waiting"
        case .misconfigured: "misconfigured"
        case .starting: "starting"
        case .running: "running"
        case .paused: "paused"
        case .backingOff: "backing_off"
        case .needsPerson, .needsLogin: "needs_attention"
        case .restarting: "restarting"
        case .abandoned: "abandoned"
        case .stopped: "stopped"
        }
    }

    /// Why it is not running.
    package var reason: String? {
        switch self {
        case .waiting(let reason), .misconfigured(let reason), .backingOff(let reason), .needsPerson(let reason),
            .needsLogin(let reason), .restarting(let reason), .abandoned(let reason):
            reason
        case .starting, .running, .paused, .stopped: nil
        }
    }
}

extension InstanceState {
    /// What a person types where an instance needs a login.
    package static func loginCommand(_ instance: InstanceIdentity) -> String { "smart-meter login \(instance.name)" }

    /// What is said to a person beside an error of that code.
    static func todo(_ code: Int32, _ instance: InstanceIdentity) -> [LogField] {
        code == METER_LOGIN_REQUIRED ? [LogField("todo", loginCommand(instance))] : []
    }
}

/// An instance at a moment, for people and metrics.
package struct InstanceStatus: Sendable {
    package let identity: InstanceIdentity
    package var state: InstanceState
    /// When the state began.
    package var since: Instant
    package var attempts = 0
    package var failures = 0
    package var consecutiveFailures = 0
    package var lastSuccess: Instant?
    package var lastError: String?
    package var lastErrorAt: Instant?
    /// Why the meter's log did not answer when last asked; nil = it did.
    package var historyError: String?
    /// When the day's ration has something for history again; nil = it has.
    package var historyResumes: Instant?
    /// What the adapter complains about although it delivers.
    package var condition: String?
    package var conditionSince: Instant?
    package var nextRun: Instant?
    /// Since when the next reading waits for the day's ration for longer than the newest one counts; nil = it does not.
    package var scarceSince: Instant?
    package var lastReadDuration: Int64?
    package var readDurations = ReadDurations()
    /// Requests left of the day's ration; nil = no limit.
    package var rationLeft: Int?
    package var counts = EmissionPort.Counts()

    package init(identity: InstanceIdentity, state: InstanceState, since: Instant) {
        self.identity = identity
        self.state = state
        self.since = since
    }
}
