import AdapterABI
import Observability
import Platform
import Readings
import Synchronization

/// A login with the help of a person: one call more of the instance's thread, however long it takes. Reads wait.
extension RunningAdapter {
    /// Begins one; what comes of it is told in the dialogue.
    package func logIn(_ dialogue: LoginDialogue) {
        let isFirst = login.withLock { login in
            guard login == nil else { return false }
            login = dialogue
            return true
        }
        guard isFirst else { return refuse(dialogue, METER_UNAVAILABLE, "somebody else is logging in") }
        requests.logIn(dialogue)
        // Asked of one that has ended meanwhile, nobody would answer.
        switch state.withLock({ $0.state }) {
        case .stopped: refuse(dialogue, METER_CANCELLED, "it is not running")
        case .abandoned(let reason): refuse(dialogue, METER_FAILED, reason)
        default: break
        }
    }

    /// - Parameter code: METER_...
    func refuse(_ dialogue: LoginDialogue, _ code: Int32, _ reason: String) {
        end(dialogue, .failure(AdapterFailure(code: code, message: reason)))
    }

    /// The instance's thread, once it has been created. True where somebody is logged in now.
    /// - Parameter isStarted: else its services are there for this call alone.
    func logIn(
        _ dialogue: LoginDialogue, isStarted: Bool, _ hosting: inout some AdapterHosting
    ) throws(HostingError) -> Bool {
        guard !requests.isInterrupted, !dialogue.isCancelled else {
            refuse(dialogue, METER_CANCELLED, "it is stopping")
            return false
        }
        if !isStarted { services.open() }
        defer { if !isStarted { services.close() } }
        do throws(HostingError) {
            let found = try hosting.login(dialogue)
            log.info("logged in", LogField("instance", identity.name))
            end(dialogue, .success(found))
            return true
        } catch {
            switch error {
            case .failed(let failure):
                log.warning(
                    "login failed", LogField("instance", identity.name), LogField("code", failure.word),
                    LogField("error", failure.message))
                end(dialogue, .failure(failure))
                return false
            case .ended(let how):
                refuse(dialogue, METER_FAILED, how)
                throw error
            }
        }
    }

    /// Where the start has failed: for want of a login, perhaps.
    func logIn(
        _ dialogue: LoginDialogue, insteadOf failure: AdapterFailure, _ hosting: inout some AdapterHosting
    ) throws(HostingError) -> Bool {
        do throws(HostingError) {
            try hosting.create()
        } catch {
            guard case .failed = error else { throw error }
            refuse(dialogue, failure.code, failure.message)
            return false
        }
        return try logIn(dialogue, isStarted: false, &hosting)
    }

    /// Whoever waits for a login waits no longer.
    func end(_ dialogue: LoginDialogue, _ outcome: Result<String, AdapterFailure>) {
        login.withLock { if $0 === dialogue { $0 = nil } }
        if dialogue.isAll { requests.stop() }
        dialogue.finish(outcome)
    }
}
