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
    let services: InstanceServices
    let schedule: Schedule
    /// Nil = its gaps stay.
    let history: (any AdapterHistory)?
    let log: Log
    let requests: InstanceRequests
    let state: Mutex<InstanceStatus>
    /// The one that runs, or waits for the instance's thread.
    let login = Mutex<LoginDialogue?>(nil)
    /// 0 to 1.
    let random: @Sendable () -> Double
    /// Of an adapter in this process.
    private let context: HostContext?
    private let thread = Mutex<Thread?>(nil)

    static let stackBytes = 512 * 1024

    /// - Parameters:
    ///   - lane: nil = the live view only.
    ///   - history: what becomes of what the meter's log has; nil = its gaps stay.
    ///   - random: 0 to 1.
    package init(
        _ plan: Plan, board: LiveBoard, lane: Intake<Emission>.Lane?, memory: any AdapterMemory,
        history: (any AdapterHistory)? = nil, log: Log,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) throws(SystemError) {
        self.plan = plan
        self.history = history
        self.log = log
        self.random = random
        identity = plan.identity
        number = plan.number
        requests = try InstanceRequests(isPaused: plan.state[StateKey.paused] != nil)
        schedule = Schedule(
            sampling: plan.sampling, minimum: plan.adapter.description.minimumSampling, name: plan.identity.name)
        let port = EmissionPort(
            instance: plan.number, circuits: plan.circuits, maximumPowerW: plan.maximumPowerW, board: board,
            lane: lane, complain: InstanceServices.complaint(log, plan.identity))
        services = try InstanceServices(
            instance: plan.identity, port: port, state: plan.state, requestsPerDay: plan.requestsPerDay,
            sampling: schedule.sampling, isPush: plan.adapter.description.delivery == .push, memory: memory, log: log)
        context =
            plan.adapter.isIsolated
            ? nil
            : HostContext(
                instance: plan.identity.name, settings: plan.settings,
                declared: plan.adapter.description.settings.map(\.name), gate: services.gate, services: services)
        state = Mutex(InstanceStatus(identity: plan.identity, state: .starting, since: .now))
    }

    /// Begins; the instance starts on its own thread.
    package func start() throws(SystemError) {
        let started = try Thread(name: "adapter-\(plan.adapter.description.meterType)", stackBytes: Self.stackBytes) {
            [self] in
            switch (plan.adapter.place, context) {
            case (.host(let adapter), let context?): run(InProcessHosting(adapter: adapter, context: context))
            case (.child(let launch, _), _):
                run(
                    IsolatedHosting(
                        launch, plan.adapter.description, instance: identity.name, settings: plan.settings,
                        services: services))
            case (.host, nil): break
            }
            if !isAbandoned { context?.retire() }
        }
        thread.withLock { $0 = started }
    }

    /// The small values as they now are: what a restart of the instance goes on from.
    package var stateValues: [String: [UInt8]] { services.stateValues }

    /// Reads as soon as the adapter's minimum allows.
    package func readNow() { requests.readNow() }
    /// Looks for gaps at once.
    package func fillGaps() { requests.fillGaps() }
    /// Ends a pause: something may have changed.
    package func retryNow() { requests.retry() }
    /// The wall clock was set.
    package func clockChanged() { requests.clockChanged() }

    /// Asks the instance to end; `join` waits for it.
    package func stop() {
        requests.stop()
        services.cancel()
    }

    /// False where the thread has not ended by the deadline: it is left behind.
    package func join(until deadline: Int64) -> Bool {
        thread.withLock { $0 }?.join(until: deadline) ?? true
    }

    /// Gives up a call in this process that is long past its deadline. Answers when to look again (monotonic ns); nil =
    /// nothing runs here.
    package func checkDeadline(now: Int64) -> Int64? {
        guard let context, let deadline = context.runningUntil ?? login.withLock({ $0?.limit }) else { return nil }
        guard now >= deadline + CallTime.patience else { return deadline + CallTime.patience }
        let isNew = state.withLock { status in
            if case .abandoned = status.state { return false }
            status.state = .abandoned("a call did not return; the instance is left alone until the next start")
            status.since = .now
            status.failures += 1
            return true
        }
        if isNew {
            // Should the call return after all, the thread ends.
            stop()
            if let dialogue = login.withLock({ $0 }) { refuse(dialogue, METER_FAILED, "it did not return") }
            log.error(
                "adapter abandoned", LogField("instance", identity.name),
                LogField("reason", "a call did not return within its deadline and 2 s"))
        }
        return nil
    }
}
