import Observability
import Readings
import Synchronization

/// A pause that a person asked for: the instance lets go of its meter until it is resumed, also over restarts.
extension RunningAdapter {
    package func pause() {
        requests.pause(true)
        // What it waits for ends now.
        context.cancel()
    }

    package func resume() { requests.pause(false) }

    /// The instance's thread, while there is nothing but to wait.
    func waitForResume() {
        state.withLock { $0.nextRun = nil }
        set(.paused)
        if context.stateValue(HostKey.paused) == nil { keep(Self.bytes(Self.now)) }
        log.info("adapter paused", LogField("instance", identity.name))
        while requests.isPaused, requests.wait(until: nil) != .stop {}
        guard !requests.isStopping else { return }
        keep(nil)
        set(.starting)
        log.info("adapter resumed", LogField("instance", identity.name))
    }

    private func keep(_ value: [UInt8]?) {
        guard !context.keep(HostKey.paused, value) else { return }
        log.warning("a pause may not outlive a restart: it was not stored", LogField("instance", identity.name))
    }
}
