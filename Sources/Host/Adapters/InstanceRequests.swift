import Platform
import Synchronization

/// What others ask of an instance's thread.
final class InstanceRequests: Sendable {
    enum Wake: Sendable {
        /// The deadline has come.
        case due
        case stop
        /// A reading is wanted, as soon as the minimum allows.
        case readNow
        /// A person is there to log in.
        case login(LoginDialogue)
        /// A person has done something: another attempt, although one was needed or a pause is running.
        case retry
        /// Gaps are to be looked for.
        case gaps
        /// Whether to pause has changed.
        case pause
        /// The wall clock was set.
        case clock
    }

    private struct Asked {
        var stop = false
        var readNow = false
        var retry = false
        var gaps = false
        var clock = false
        var pauseChanged = false
        var login: LoginDialogue?
        /// What holds until it is asked otherwise.
        var isPaused = false
    }

    private let asked: Mutex<Asked>
    private let bell: Doorbell

    init(isPaused: Bool) throws(SystemError) {
        asked = Mutex(Asked(isPaused: isPaused))
        bell = try Doorbell()
    }

    var isStopping: Bool { asked.withLock { $0.stop } }
    var isPaused: Bool { asked.withLock { $0.isPaused } }
    /// What runs is to end: for good, or because a pause has begun (and perhaps ended again).
    var isInterrupted: Bool { asked.withLock { $0.stop || $0.pauseChanged } }

    func stop() { ask { $0.stop = true } }
    func readNow() { ask { $0.readNow = true } }
    func retry() { ask { $0.retry = true } }
    func fillGaps() { ask { $0.gaps = true } }
    func clockChanged() { ask { $0.clock = true } }
    func logIn(_ dialogue: LoginDialogue) { ask { $0.login = dialogue } }

    func pause(_ isPaused: Bool) {
        ask { asked in
            guard asked.isPaused != isPaused else { return }
            asked.isPaused = isPaused
            asked.pauseChanged = true
        }
    }

    /// Waits until `deadline` (monotonic ns; nil = for ever), or until something is asked. The instance's thread only.
    /// - Parameter idle: waits for the bell or the deadline, or shorter, and silences the bell.
    func wait<Failure: Error>(
        until deadline: Int64?, _ idle: (Int64?, Doorbell) throws(Failure) -> Void
    ) throws(Failure) -> Wake {
        while true {
            if let wake = take() { return wake }
            if let deadline, Clock.monotonic() >= deadline { return .due }
            try idle(deadline, bell)
        }
    }

    /// What was asked, the strongest alone: a pause makes what is weaker pointless, its end begins anew, a retry reads,
    /// too, and either looks at the clock anew. A stop stays, and so does whatever waits for a login.
    private func take() -> Wake? {
        asked.withLock { asked in
            if let login = asked.login {
                asked.login = nil
                return .login(login)
            }
            let now = asked
            asked = Asked(stop: now.stop, isPaused: now.isPaused)
            if now.stop { return .stop }
            if now.pauseChanged { return .pause }
            if now.retry { return .retry }
            if now.readNow { return .readNow }
            if now.gaps { return .gaps }
            return now.clock ? .clock : nil
        }
    }

    private func ask(_ change: (inout Asked) -> Void) {
        asked.withLock { change(&$0) }
        bell.ring()
    }
}
