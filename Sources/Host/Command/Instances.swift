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
        /// Settings that it runs with.
        var values: [String: String] = [:]
    }

    private let entries = Mutex<[Entry]>([])
    private let pipeline: Pipeline
    private let board: LiveBoard
    private let log: Log
    private let uncleanEnd: Bool

    init(pipeline: Pipeline, board: LiveBoard, log: Log, uncleanEnd: Bool) {
        self.pipeline = pipeline
        self.board = board
        self.log = log
        self.uncleanEnd = uncleanEnd
    }

    var all: [Entry] { entries.withLock { $0 } }
    var house: Entry? { all.first { $0.plan.isHouse } }
    func entry(named name: String) -> Entry? { all.first { $0.plan.identity.name == name } }

    /// Starts what can be started.
    func begin(_ plans: [InstancePlan], _ settings: Settings) throws {
        for plan in plans {
            var entry = Entry(plan: plan, since: .now)
            if case .ready = plan.fate { try start(&entry, settings, state: nil) }
            say(entry)
            entries.withLock { $0.append(entry) }
        }
    }

    /// Takes changed settings over: an instance whose values differ is made anew, one that lacked something starts, one
    /// that waits for a person tries again.
    func reconfigure(_ plans: [InstancePlan], _ settings: Settings) {
        for plan in plans {
            guard var entry = all.first(where: { $0.plan.identity == plan.identity }) else { continue }
            guard case .ready(_, let resolved) = plan.fate else { continue }
            if let running = entry.running {
                guard resolved.values != entry.values else {
                    running.retryNow()
                    continue
                }
                running.stop()
                guard running.join(until: Clock.monotonic() + 3 * Duration.second) else { continue }
            }
            let state = entry.running?.stateValues
            entry.plan = plan
            do {
                try start(&entry, settings, state: state)
                log.info("adapter reconfigured", LogField("instance", plan.identity.name))
            } catch {
                log.error(
                    "adapter not started", LogField("instance", plan.identity.name), LogField("error", "\(error)"))
            }
            let changed = entry
            entries.withLock { entries in
                guard let index = entries.firstIndex(where: { $0.plan.identity == plan.identity }) else { return }
                entries[index] = changed
            }
        }
    }

    private func start(_ entry: inout Entry, _ settings: Settings, state: [String: [UInt8]]?) throws {
        guard case .ready(let adapter, let resolved) = entry.plan.fate else { return }
        log.register(secrets: resolved.secrets)
        let sampling = resolved.sampling(adapter.description, settings.host)
        let interval = resolved.interval(settings.host)
        var seed: InstanceSeed
        if let number = entry.number, let state {
            seed = InstanceSeed(number: number, circuits: pipeline.view(of: number)?.circuits ?? [], state: state)
        } else {
            seed = try pipeline.register(
                InstanceRegistration(
                    identity: entry.plan.identity, sampling: sampling, interval: interval,
                    late: adapter.description.late, isHouse: entry.plan.isHouse,
                    maximumPowerW: settings.host.maximumPowerW))
        }
        let running = try RunningAdapter(
            RunningAdapter.Plan(
                adapter: adapter, identity: entry.plan.identity, number: seed.number, sampling: sampling,
                settings: resolved.values, requestsPerDay: resolved.ration(adapter.description),
                circuits: seed.circuits, state: seed.state, maximumPowerW: settings.host.maximumPowerW,
                uncleanEnd: uncleanEnd),
            board: board, lane: pipeline.intake.makeLane(),
            memory: PipelineMemory(pipeline: pipeline, instance: seed.number), log: log)
        try running.start()
        entry.number = seed.number
        entry.running = running
        entry.sampling = sampling
        entry.interval = interval
        entry.values = resolved.values
    }

    private func say(_ entry: Entry) {
        let name = LogField("instance", entry.plan.identity.name)
        switch entry.plan.fate {
        case .ready(let adapter, _):
            log.info(
                "adapter started", name, LogField("version", adapter.description.version),
                LogField("sample_seconds", Double(entry.sampling) / 1e9))
        case .waiting(let reason): log.warning("adapter waits", name, LogField("reason", reason))
        case .misconfigured(_, _, let reason): log.error("adapter misconfigured", name, LogField("reason", reason))
        }
    }
}

extension Instances.Entry {
    /// How the instance is doing, whether it runs or not.
    var status: InstanceStatus {
        if let running { return running.status }
        switch plan.fate {
        case .ready: return InstanceStatus(identity: plan.identity, state: .starting, since: since)
        case .waiting(let reason): return InstanceStatus(identity: plan.identity, state: .waiting(reason), since: since)
        case .misconfigured(_, _, let reason):
            return InstanceStatus(identity: plan.identity, state: .misconfigured(reason), since: since)
        }
    }
}

extension Instant {
    static var now: Instant { Instant(nanoseconds: Clock.wall()) }
}
