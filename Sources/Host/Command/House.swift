import API
import Adapters
import Analysis
import Configuration
import Delivery
import Observability
import Pipeline
import Platform
import Readings
import Storage
import Synchronization

/// What people and programs see of this run.
final class House: HouseView {
    /// What it is told of the settings.
    struct Options: Sendable {
        /// How long a meter's last reading is shown before the stand-in's, in nanoseconds.
        var stale: Int64
        var isUnconfigured: Bool
        var tariff: HostSettings.TariffSettings
        var phantomThresholdW: Double
    }

    let instances: Instances
    let board: LiveBoard
    let pipeline: Pipeline
    let delivery: DeliveryLoop?
    let webhook: WebhookLoop?
    let standIn: StandIn?
    let zone: SystemZone
    let shelf: AdapterShelf
    /// Why every adapter has a process of its own, where that is not as it was set.
    let isolationNote: String?
    let history: History
    private let changeable: Mutex<(options: Options, waiting: RestartNote?)>
    let log: Log
    let startedAt = Clock.monotonic()
    let startedWall = Instant.now

    init(
        instances: Instances, board: LiveBoard, pipeline: Pipeline, delivery: DeliveryLoop?,
        webhook: WebhookLoop?, standIn: StandIn?, zone: SystemZone, shelf: AdapterShelf, isolationNote: String?,
        history: History, options: Options, log: Log
    ) {
        self.instances = instances
        self.board = board
        self.pipeline = pipeline
        self.delivery = delivery
        self.webhook = webhook
        self.standIn = standIn
        self.zone = zone
        self.shelf = shelf
        self.isolationNote = isolationNote
        self.history = history
        changeable = Mutex((options, nil))
        self.log = log
    }

    var now: Instant { .now }
    var houseZone: Zone { zone.zone }
    var version: String { HostVersion.text }
    var currency: String? { options.tariff.currency.isEmpty ? nil : options.tariff.currency }

    // MARK: Settings

    /// Settings that were changed and wait for a restart.
    struct RestartNote: Sendable {
        var names: [String]
        var since: Instant
    }

    var options: Options { changeable.withLock { $0.options } }
    var restartNote: RestartNote? { changeable.withLock { $0.waiting } }

    /// Takes changed settings over.
    /// - Parameter waiting: those that it cannot.
    func adopt(_ options: Options, waiting: [String]) {
        changeable.withLock { now in
            let since = now.waiting?.since ?? .now
            now = (options, waiting.isEmpty ? nil : RestartNote(names: waiting, since: since))
        }
    }

    // MARK: Now

    /// An instance's newest reading, and whether it is of now.
    func newest(of entry: Instances.Entry?) -> (emission: Emission, isLive: Bool, age: Int64)? {
        guard let number = entry?.number, let emission = board.newest(of: number) else { return nil }
        let age = Instant.now - emission.timestamp
        return (emission, age <= Self.fresh(emission), age)
    }

    /// Whether something is to stand in for the house's meter, and why or why not.
    private func standInNeed(
        _ status: InstanceStatus?, _ newest: (emission: Emission, isLive: Bool, age: Int64)?
    ) -> (isThere: Bool, reason: String) {
        // A person wants nothing to be shown.
        if case .paused = status?.state { return (false, "the meter is paused") }
        if let newest {
            let isOld = newest.age > shown(newest.emission)
            return isOld ? (true, "the meter cannot be read") : (false, "the meter is read")
        }
        let options = options
        if options.isUnconfigured { return (true, "no meter is configured") }
        guard let status else { return (true, "there is no meter") }
        // Nothing was ever read: at once, as soon as it is clear that the first try failed.
        if status.failures > 0 || status.state.reason != nil { return (true, "the meter cannot be read") }
        // A meter that hands over its readings by itself cannot fail to be read.
        let isSilent = Instant.now - status.since > options.stale
        return isSilent ? (true, "the meter has given no reading") : (false, "the meter is being started")
    }

    /// For how long a reading is of now.
    private static func fresh(_ emission: Emission) -> Int64 { emission.hold + 2 * Duration.second }

    /// For how long a meter's last reading is shown before the stand-in's.
    func shown(_ emission: Emission) -> Int64 { max(options.stale, Self.fresh(emission)) }

    /// Begins or ends the stand-in. Answers when to look again (monotonic ns).
    func tendStandIn() -> Int64 {
        let now = Clock.monotonic()
        guard let standIn else { return now + Duration.hour }
        // The meter's adapter may be the next one that is found.
        guard shelf.catalog.isComplete else { return now + Duration.second / 2 }
        let entry = instances.house
        let newest = newest(of: entry)
        let need = standInNeed(entry?.status, newest)
        standIn.tend(isNeeded: need.isThere, reason: need.reason)
        guard let newest, !need.isThere else { return now + Duration.second / 2 }
        return now + max(Duration.second / 2, min(shown(newest.emission) - newest.age, 10 * Duration.second))
    }
}
