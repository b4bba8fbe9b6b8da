/// What `total_power_w` is.
public enum TotalIs: UInt8, Sendable {
    case consumption = 0
    case grid = 1

    public var word: String { self == .consumption ? "consumption" : "grid" }
}

/// What an instance stores for one slot of time: (end - length, end].
public struct Slot: Hashable, Sendable {
    /// Number of the instance in this run.
    public var instance: Int
    public var start: Instant
    /// The stamp of its points. `start == end` for first light: an emission stored at once, skipped by every sum.
    public var end: Instant
    /// Whether the instance was the house (`PRIMARY_METER`) then: only the house writes `smart_meter`.
    public var isHouse: Bool
    public var totalIs: TotalIs
    /// Mean powers over the covered time.
    public var powers: Powers
    /// Mean, minimum and maximum of the total.
    public var totalPowerW: Double?
    public var minimumPowerW: Double?
    public var maximumPowerW: Double?
    /// Seconds covered by power / length, 0 to 1.
    public var coverage: Double
    public var quality: Quality
    /// Energy within the slot.
    public var energy: Flows<Millijoules?>
    /// What the house pays for: import; consumption where a house without solar and battery measures only that. Nil for
    /// an instance that is not the house.
    public var billed: Millijoules?
    /// The host's monotonic lifetime counters at the end: never fall, whatever the meter's do.
    public var lifetime: Flows<Millijoules?>
    /// Consumption since local midnight at the end of the slot (`total_is` = grid: import).
    public var dayEnergy: Millijoules?
    /// Where the slot ends at a local midnight: the old day's final figure (`dayEnergy` is then the new day's 0).
    public var closingDayEnergy: Millijoules?
    /// Consumption less the top-level consuming circuits.
    public var unmonitoredPowerW: Double?
    public var circuits: [CircuitSlot]

    public init(instance: Int, start: Instant, end: Instant, isHouse: Bool, totalIs: TotalIs) {
        self.instance = instance
        self.start = start
        self.end = end
        self.isHouse = isHouse
        self.totalIs = totalIs
        powers = Powers()
        totalPowerW = nil
        minimumPowerW = nil
        maximumPowerW = nil
        coverage = 0
        quality = .unknown
        energy = Flows(repeating: nil)
        billed = nil
        lifetime = Flows(repeating: nil)
        dayEnergy = nil
        closingDayEnergy = nil
        unmonitoredPowerW = nil
        circuits = []
    }

    @inlinable public var length: Int64 { end - start }
    @inlinable public var isFirstLight: Bool { start == end }
}

/// What one circuit did in one slot.
public struct CircuitSlot: Hashable, Sendable {
    /// Durable number of the circuit within the instance.
    public var circuit: Int32
    public var kind: CircuitKind
    public var quality: Quality
    /// Mean power over the covered time; nil = not measured.
    public var powerW: Double?
    public var minimumPowerW: Double?
    public var maximumPowerW: Double?
    /// 100 x power / consumption, unclamped; consuming circuits only.
    public var percentage: Double?
    /// Energy in the kind's positive direction, and in the opposite one.
    public var energy: Millijoules?
    public var returned: Millijoules?
    /// The host's monotonic lifetime counter at the end, positive direction.
    public var lifetime: Millijoules?
    public var coverage: Float

    public init(circuit: Int32, kind: CircuitKind, quality: Quality = .measured) {
        self.circuit = circuit
        self.kind = kind
        self.quality = quality
        powerW = nil
        minimumPowerW = nil
        maximumPowerW = nil
        percentage = nil
        energy = nil
        returned = nil
        lifetime = nil
        coverage = 0
    }
}
