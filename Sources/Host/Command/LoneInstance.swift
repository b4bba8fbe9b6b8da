import Adapters
import Configuration
import Glibc
import Observability
import Pipeline
import Platform
import Readings
import Storage
import Synchronization

/// An instance that runs for one command, where no host does. Its small values, such as tokens and what is used of its
/// ration, are those of the store; its readings go no further than the board.
struct LoneInstance {
    let identity: InstanceIdentity
    let adapter: LoadedAdapter
    let settings: ResolvedAdapterSettings

    /// Nil where it cannot run: it was complained about, and the status is that to exit with.
    /// - Parameter name: nil = the house.
    static func find(
        _ name: String?, _ settings: Settings, _ catalog: AdapterCatalog, _ console: some Console
    ) -> (instance: LoneInstance?, status: Int32) {
        let plans = InstancePlan.all(settings, catalog)
        let wanted = name ?? plans.first { $0.isHouse }?.identity.name ?? ""
        let named = plans.first { $0.identity.name == wanted }
        guard let plan = named ?? plan(forType: wanted, settings, catalog) else {
            console.complain("smart-meter: \(objection(to: wanted, catalog))")
            return (nil, SmartMeter.ExitStatus.usage)
        }
        switch plan.fate {
        case .waiting(let reason), .misconfigured(_, _, let reason):
            console.complain("smart-meter: \(plan.identity.name): \(reason)")
            return (nil, SmartMeter.ExitStatus.configuration)
        case .loading:
            console.complain("smart-meter: \(plan.identity.name): not all adapter files could be looked at in time")
            return (nil, SmartMeter.ExitStatus.unavailable)
        case .ready(let adapter, let resolved):
            let instance = LoneInstance(identity: plan.identity, adapter: adapter, settings: resolved)
            return (instance, SmartMeter.ExitStatus.ok)
        }
    }

    /// Why nothing of that name can run.
    private static func objection(to name: String, _ catalog: AdapterCatalog) -> String {
        guard !name.isEmpty else { return Settings.unconfigured }
        let type = String(name.prefix { $0 != "@" })
        guard catalog.adapter(ofType: type) == nil else { return "METER_TYPE does not name \(name)" }
        let nearest = NearestName.of(type, in: catalog.adapters.map(\.description.meterType))
        return "there is no adapter of type \(type)\(NearestName.hint(nearest)); smart-meter adapters lists them"
    }

    private static func plan(
        forType type: String, _ settings: Settings, _ catalog: AdapterCatalog
    ) -> InstancePlan? {
        guard catalog.adapter(ofType: type) != nil else { return nil }
        return InstancePlan(InstanceIdentity(meterType: type), settings, catalog)
    }

    /// The instance, not started yet.
    func prepare(
        _ host: HostSettings, board: LiveBoard, state: [String: [UInt8]], memory: any AdapterMemory, log: Log
    ) throws(SystemError) -> RunningAdapter {
        try RunningAdapter(
            RunningAdapter.Plan(
                adapter: adapter, identity: identity, number: 0,
                sampling: settings.sampling(adapter.description, host), settings: settings.values,
                requestsPerDay: settings.ration(adapter.description), circuits: [], state: state,
                maximumPowerW: host.maximumPowerW, uncleanEnd: false),
            board: board, lane: nil, memory: memory, log: log)
    }
}

/// The store of a host that does not run, for one command: locked, so that none starts meanwhile.
final class LoneStore {
    private let pipeline: Pipeline
    private static let patience = 10 * Duration.second

    init(_ settings: Settings, _ log: Log) throws {
        let directory = try DataDirectory(locking: settings.dataDirectory)
        let zone = try Zone.system(tz: settings.host.timeZone).zone
        pipeline = try Pipeline(options: Host.pipelineOptions(settings, directory, zone, log)) {}
        try pipeline.start()
    }

    /// Where there is one that this user may change.
    static func existing(_ settings: Settings, _ log: Log) throws -> LoneStore? {
        let path = settings.dataDirectory + "/" + Store.fileName
        return unsafe access(path, R_OK | W_OK) == 0 ? try LoneStore(settings, log) : nil
    }

    /// Says why there is none, and answers the exit status.
    static func complain(_ error: any Error, _ console: some Console) -> Int32 {
        guard let error = error as? StorageError else {
            console.complain("smart-meter: \(error)")
            return SmartMeter.ExitStatus.failed
        }
        console.complain("smart-meter: \(error.message); \(error.advice)")
        return error.kind == .busy ? SmartMeter.ExitStatus.unavailable : SmartMeter.ExitStatus.failed
    }

    /// Everything is durable.
    func close() { _ = pipeline.stop(until: Clock.monotonic() + Self.patience) }

    /// What an instance has kept, and where it goes on keeping it. A pause, and when it was read last, are the host's.
    func memory(of identity: InstanceIdentity) throws(StorageError) -> (
        state: [String: [UInt8]], memory: any AdapterMemory
    ) {
        let box = Box()
        let number = pipeline.operate(
            { (store) throws(StorageError) in
                let number = try store.number(of: identity)
                var found = try store.state(of: number)
                found[StateKey.paused] = nil
                found[StateKey.lastAttempt] = nil
                box.state.withLock { $0 = found }
                return number
            }, until: Clock.monotonic() + Self.patience)
        guard let number else { throw StorageError(.busy, "the store did not answer in time") }
        return (box.state.withLock { $0 }, PipelineMemory(pipeline: pipeline, instance: try number.get()))
    }
}

/// What comes out of the store's thread.
private final class Box: Sendable {
    let state = Mutex<[String: [UInt8]]>([:])
}
