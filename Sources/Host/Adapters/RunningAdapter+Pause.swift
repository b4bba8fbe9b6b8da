import AdapterABI
import Observability
import Platform
import Readings
import Synchronization

/// A pause that a person asked for: the instance lets go of its meter until it is resumed, also over restarts.
extension RunningAdapter {
    package func pause() {
        requests.pause(true)
        // What it waits for ends now.
        services.cancel()
    }

    package func resume() { requests.pause(false) }

    /// The instance's thread, while there is nothing but to wait.
    func waitForResume() {
        state.withLock { $0.nextRun = nil }
        set(.paused)
        if services.stateValue(StateKey.paused) == nil { keep(Self.bytes(.now)) }
        log.info("adapter paused", LogField("instance", identity.name))
        while requests.isPaused {
            let wake = requests.wait(until: nil) { (deadline, bell) throws(Never) in bell.wait(until: deadline) }
            switch wake {
            case .stop: return
            case .login(let dialogue): refuse(dialogue, METER_UNAVAILABLE, "it is paused: resume it first")
            case .due, .readNow, .retry, .gaps, .pause, .clock: break
            }
        }
        keep(nil)
        set(.starting)
        log.info("adapter resumed", LogField("instance", identity.name))
    }

    private func keep(_ value: [UInt8]?) {
        guard !services.keep(StateKey.paused, value) else { return }
        log.warning("a pause may not outlive a restart: it was not stored", LogField("instance", identity.name))
    }
}
