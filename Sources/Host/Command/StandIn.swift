import Adapters
import Configuration
import Observability
import Platform
import Readings
import Synchronization

/// The mock household that stands in while there is no real reading. Its readings stop at the live view: they are never
/// folded, stored or delivered.
final class StandIn: Sendable {
    /// Its place on the live board; no durable instance has this number.
    static let number = -1
    static let identity = InstanceIdentity(meterType: "mock")

    private let shelf: AdapterShelf
    private let lookup: SettingLookup
    private let board: LiveBoard
    private let log: Log
    private let running = Mutex<(adapter: RunningAdapter, since: Instant)?>(nil)

    init(shelf: AdapterShelf, lookup: SettingLookup, board: LiveBoard, log: Log) {
        self.shelf = shelf
        self.lookup = lookup
        self.board = board
        self.log = log
    }

    var emission: Emission? { running.withLock { $0 } == nil ? nil : board.newest(of: Self.number) }

    var since: Instant? { running.withLock { $0?.since } }

    /// Begins or ends as `isNeeded` says, for that reason.
    func tend(isNeeded: Bool, reason: String) {
        let current = running.withLock { $0?.adapter }
        if isNeeded, current == nil { begin(reason) }
        guard !isNeeded, let current else { return }
        current.stop()
        running.withLock { $0 = nil }
        board.forget(Self.number)
        log.info("stand-in ends", LogField("reason", reason))
    }

    func stop() { running.withLock { $0?.adapter }?.stop() }

    private func begin(_ reason: String) {
        guard let adapter = shelf.catalog.adapter(ofType: Self.identity.meterType) else { return }
        let settings = AdapterSettingResolver(identity: Self.identity, lookup: lookup)
            .resolve(adapter.description.settings).values
        let started = try? RunningAdapter(
            RunningAdapter.Plan(
                adapter: adapter, identity: Self.identity, number: Self.number, sampling: 5 * Duration.second,
                settings: settings, requestsPerDay: nil, circuits: [], state: [:], maximumPowerW: 100_000,
                uncleanEnd: false),
            board: board, lane: nil, memory: NoMemory(), log: log)
        guard let started, (try? started.start()) != nil else { return }
        running.withLock { $0 = (started, .now) }
        log.warning(
            "mock data stands in", LogField("reason", reason),
            LogField("note", "shown in /consumption as simulated; never stored or delivered"))
    }
}
