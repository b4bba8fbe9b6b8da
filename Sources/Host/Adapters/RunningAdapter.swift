import AdapterABI
import Configuration
package import Observability
package import Platform
package import Readings
import Synchronization

/// One instance of an adapter: a thread that owns its schedule and every call into it.
package final class RunningAdapter: Sendable {
    /// What an instance runs with.
    package struct Plan: Sendable {
        package var adapter: LoadedAdapter
        package var identity: InstanceIdentity
        /// Durable number, or any other that is unique in this run for a stand-in.
        package var number: Int
        /// Nanoseconds.
        package var sampling: Int64
        package var settings: [String: String]
        package var requestsPerDay: Int?
        package var circuits: [CircuitIdentity]
        package var state: [String: [UInt8]]
        package var maximumPowerW: Double
        /// Whether the run before may have ended without noting its last attempt.
        package var uncleanEnd: Bool

        package init(
            adapter: LoadedAdapter, identity: InstanceIdentity, number: Int, sampling: Int64,
            settings: [String: String], requestsPerDay: Int?, circuits: [CircuitIdentity], state: [String: [UInt8]],
            maximumPowerW: Double, uncleanEnd: Bool
        ) {
            self.adapter = adapter
            self.identity = identity
            self.number = number
            self.sampling = sampling
            self.settings = settings
            self.requestsPerDay = requestsPerDay
            self.circuits = circuits
            self.state = state
            self.maximumPowerW = maximumPowerW
            self.uncleanEnd = uncleanEnd
        }
    }

    private struct Requests {
        var stop = false
        /// Read as soon as the minimum allows.
        var readNow = false
        /// Try again although a person was needed, or a pause is running.
        var retry = false
    }

    package let identity: InstanceIdentity
    package let number: Int
    private let plan: Plan
    private let context: HostContext
    private let schedule: Schedule
    private let log: Log
    private let bell: Doorbell
    private let requests = Mutex(Requests())
    private let state: Mutex<InstanceStatus>
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
        bell = try Doorbell()
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

    package var status: InstanceStatus {
        var status = state.withLock { $0 }
        status.counts = context.port.counts
        status.rationLeft = context.rationLeft(at: Self.now)
        guard let condition = context.currentCondition else { return status }
        status.condition = condition.message
        // A push adapter has no other way to say that it fails.
        if plan.adapter.description.delivery == .push, case .running = status.state {
            let failure = AdapterFailure(code: condition.code, message: condition.message)
            status.state = failure.needsPerson ? .needsPerson(condition.message) : .backingOff(condition.message)
            status.lastError = condition.message
        }
        return status
    }

    /// The small values as they now are: what a restart of the instance goes on from.
    package var stateValues: [String: [UInt8]] { context.stateValues }

    /// Reads as soon as the adapter's minimum allows.
    package func readNow() { request { $0.readNow = true } }
    /// Ends a pause: something may have changed.
    package func retryNow() { request { $0.retry = true } }
    /// The wall clock was set.
    package func clockChanged() { bell.ring() }

    /// Asks the instance to end; `join` waits for it.
    package func stop() {
        request { $0.stop = true }
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
            context.cancel()
            log.error(
                "adapter abandoned", LogField("instance", identity.name),
                LogField("reason", "a call did not return within its deadline and 2 s"))
        }
        return nil
    }

    // MARK: The instance's thread

    private func run() {
        var hosting = InProcessHosting(adapter: plan.adapter, context: context)
        var failures = 0
        while !isStopping {
            do throws(AdapterFailure) {
                try hosting.create()
                try startInstance(&hosting)
                failures = 0
                // Returns when the instance is to stop.
                sample(&hosting)
                stopInstance(&hosting)
                break
            } catch {
                failures += 1
                note(error, failures: failures, isAttempt: true)
                pause(after: error, failures: failures)
            }
        }
        if !isAbandoned {
            hosting.destroy()
            context.retire()
        }
        set(.stopped)
    }

    private func startInstance(_ hosting: inout InProcessHosting) throws(AdapterFailure) {
        context.open()
        context.begin(callUntil: Clock.monotonic() + Self.startTime)
        defer { context.endCall() }
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

    private func sample(_ hosting: inout InProcessHosting) {
        var failures = 0
        var lastAttempt = context.stateValue(HostKey.lastAttempt).flatMap(Self.instant)
        var next = schedule.first(now: Self.now, lastAttempt: lastAttempt, uncleanEnd: plan.uncleanEnd)
        if plan.adapter.description.delivery == .push { set(.running) }
        while true {
            guard plan.adapter.description.delivery == .pull else {
                _ = wait(until: nil)
                if isStopping { return }
                continue
            }
            state.withLock { $0.nextRun = next }
            switch wait(until: next) {
            case .stop: return
            case .early:
                let asked = takeEarlyRequest()
                if asked { next = schedule.first(now: Self.now, lastAttempt: lastAttempt, uncleanEnd: false) }
                continue
            case .due: break
            }
            lastAttempt = Self.now
            context.note(HostKey.lastAttempt, Self.bytes(Self.now))
            do throws(AdapterFailure) {
                try read(&hosting)
                failures = 0
                next = schedule.next(after: Self.now, lastAttempt: lastAttempt)
            } catch {
                if isStopping { return }
                failures += 1
                note(error, failures: failures, isAttempt: true)
                if error.needsPerson {
                    pause(after: error, failures: failures)
                    next = schedule.first(now: Self.now, lastAttempt: lastAttempt, uncleanEnd: false)
                } else {
                    next = schedule.retry(
                        now: Self.now, failures: failures, retryAfter: error.retryAfter, random: random())
                }
            }
        }
    }

    private func read(_ hosting: inout InProcessHosting) throws(AdapterFailure) {
        let accepted = context.port.counts.accepted
        let begin = Clock.monotonic()
        let deadline = begin + schedule.readTime
        context.begin(callUntil: deadline)
        defer { context.endCall() }
        try hosting.read(until: deadline)
        guard context.port.counts.accepted > accepted else {
            throw AdapterFailure(code: METER_NO_DATA, message: "the read gave no reading")
        }
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

    // MARK: Waiting

    private enum Wake {
        case due
        case early
        case stop
    }

    /// Waits until `instant` of the wall clock (nil = for ever), or until something is asked. Anew after each setting
    /// of the clock.
    private func wait(until instant: Instant?) -> Wake {
        while true {
            if isStopping { return .stop }
            if requests.withLock({ $0.readNow || $0.retry }) { return .early }
            let left = instant.map { $0 - Self.now }
            if let left, left <= 0 { return .due }
            bell.wait(until: left.map { Clock.monotonic() + $0 })
        }
    }

    /// Forgets what was asked; true where a sample was.
    private func takeEarlyRequest() -> Bool {
        requests.withLock { requests in
            defer {
                requests.readNow = false
                requests.retry = false
            }
            return requests.readNow || requests.retry
        }
    }

    /// A pause before the instance is started again, or, where trying cannot help, until somebody asks.
    private func pause(after failure: AdapterFailure, failures: Int) {
        let next =
            failure.needsPerson
            ? nil
            : schedule.retry(now: Self.now, failures: failures, retryAfter: failure.retryAfter, random: random())
        state.withLock { $0.nextRun = next }
        if wait(until: next) == .early { _ = takeEarlyRequest() }
    }

    /// An abandoned instance ends when its call does return after all.
    private var isStopping: Bool { requests.withLock { $0.stop } || isAbandoned }

    private var isAbandoned: Bool {
        if case .abandoned = state.withLock({ $0.state }) { return true }
        return false
    }

    private func request(_ change: (inout Requests) -> Void) {
        requests.withLock { change(&$0) }
        bell.ring()
    }

    // MARK: Status

    private func set(_ new: InstanceState) {
        state.withLock { status in
            if case .abandoned = status.state { return }
            guard status.state != new else { return }
            status.state = new
            status.since = Self.now
        }
    }

    private func note(_ failure: AdapterFailure, failures: Int, isAttempt: Bool) {
        let text = "\(failure.word): \(failure.message)"
        state.withLock { status in
            if isAttempt { status.attempts += 1 }
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

    private static var now: Instant { Instant(nanoseconds: Clock.wall()) }

    private static func bytes(_ instant: Instant) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(instant.nanoseconds)
        return writer.bytes
    }

    private static func instant(_ bytes: [UInt8]) -> Instant? {
        var reader = ByteReader(bytes)
        return reader.read(Int64.self).map(Instant.init(nanoseconds:))
    }
}
