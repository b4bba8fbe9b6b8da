/// How a number was got. Raw values as in `meter_adapter.h`.
public enum Quality: UInt8, Sendable, CaseIterable {
    case unknown = 0
    case measured = 1
    case estimated = 2
    case backfilled = 3

    /// The word in InfluxDB, in the API and on the command line.
    public var word: String {
        switch self {
        case .unknown: "unknown"
        case .measured: "measured"
        case .estimated: "estimated"
        case .backfilled: "backfilled"
        }
    }

    /// What to call a number that is made of two: the less certain of both.
    public func combined(with other: Quality) -> Quality { certainty < other.certainty ? self : other }

    private var certainty: Int {
        switch self {
        case .estimated: 0
        case .backfilled: 1
        case .measured: 2
        case .unknown: 3
        }
    }
}

/// What a circuit is; its sign follows from it (design: consuming kinds are + on consumption). Raw values as in
/// `meter_adapter.h`.
public enum CircuitKind: UInt8, Sendable, CaseIterable {
    case unknown = 0
    case load = 1
    case ev = 2
    case heating = 3
    case grid = 4
    case solar = 5
    case battery = 6
    case total = 7
    case other = 8

    public var word: String {
        switch self {
        case .unknown: "unknown"
        case .load: "load"
        case .ev: "ev"
        case .heating: "heating"
        case .grid: "grid"
        case .solar: "solar"
        case .battery: "battery"
        case .total: "total"
        case .other: "other"
        }
    }

    /// Whether it counts as a consumer: percentages and the unmonitored remainder are made of these alone.
    @inlinable
    public var isConsuming: Bool {
        switch self {
        case .load, .ev, .heating, .other, .unknown: true
        case .grid, .solar, .battery, .total: false
        }
    }
}

/// A set of the four powers of a house. Raw values as the low bits of `meter_reading.known`.
public struct PowerSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let grid = PowerSet(rawValue: 1 << 0)
    public static let solar = PowerSet(rawValue: 1 << 1)
    public static let battery = PowerSet(rawValue: 1 << 2)
    public static let consumption = PowerSet(rawValue: 1 << 3)
}

/// The four powers of a house in watts; one that is nil is not measured. Signs: grid + import, solar + production,
/// battery + discharge, consumption + use.
public struct Powers: Hashable, Sendable {
    public var gridW: Double?
    public var solarW: Double?
    public var batteryW: Double?
    public var consumptionW: Double?

    @inlinable
    public init(gridW: Double? = nil, solarW: Double? = nil, batteryW: Double? = nil, consumptionW: Double? = nil) {
        self.gridW = gridW
        self.solarW = solarW
        self.batteryW = batteryW
        self.consumptionW = consumptionW
    }
}

/// One value for each of the six flows of energy of a house, kept apart for good: a net would hide both.
public struct Flows<Value: Sendable>: Sendable {
    public var imported: Value
    public var exported: Value
    public var produced: Value
    public var consumed: Value
    public var charged: Value
    public var discharged: Value

    @inlinable
    public init(imported: Value, exported: Value, produced: Value, consumed: Value, charged: Value, discharged: Value) {
        self.imported = imported
        self.exported = exported
        self.produced = produced
        self.consumed = consumed
        self.charged = charged
        self.discharged = discharged
    }

    @inlinable
    public init(repeating value: Value) {
        self.init(
            imported: value, exported: value, produced: value, consumed: value, charged: value, discharged: value)
    }

    @inlinable
    public subscript(flow: Flow) -> Value {
        get {
            switch flow {
            case .imported: imported
            case .exported: exported
            case .produced: produced
            case .consumed: consumed
            case .charged: charged
            case .discharged: discharged
            }
        }
        set {
            switch flow {
            case .imported: imported = newValue
            case .exported: exported = newValue
            case .produced: produced = newValue
            case .consumed: consumed = newValue
            case .charged: charged = newValue
            case .discharged: discharged = newValue
            }
        }
    }
}

extension Flows: Equatable where Value: Equatable {}
extension Flows: Hashable where Value: Hashable {}

/// A direction in which energy crosses a boundary of the house.
public enum Flow: UInt8, CaseIterable, Sendable {
    case imported, exported, produced, consumed, charged, discharged
}

/// Energy in millijoules: Int64, so that sums are exact. 1 kWh = 3.6e9 mJ; 64 bits hold 2.5e9 kWh. What comes from a
/// meter or from the store is added with `+|` and `-|`: no number may end the host.
public typealias Millijoules = Int64

/// A sum that stops at the ends of 64 bits. (Of the lowest number there is no opposite: it stops one before it.)
infix operator +| : AdditionPrecedence
/// A difference that stops likewise.
infix operator -| : AdditionPrecedence

extension Int64 {
    @inlinable
    public static func +| (first: Int64, second: Int64) -> Int64 {
        let (sum, overflow) = first.addingReportingOverflow(second)
        return overflow ? (second < 0 ? -.max : .max) : sum
    }

    @inlinable
    public static func -| (first: Int64, second: Int64) -> Int64 {
        let (difference, overflow) = first.subtractingReportingOverflow(second)
        return overflow ? (second < 0 ? .max : -.max) : difference
    }
}

extension Optional where Wrapped == Int64 {
    /// Not measured adds nothing, and two unknowns stay one.
    @inlinable
    public static func +| (first: Int64?, second: Int64?) -> Int64? {
        guard let first, let second else { return first ?? second }
        return first +| second
    }
}

public enum Energy {
    public static let millijoulesPerKWh: Double = 3.6e9

    @inlinable
    public static func kWh(_ energy: Millijoules) -> Double { Double(energy) / millijoulesPerKWh }

    /// Nil where the value is not finite or does not fit.
    @inlinable
    public static func millijoules(kWh: Double) -> Millijoules? {
        Int64(exactly: (kWh * millijoulesPerKWh).rounded())
    }
}
