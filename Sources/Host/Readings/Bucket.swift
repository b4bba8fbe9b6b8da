/// What an instance did in a quarter hour (start, start + 15 min]: made of its slots, and kept when these are gone.
public struct Bucket: Hashable, Sendable {
    public static let length = 15 * Duration.minute

    public var start: Instant
    public var energy: Flows<Millijoules?>
    /// What the house pays for: import; consumption where a house without solar and battery measures only that.
    public var billed: Millijoules?
    /// Mean over the covered time, and the extremes.
    public var powerW: Double?
    public var minimumPowerW: Double?
    public var maximumPowerW: Double?
    /// Seconds for which the total was measured.
    public var coveredSeconds: Double
    public var quality: Quality
    /// Prices that held then, per kWh and per local day; nil where no tariff was set.
    public var importPrice: Double?
    public var exportPrice: Double?
    public var fixedPrice: Double?
    /// In the order of their numbers.
    public var circuits: [BucketCircuit]

    public init(start: Instant, coveredSeconds: Double) {
        self.start = start
        energy = Flows(repeating: nil)
        billed = nil
        powerW = nil
        minimumPowerW = nil
        maximumPowerW = nil
        self.coveredSeconds = coveredSeconds
        quality = .unknown
        importPrice = nil
        exportPrice = nil
        fixedPrice = nil
        circuits = []
    }
}

/// What a circuit did in a quarter hour.
public struct BucketCircuit: Hashable, Sendable {
    /// Durable number of the circuit within the instance.
    public var circuit: Int32
    public var kind: CircuitKind
    public var quality: Quality
    /// Energy in the kind's positive direction, and in the opposite one.
    public var energy: Millijoules?
    public var returned: Millijoules?
    /// Mean over the covered time, and the extremes.
    public var powerW: Double?
    public var minimumPowerW: Double?
    public var maximumPowerW: Double?
    public var coveredSeconds: Double

    public init(circuit: Int32, kind: CircuitKind, quality: Quality = .measured, coveredSeconds: Double) {
        self.circuit = circuit
        self.kind = kind
        self.quality = quality
        energy = nil
        returned = nil
        powerW = nil
        minimumPowerW = nil
        maximumPowerW = nil
        self.coveredSeconds = coveredSeconds
    }
}
