package import Analysis
package import Observability
package import Readings
package import Storage

/// What the pipeline is told at the start.
package struct PipelineOptions: Sendable {
    package var directory: DataDirectory
    package var zone: Zone
    /// When the program was made: a clock that shows less is not set.
    package var releasedAt: Instant
    /// Whether anything is sent; where not, old slots go without having been delivered.
    package var deliveryIsOn: Bool
    /// Raw slots are kept for this long after they were delivered, and for this long if they were not.
    package var history: Int64
    package var undelivered: Int64
    package var high: HighConsumption.Rules
    package var phantomThresholdW: Double
    /// Names or ids of circuits that are no phantom load.
    package var phantomExclude: [String]
    /// What energy costs; nil = nobody said.
    package var tariff: Tariff?
    /// The currency of the tariff, as people write it; may be empty.
    package var currency: String
    /// Whether there is a webhook that alerts are told to.
    package var tellsAlerts = false
    package var log: Log

    package init(
        directory: DataDirectory, zone: Zone, releasedAt: Instant = Instant(seconds: 0), deliveryIsOn: Bool,
        history: Int64, undelivered: Int64,
        high: HighConsumption.Rules, phantomThresholdW: Double, phantomExclude: [String], tariff: Tariff? = nil,
        currency: String = "", log: Log
    ) {
        self.directory = directory
        self.zone = zone
        self.releasedAt = releasedAt
        self.deliveryIsOn = deliveryIsOn
        self.history = history
        self.undelivered = undelivered
        self.high = high
        self.phantomThresholdW = phantomThresholdW
        self.phantomExclude = phantomExclude
        self.tariff = tariff
        self.currency = currency
        self.log = log
    }
}

extension PipelineOptions {
    /// Takes over what may change while the pipeline runs: how long slots are kept, and when there is an alert.
    mutating func adopt(_ new: PipelineOptions) {
        history = new.history
        undelivered = new.undelivered
        high = new.high
        phantomThresholdW = new.phantomThresholdW
        phantomExclude = new.phantomExclude
    }
}

/// An instance as the pipeline gets to know it.
package struct InstanceRegistration: Hashable, Sendable {
    package var identity: InstanceIdentity
    /// Nanoseconds, as are all of these.
    package var sampling: Int64
    package var interval: Int64
    package var late: Int64
    package var isHouse: Bool
    package var maximumPowerW: Double
    /// Nil where the adapter has no log to ask.
    package var history: HistoryLimits?

    package init(
        identity: InstanceIdentity, sampling: Int64, interval: Int64, late: Int64, isHouse: Bool, maximumPowerW: Double,
        history: HistoryLimits? = nil
    ) {
        self.identity = identity
        self.sampling = sampling
        self.interval = interval
        self.late = late
        self.isHouse = isHouse
        self.maximumPowerW = maximumPowerW
        self.history = history
    }
}

/// What the store knows of an instance that starts.
package struct InstanceSeed: Sendable {
    /// Its durable number.
    package var number: Int
    package var circuits: [CircuitIdentity]
    /// The adapter's and the host's small values.
    package var state: [String: [UInt8]]

    package init(number: Int, circuits: [CircuitIdentity], state: [String: [UInt8]]) {
        self.number = number
        self.circuits = circuits
        self.state = state
    }
}

/// What people see of an instance beside its newest emission.
package struct InstanceView: Sendable {
    /// Energy since local midnight.
    package var dayEnergy: Millijoules?
    /// When that was so: another local day's figure is not today's.
    package var dayEnergyAt: Instant?
    /// The host's counters, as of the newest emission; those of circuits as of the last slot, by durable number.
    package var lifetime = Flows<Millijoules?>(repeating: nil)
    package var circuitLifetimes: [Millijoules] = []
    /// The circuits as their adapter last named them, and as people see them; by durable number.
    package var circuits: [CircuitIdentity] = []
    package var shownNames: [String] = []
    /// Emissions that came after their slot was final.
    package var tooLate = 0
    /// End of the newest slot; nil before the first. In the future where the clock was set back.
    package var newestSlot: Instant?
    /// Of its gaps; nil where its meter has no log.
    package var repair: RepairProgress?
}

/// How the store is doing.
package struct StoreStatus: Sendable {
    /// Nil while commits succeed.
    package var problem: String?
    package var advice = ""
    /// The file is damaged: nothing but a start, which sets it aside, goes on from here.
    package var isDamaged = false
    package var since: Instant?
    /// Emissions that wait in memory for a commit.
    package var held = 0
    /// Emissions given up because memory for them ran out, since the start.
    package var lost = 0
    package var lostSince: Instant?
    /// Whether the disk has the space that is kept for the day on which it is full.
    package var hasReserve: Bool { reserveGoneSince == nil }
    package var reserveGoneSince: Instant?
    /// Where a damaged store was put at the start.
    package var setAside: String?
    /// Slots that were never delivered and are gone because of their age, since the start.
    package var prunedUndelivered = 0
    package var prunedUndeliveredSince: Instant?
    /// Slots that were given up undelivered, in all runs: by an operator, and because of their age.
    package var droppedByOperator = 0
    package var expired = 0
    /// Where the clock shows a time before this one, it is not set: the program was made later, or a slot.
    package var clockIsBefore: Instant?
}
