import Adapters
import Configuration
import Observability
import Pipeline
import Platform
import Readings
import Storage
import Synchronization

/// The instances of this run: those that run, and those that cannot.
final class Instances: Sendable {
    struct Entry: Sendable {
        var plan: InstancePlan
        /// Durable; nil until the instance was registered.
        var number: Int?
        var running: RunningAdapter?
        /// Nanoseconds between samples, and of a slot.
        var sampling: Int64 = 0
        var interval: Int64 = 0
        var since: Instant
        /// What it runs with: settings, how the pipeline knows it, its ration, and the digest of its library.
        var values: [String: String] = [:]
        var registration: InstanceRegistration?
        var requestsPerDay: Int?
        var library = ""
    }

    /// What an instance that has run before goes on from.
    private struct Past: Sendable {
        var number: Int
        var registration: InstanceRegistration
        var state: [String: [UInt8]]
    }

    private let entries = Mutex<[Entry]>([])
    private let past = Mutex<[InstanceIdentity: Past]>([:])
    private let isClosed = Atomic<Bool>(false)
    private let pipeline: Pipeline
    private let board: LiveBoard
    private let log: Log
    private let uncleanEnd: Bool

    private static let stopTime = 3 * Duration.second

    init(pipeline: Pipeline, board: LiveBoard, log: Log, uncleanEnd: Bool) {
        self.pipeline = pipeline
        self.board = board
        self.log = log
        self.uncleanEnd = uncleanEnd
    }

    var all: [Entry] { entries.withLock { $0 } }
    var house: Entry? { all.first { $0.plan.isHouse } }
    func entry(named name: String) -> Entry? { all.first { $0.plan.identity.name == name } }

    /// What the start knows of them, before an adapter has been looked at.
    func begin(_ plans: [InstancePlan]) {
        entries.withLock { $0 = plans.map { Entry(plan: $0, since: .now) } }
    }

    /// From now on nothing is started.
    func close() { isClosed.store(true, ordering: .releasing) }

    /// Takes changed settings and adapters over: an instance whose values or library differ is made anew, one that
    /// lacked something starts, one whose adapter is gone ends. Nothing else is touched. One thread at a time.
    /// - Parameter isByPerson: somebody has done something: one that waits for a person tries again.
    func reconfigure(_ plans: [InstancePlan], _ settings: Settings, isByPerson: Bool) {
        for entry in all where !plans.contains(where: { $0.identity == entry.plan.identity }) {
            end(entry)
            entries.withLock { $0.removeAll { $0.plan.identity == entry.plan.identity } }
        }
        for var plan in plans {
            // Which instance is the house does not change while it is there.
            let house = house?.plan.identity
            plan.isHouse = house.map { $0 == plan.identity } ?? plan.isHouse
            let known = all.first { $0.plan.identity == plan.identity }
            let changed = change(
                known ?? Entry(plan: plan, since: .now), to: plan, settings, isNew: known == nil, isByPerson)
            entries.withLock { entries in
                if let index = entries.firstIndex(where: { $0.plan.identity == plan.identity }) {
                    entries[index] = changed
                } else {
                    entries.append(changed)
                }
            }
        }
    }

    private func change(
        _ entry: Entry, to plan: InstancePlan, _ settings: Settings, isNew: Bool, _ isByPerson: Bool
    ) -> Entry {
        var entry = entry
        switch (plan.fate, entry.running) {
        case (.ready(let adapter, let resolved), let running?):
            let isSame =
                resolved.values == entry.values && adapter.library.digest == entry.library
                && registration(plan, adapter, resolved, settings) == entry.registration
                && resolved.ration(adapter.description) == entry.requestsPerDay
            guard !isSame else {
                if isByPerson { running.retryNow() }
                return entry
            }
            guard end(entry) else { return entry }
            entry.plan = plan
            start(&entry, settings, event: "adapter reconfigured")
        case (.ready, nil):
            entry.plan = plan
            start(&entry, settings, event: "adapter started")
        case (.waiting, _?):
            end(entry)
            entry.running = nil
            entry.plan = plan
            entry.since = .now
            say(entry)
        case (.loading, _?), (.misconfigured, _?):
            // It goes on as it is: what is wrong was said when the settings were read.
            break
        case (_, nil):
            let isNews = isNew || plan.fate.word != entry.plan.fate.word
            entry.plan = plan
            if isNews { say(entry) }
        }
        return entry
    }

    /// False where it does not end.
    @discardableResult
    private func end(_ entry: Entry) -> Bool {
        guard let running = entry.running else { return true }
        running.stop()
        let hasEnded = running.join(until: Clock.monotonic() + Self.stopTime)
        past.withLock { $0[entry.plan.identity]?.state = running.stateValues }
        if !hasEnded { log.warning("adapter left behind", LogField("instance", entry.plan.identity.name)) }
        return hasEnded
    }

