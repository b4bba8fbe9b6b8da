/// What one circuit says in one emission. Trivial on purpose: an emission is copied on the hot path.
public struct CircuitSample: Hashable, Sendable {
    /// Position in the instance's `CircuitCatalog`; durable: the store keeps the same number for good.
    public var circuit: Int32
    public var kind: CircuitKind
    /// 1 to 3; 0 = none or several.
    public var phase: UInt8
    public var quality: Quality
    public var present: Present
    /// Watts; the sign follows the kind.
    public var powerW: Double
    /// Energy of the emission's period, in the kind's positive and in the opposite direction.
    public var periodEnergy: Millijoules
    public var periodReturned: Millijoules
    /// Lifetime counters of the meter, in the kind's positive and in the opposite direction.
    public var totalEnergy: Millijoules
    public var totalReturned: Millijoules
    public var voltageV: Float
    public var currentA: Float
    public var powerFactor: Float

    /// Which numbers are measured. Raw values as `METER_CIRCUIT_…`.
    public struct Present: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let power = Present(rawValue: 1 << 0)
        public static let periodEnergy = Present(rawValue: 1 << 1)
        public static let periodReturned = Present(rawValue: 1 << 2)
        public static let totalEnergy = Present(rawValue: 1 << 3)
        public static let totalReturned = Present(rawValue: 1 << 4)
        public static let voltage = Present(rawValue: 1 << 5)
        public static let current = Present(rawValue: 1 << 6)
        public static let powerFactor = Present(rawValue: 1 << 7)
    }

    @inlinable
    public init(circuit: Int32, kind: CircuitKind, phase: UInt8 = 0, quality: Quality = .measured) {
        self.circuit = circuit
        self.kind = kind
        self.phase = phase
        self.quality = quality
        present = []
        powerW = 0
        periodEnergy = 0
        periodReturned = 0
        totalEnergy = 0
        totalReturned = 0
        voltageV = 0
        currentA = 0
        powerFactor = 0
    }

    /// The power where it is measured.
    @inlinable public var power: Double? { present.contains(.power) ? powerW : nil }
}

/// What a circuit is called: its id is for good, name and parent are as the adapter last said.
public struct CircuitIdentity: Hashable, Sendable {
    /// The name in InfluxDB of the total of an instance that is not the house: no circuit of it may have this name.
    public static let totalName = "Total"

    /// Unique within the instance and stable for good.
    public var id: String
    /// As the adapter names it; never empty. What people see may differ (`Name (id)` where two share a name).
    public var name: String
    /// Id of the circuit that it hangs on; empty = directly below the mains.
    public var parentID: String

    public init(id: String, name: String, parentID: String = "") {
        self.id = id
        self.name = name
        self.parentID = parentID
    }
}

/// The circuits that an instance has ever shown, in the order of their durable numbers. Grows only; a change makes a
/// new catalog, so that an emission keeps the names that it was made with.
public final class CircuitCatalog: Sendable {
    public let circuits: [CircuitIdentity]
    /// Rises with every change.
    public let version: Int
    private let topLevel: [Bool]

    public init(circuits: [CircuitIdentity], version: Int) {
        self.circuits = circuits
        self.version = version
        let ids = Set(circuits.map(\.id))
        topLevel = circuits.map { $0.parentID.isEmpty || $0.parentID == $0.id || !ids.contains($0.parentID) }
    }

    /// Whether nothing but the mains is above the circuit. A parent that the instance has never shown counts as none.
    public func isTopLevel(_ circuit: Int32) -> Bool {
        topLevel.indices.contains(Int(circuit)) ? topLevel[Int(circuit)] : true
    }

    public static let empty = CircuitCatalog(circuits: [], version: 0)
}
