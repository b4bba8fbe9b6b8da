import AdapterABI
import Configuration
package import Observability
package import Platform
package import Readings
import Synchronization

/// One instance of an adapter: a thread that owns its schedule and every call into it.
package final class RunningAdapter: Sendable {
    package let identity: InstanceIdentity
    package let number: Int
    let plan: Plan
    let context: HostContext
    private let schedule: Schedule
    let log: Log
    let requests: InstanceRequests
    let state: Mutex<InstanceStatus>
    private let thread = Mutex<Thread?>(nil)
    private let random: @Sendable () -> Double

    /// A call this much past its deadline is given up.
    private static let patience = 2 * Duration.second
    private static let startTime = 15 * Duration.second
    private static let stackBytes = 512 * 1024

    /// - Parameters:
    ///   - lane: nil = the live view only.
    ///   - random: 0 to 1.
    package init(
        _ plan: Plan, board: LiveBoard, lane: Intake<Emission>.Lane?, memory: any AdapterMemory, log: Log,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) throws(SystemError) {
        self.plan = plan
        self.log = log
        self.random = random
        identity = plan.identity
        number = plan.number
        requests = try InstanceRequests(isPaused: plan.state[HostKey.paused] != nil)
        schedule = Schedule(
            sampling: plan.sampling, minimum: plan.adapter.description.minimumSampling, name: plan.identity.name)
        let port = EmissionPort(
            instance: plan.number, circuits: plan.circuits, maximumPowerW: plan.maximumPowerW, board: board,
            lane: lane, complain: HostContext.complaint(log, plan.identity))
        context = try HostContext(
            instance: plan.identity, port: port, settings: plan.settings,
            declared: plan.adapter.description.settings.map(\.name), state: plan.state,
            requestsPerDay: plan.requestsPerDay, memory: memory, log: log)
        state = Mutex(InstanceStatus(identity: plan.identity, state: .starting, since: Self.now))
    }

    /// Begins; the instance starts on its own thread.
    package func start() throws(SystemError) {
        let started = try Thread(name: "adapter-\(plan.adapter.description.meterType)", stackBytes: Self.stackBytes) {
            [self] in run()
        }
        thread.withLock { $0 = started }
    }

    /// The small values as they now are: what a restart of the instance goes on from.
    package var stateValues: [String: [UInt8]] { context.stateValues }

    /// Reads as soon as the adapter's minimum allows.
    package func readNow() { requests.readNow() }
    /// Ends a pause: something may have changed.
    package func retryNow() { requests.retry() }
    /// The wall clock was set.
    package func clockChanged() { requests.clockChanged() }

    /// Asks the instance to end; `join` waits for it.
    package func stop() {
        requests.stop()
        context.cancel()
    }

    /// False where the thread has not ended by the deadline: it is left behind.
    package func join(until deadline: Int64) -> Bool {
        thread.withLock { $0 }?.join(until: deadline) ?? true
    }

    /// Gives up a call that is long past its deadline. Answers when to look again (monotonic ns); nil = nothing runs.
    package func checkDeadline(now: Int64) -> Int64? {
        guard let deadline = context.runningUntil else { return nil }
        guard now >= deadline + Self.patience else { return deadline + Self.patience }
        let isNew = state.withLock { status in
            if case .abandoned = status.state { return false }
            status.state = .abandoned("a call did not return; the instance is left alone until the next start")
            status.since = Self.now
            status.failures += 1
            return true
        }
        if isNew {
            // Should the call return after all, the thread ends.
            stop()
            log.error(
                "adapter abandoned", LogField("instance", identity.name),
                LogField("reason", "a call did not return within its deadline and 2 s"))
        }
        return nil
    }

    // MARK: The instance's thread

    private func run() {
        var hosting = InProcessHosting(adapter: plan.adapter, context: context)
        while !requests.isStopping, !isAbandoned {
            if requests.isPaused { waitForResume() } else { live(&hosting) }
        }
        if !isAbandoned { context.retire() }
        set(.stopped)
    }

    /// From create to destroy: until the instance is to stop or to pause.
    private func live(_ hosting: inout InProcessHosting) {
        var starts = Agenda(schedule, lastAttempt: nil, uncleanEnd: false, now: .now)
        while waitUntilDue(&starts) {
            do throws(AdapterFailure) {
                try startInstance(&hosting)
            } catch {
                if requests.isInterrupted { break }
                starts.fail(error, random: random(), .now)
                note(error, failures: starts.failures)
                continue
            }
            switch plan.adapter.description.delivery {
            case .pull: sample(&hosting)
            case .push: idle()
            }
            stopInstance(&hosting)
            break
        }
        if !isAbandoned { hosting.destroy() }
    }

    private func startInstance(_ hosting: inout InProcessHosting) throws(AdapterFailure) {
        context.begin(callUntil: Clock.monotonic() + Self.startTime)
        defer { context.endCall() }
        try hosting.create()
        context.open()
        // Opening has forgotten a cancellation that came a moment before.
        if requests.isInterrupted { context.cancel() }
        do throws(AdapterFailure) {
            try hosting.start()
        } catch {
            context.close()
            throw error
        }
    }

    private func stopInstance(_ hosting: inout InProcessHosting) {
        guard !isAbandoned else { return }
        context.cancel()
        context.begin(callUntil: Clock.monotonic() + Duration.second)
        hosting.stop()
        context.endCall()
        context.close()
    }

    /// Reads on schedule, until the instance is to stop.
    private func sample(_ hosting: inout InProcessHosting) {
        let lastAttempt = context.stateValue(HostKey.lastAttempt).flatMap(Self.instant)
        var agenda = Agenda(schedule, lastAttempt: lastAttempt, uncleanEnd: plan.uncleanEnd, now: .now)
        while waitUntilDue(&agenda) {
            agenda.begin(.now)
            context.note(HostKey.lastAttempt, Self.bytes(Self.now))
            do throws(AdapterFailure) {
                try read(&hosting)
                agenda.succeed(.now)
            } catch {
                if requests.isInterrupted { return }
                agenda.fail(error, random: random(), .now)
                note(error, failures: agenda.failures)
            }
        }
    }

    /// A push adapter emits by itself, until the instance is to stop.
    private func idle() {
        set(.running)
        while true {
            switch requests.wait(until: nil) {
            case .stop, .pause: return
            case .due, .readNow, .retry, .clock: break
            }
        }
    }

    private func read(_ hosting: inout InProcessHosting) throws(AdapterFailure) {
        let before = context.port.counts
        let begin = Clock.monotonic()
        let deadline = begin + schedule.readTime
        context.begin(callUntil: deadline)
        defer {
            context.endCall()
            state.withLock { $0.readDurations.add(Clock.monotonic() - begin) }
        }
        try hosting.read(until: deadline)
        try Self.check(before, context.port.counts)
        let isRecovery = state.withLock { status in
            status.attempts += 1
            status.lastSuccess = Self.now
            status.lastReadDuration = Clock.monotonic() - begin
            let isRecovery = status.consecutiveFailures > 0
            status.consecutiveFailures = 0
            return isRecovery
        }
        set(.running)
        if isRecovery { log.info("adapter recovered", LogField("instance", identity.name)) }
    }

    /// A read that says it went well has to have given a reading.
    private static func check(
        _ before: EmissionPort.Counts, _ after: EmissionPort.Counts
    ) throws(AdapterFailure) {
        guard after.accepted == before.accepted else { return }
        if after.busy > before.busy {
            throw AdapterFailure(code: METER_FAILED, message: "the host's queue is full: the reading is lost")
        }
        if after.invalid > before.invalid {
            throw AdapterFailure(code: METER_BAD_DATA, message: "the reading breaks a rule; the log says which")
        }
        throw AdapterFailure(code: METER_NO_DATA, message: "the read gave no reading")
    }

    // MARK: Waiting

    /// Waits for the agenda's next attempt; false where the instance is to stop.
    private func waitUntilDue(_ agenda: inout Agenda) -> Bool {
        while true {
            let next = agenda.nextRun(.now)
            state.withLock { $0.nextRun = next }
            switch requests.wait(until: agenda.due) {
            case .due: return true
            case .stop, .pause: return false
            case .readNow: agenda.bringForward(.now)
            case .retry: agenda.retry(.now)
            case .clock: agenda.clockChanged(.now)
            }
        }
    }

    private var isAbandoned: Bool {
        if case .abandoned = state.withLock({ $0.state }) { return true }
        return false
    }

    static var now: Instant { Instant(nanoseconds: Clock.wall()) }

    static func bytes(_ instant: Instant) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(instant.nanoseconds)
        return writer.bytes
    }

    private static func instant(_ bytes: [UInt8]) -> Instant? {
        var reader = ByteReader(bytes)
        return reader.read(Int64.self).map(Instant.init(nanoseconds:))
    }
}
