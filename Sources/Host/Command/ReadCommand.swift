import Adapters
import Configuration
import Observability
import Platform
import Readings

/// `smart-meter read`: one reading, printed, and not stored.
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
        let (instance, status) = LoneInstance.find(type, settings, catalog, console)
        guard let instance else { return status }
        log.register(secrets: instance.settings.secrets)
        // Why it fails is told in this command's own words.
        log.configure(level: .error, format: .text)
        do {
            guard let store = try LoneStore.existing(settings, log) else {
                return try read(instance, settings.host, [:], NoMemory(), json: json, console: console, log: log)
            }
            defer { store.close() }
            let (state, memory) = try store.memory(of: instance.identity)
            return try read(
                instance, settings.host, state, ReadMemory(inner: memory), json: json, console: console, log: log)
        } catch {
            return LoneStore.complain(error, console)
        }
    }

    private static func read(
        _ instance: LoneInstance, _ host: HostSettings, _ state: [String: [UInt8]], _ memory: any AdapterMemory,
        json: Bool, console: some Console, log: Log
    ) throws(SystemError) -> Int32 {
        let identity = instance.identity
        let board = LiveBoard()
        let running = try instance.prepare(host, board: board, state: state, memory: memory, log: log)
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
