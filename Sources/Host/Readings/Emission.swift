/// One reading as an adapter handed it over: copied, bounded and checked, otherwise as it came.
public struct Emission: Sendable {
    /// Number of the instance in this run (`InstanceIdentity.number`).
    public var instance: Int
    /// Wall time that the numbers belong to.
    public var timestamp: Instant
    /// CLOCK_MONOTONIC nanoseconds at which it was accepted: re-bases `timestamp` where the clock was not yet set.
    public var receivedMonotonic: Int64
    /// 0: instantaneous. Else it describes (timestamp - period, timestamp].
    public var period: Int64
    /// How far apart readings lay as planned when it was taken, in nanoseconds.
    public var sampling: Int64
    public var quality: Quality
    /// Which powers the instance is configured to measure. Constant from start to stop.
    public var known: PowerSet
    public var powers: Powers
    /// Energy within the period; present only with a period.
    public var periodEnergy: Flows<Millijoules?>
    /// Lifetime counters as the meter gives them.
    public var counters: Flows<Millijoules?>
    /// The meter's own "today".
    public var dayEnergy: Millijoules?
    /// Volts per phase.
    public var voltageV: (Float?, Float?, Float?)
    public var frequencyHz: Float?
    public var circuits: [CircuitSample]
    /// Names what `circuits` numbers.
    public var catalog: CircuitCatalog

    public init(
        instance: Int, timestamp: Instant, receivedMonotonic: Int64 = 0, period: Int64 = 0,
        sampling: Int64 = 0, quality: Quality = .measured, known: PowerSet = [], powers: Powers = Powers(),
        periodEnergy: Flows<Millijoules?> = Flows(repeating: nil),
        counters: Flows<Millijoules?> = Flows(repeating: nil),
        dayEnergy: Millijoules? = nil, voltageV: (Float?, Float?, Float?) = (nil, nil, nil), frequencyHz: Float? = nil,
        circuits: [CircuitSample] = [], catalog: CircuitCatalog = .empty
    ) {
        self.instance = instance
        self.timestamp = timestamp
        self.receivedMonotonic = receivedMonotonic
        self.period = period
        self.sampling = sampling
        self.quality = quality
        self.known = known
        self.powers = powers
        self.periodEnergy = periodEnergy
        self.counters = counters
        self.dayEnergy = dayEnergy
        self.voltageV = voltageV
        self.frequencyHz = frequencyHz
        self.circuits = circuits
        self.catalog = catalog
    }

    /// How long it stands for what is now at most, in nanoseconds.
    public var hold: Int64 { sampling / 2 * 5 }
}