    private func start(_ entry: inout Entry, _ settings: Settings, event: String) {
        guard case .ready(let adapter, let resolved) = entry.plan.fate, !isClosed.load(ordering: .acquiring) else {
            return
        }
        log.register(secrets: resolved.secrets)
        let name = LogField("instance", entry.plan.identity.name)
        let sampling = resolved.sampling(adapter.description, settings.host)
        do {
            let registration = registration(entry.plan, adapter, resolved, settings)
            let seed = try seed(registration)
            let isFirst = entry.number == nil
            let running = try RunningAdapter(
                RunningAdapter.Plan(
                    adapter: adapter, identity: entry.plan.identity, number: seed.number, sampling: sampling,
                    settings: resolved.values, requestsPerDay: resolved.ration(adapter.description),
                    circuits: seed.circuits, state: seed.state, maximumPowerW: settings.host.maximumPowerW,
                    uncleanEnd: uncleanEnd && isFirst),
                board: board, lane: pipeline.intake.makeLane(),
                memory: PipelineMemory(pipeline: pipeline, instance: seed.number),
                history: PipelineHistory(pipeline: pipeline, instance: seed.number), log: log)
            try running.start()
            if sampling > resolved.wantedSampling(adapter.description, settings.host) {
                log.warning(
                    "read less often: the day's ration of requests has to last", name,
                    LogField("sample_seconds", Double(sampling) / 1e9))
            }
            entry.number = seed.number
            entry.running = running
            entry.sampling = sampling
            entry.interval = resolved.interval(settings.host)
            entry.values = resolved.values
            entry.registration = registration
            entry.requestsPerDay = resolved.ration(adapter.description)
            entry.library = adapter.library.digest
            log.info(
                event, name, LogField("version", adapter.description.version),
                LogField("sample_seconds", Double(sampling) / 1e9), LogField("isolated", adapter.isIsolated))
        } catch {
            log.error("adapter not started", name, LogField("error", "\(error)"))
        }
    }

    private func registration(
        _ plan: InstancePlan, _ adapter: LoadedAdapter, _ resolved: ResolvedAdapterSettings, _ settings: Settings
    ) -> InstanceRegistration {
        InstanceRegistration(
            identity: plan.identity, sampling: resolved.sampling(adapter.description, settings.host),
            interval: resolved.interval(settings.host), late: adapter.description.late, isHouse: plan.isHouse,
            maximumPowerW: settings.host.maximumPowerW, history: adapter.description.historyLimits(settings.host))
    }

    /// What the instance begins with: of the store, or of its own life before in this run.
    private func seed(_ registration: InstanceRegistration) throws -> InstanceSeed {
        if let past = past.withLock({ $0[registration.identity] }), past.registration == registration {
            let circuits = pipeline.view(of: past.number)?.circuits ?? []
            return InstanceSeed(number: past.number, circuits: circuits, state: past.state)
        }
        let seed = try pipeline.register(registration)
        past.withLock {
            $0[registration.identity] = Past(number: seed.number, registration: registration, state: seed.state)
        }
        return seed
    }

    private func say(_ entry: Entry) {
        let name = LogField("instance", entry.plan.identity.name)
        switch entry.plan.fate {
        case .ready, .loading: break
        case .waiting(let reason): log.warning("adapter waits", name, LogField("reason", reason))
        case .misconfigured(_, _, let reason): log.error("adapter misconfigured", name, LogField("reason", reason))
        }
    }
}

extension InstancePlan.Fate {
    /// Tells news from repetition.
    fileprivate var word: String {
        switch self {
        case .ready: "ready"
        case .loading: "loading"
        case .waiting(let reason), .misconfigured(_, _, let reason): reason
        }
    }
}

extension AdapterDescription {
    /// Nil where the adapter has no log to ask.
    fileprivate func historyLimits(_ host: HostSettings) -> HistoryLimits? {
        guard historyStep > 0 else { return nil }
        return HistoryLimits(
            step: historyStep, reach: historyReach, backfill: Int64(host.backfillDays) * Duration.day)
    }
}

extension Instances.Entry {
    /// How the instance is doing, whether it runs or not.
    var status: InstanceStatus {
        if let running { return running.status }
        switch plan.fate {
        case .ready, .loading: return InstanceStatus(identity: plan.identity, state: .starting, since: since)
        case .waiting(let reason): return InstanceStatus(identity: plan.identity, state: .waiting(reason), since: since)
        case .misconfigured(_, _, let reason):
            return InstanceStatus(identity: plan.identity, state: .misconfigured(reason), since: since)
        }
    }
}

extension Instant {
    static var now: Instant { Instant(nanoseconds: Clock.wall()) }
}
