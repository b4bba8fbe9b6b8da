import Adapters
import Configuration
import Observability
import Platform
import Readings

/// `smart-meter read`: one reading, printed. Leaves no trace.
enum ReadCommand {
    private static let patience = 20 * Duration.second

    /// Where no host runs: the adapter is run here.
    static func run(_ settings: Settings, type: String?, json: Bool, console: some Console) -> Int32 {
        do {
            let log = try Log(level: .warning)
            log.register(secrets: settings.secrets)
            return try CommandAdapters.with(settings, log) { (catalog) throws(SystemError) in
                try run(settings, catalog, type: type, json: json, console: console, log: log)
            }
        } catch {
            console.complain("smart-meter: \(error)")
            return SmartMeter.ExitStatus.failed
        }
    }

    private static func run(
        _ settings: Settings, _ catalog: AdapterCatalog, type: String?, json: Bool, console: some Console, log: Log
    ) throws(SystemError) -> Int32 {
        let plans = InstancePlan.all(settings, catalog)
        let wanted = type ?? plans.first?.identity.name ?? ""
        let named = plans.first { $0.identity.name == wanted }
        guard let plan = named ?? self.plan(forType: wanted, settings, catalog) else {
            console.complain("smart-meter: '\(wanted)' is not a meter type, or type@label")
            return SmartMeter.ExitStatus.usage
        }
        switch plan.fate {
        case .waiting(let reason), .misconfigured(_, _, let reason):
            console.complain("smart-meter: \(plan.identity.name): \(reason)")
            return SmartMeter.ExitStatus.configuration
        case .loading:
            console.complain("smart-meter: \(plan.identity.name): not all adapter files could be looked at in time")
            return SmartMeter.ExitStatus.unavailable
        case .ready(let adapter, let resolved):
            log.register(secrets: resolved.secrets)
            return try read(adapter, resolved, plan.identity, settings, json: json, console: console, log: log)
        }
    }

    private static func plan(
        forType type: String, _ settings: Settings, _ catalog: AdapterCatalog
    ) -> InstancePlan? {
        guard catalog.adapter(ofType: type) != nil else { return nil }
        return InstancePlan(InstanceIdentity(meterType: type), settings, catalog)
    }

    private static func read(
        _ adapter: LoadedAdapter, _ resolved: ResolvedAdapterSettings, _ identity: InstanceIdentity,
        _ settings: Settings,
        json: Bool, console: some Console, log: Log
    ) throws(SystemError) -> Int32 {
        let board = LiveBoard()
        let running = try RunningAdapter(
            RunningAdapter.Plan(
                adapter: adapter, identity: identity, number: 0,
                sampling: resolved.sampling(adapter.description, settings.host), settings: resolved.values,
                requestsPerDay: resolved.ration(adapter.description), circuits: [], state: [:],
                maximumPowerW: settings.host.maximumPowerW, uncleanEnd: false),
            board: board, lane: nil, memory: NoMemory(), log: log)
        try running.start()
        defer {
            running.stop()
            _ = running.join(until: Clock.monotonic() + Duration.second)
        }
        let deadline = Clock.monotonic() + Self.patience
        while Clock.monotonic() < deadline {
            if let emission = board.newest(of: 0) {
                console.print(json ? ReadingText.json(emission, identity) : ReadingText.text(emission, identity))
                return SmartMeter.ExitStatus.ok
            }
            let status = running.status
            if let error = status.lastError, status.failures > 0 {
                console.complain("smart-meter: \(identity.name): \(log.redacted(error))")
                return SmartMeter.ExitStatus.unavailable
            }
            // Nothing rings for this one-shot command; it lives for a moment.
            _ = Poll.readable(-1, until: Clock.monotonic() + 10 * Duration.millisecond)
        }
        console.complain("smart-meter: \(identity.name) gave no reading within \(Self.patience / Duration.second) s")
        return SmartMeter.ExitStatus.unavailable
    }
}
