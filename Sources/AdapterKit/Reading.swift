/// Which of the four powers an instance is configured to measure. The same from start to stop.
public struct KnownPowers: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let grid = KnownPowers(rawValue: 1 << 0)
    public static let solar = KnownPowers(rawValue: 1 << 1)
    public static let battery = KnownPowers(rawValue: 1 << 2)
    public static let consumption = KnownPowers(rawValue: 1 << 3)
}

/// How a number was got.
public enum ReadingQuality: UInt32, Sendable {
    case unknown = 0
    case measured = 1
    case estimated = 2
    case backfilled = 3
}

/// What a meter says. nil is "not measured", which is never zero.
public struct Reading: Sendable {
    public var known: KnownPowers
    public var quality = ReadingQuality.measured
    /// Nanoseconds since the epoch; nil = the moment at which it is handed over.
    public var timestamp: Int64?
    /// 0: instantaneous. Else it describes (timestamp - period, timestamp]; nanoseconds.
    public var period: Int64 = 0
    /// Watts, + import, - export.
    public var gridPowerW: Double?
    /// Watts, + production.
    public var solarPowerW: Double?
    /// Watts, + discharge, - charge.
    public var batteryPowerW: Double?
    /// Watts. Leave it out where grid, solar and battery are known: the host computes it.
    public var consumptionPowerW: Double?
    /// Energy of the period.
    public var periodEnergy = Energies()
    /// Lifetime counters; a reset is the host's to notice.
    public var totalEnergy = Energies()
    /// The meter's own "today".
    public var dayEnergyKWh: Double?
    /// Volts of the phases, up to three.
    public var voltagesV: [Double?] = []
    public var frequencyHz: Double?
    public var circuits: [Circuit] = []

    public init(known: KnownPowers) {
        self.known = known
    }
}

extension Reading {
    /// Whether there is a number in it, of the house or of a circuit.
    public var isMeasured: Bool {
        let powers = [gridPowerW, solarPowerW, batteryPowerW, consumptionPowerW, dayEnergyKWh, frequencyHz]
        return powers.contains { $0 != nil } || !periodEnergy.isEmpty || !totalEnergy.isEmpty
            || voltagesV.contains { $0 != nil } || circuits.contains(where: \.isMeasured)
    }
}

/// Energies in kWh by direction; nil = not measured.
public struct Energies: Sendable {
    public var importKWh: Double?
    public var exportKWh: Double?
    public var productionKWh: Double?
    public var consumptionKWh: Double?
    public var chargeKWh: Double?
    public var dischargeKWh: Double?

    public init() {}

    var isEmpty: Bool {
        [importKWh, exportKWh, productionKWh, consumptionKWh, chargeKWh, dischargeKWh].allSatisfy { $0 == nil }
    }
}

/// One branch of the house.
public struct Circuit: Sendable {
    /// What it is; the sign of its power follows from it.
    public enum Kind: UInt32, Sendable {
        case unknown = 0
        case load = 1
        case ev = 2
        case heating = 3
        case grid = 4
        case solar = 5
        case battery = 6
        /// A total over other circuits: shown, never summed.
        case total = 7
        case other = 8
    }

    /// Unique in the instance and stable for good.
    public var id: String
    public var name: String
    public var kind: Kind
    /// The circuit that it hangs on; empty = directly below the mains.
    public var parentID = ""
    /// 1 to 3; 0 = none or several.
    public var phase: UInt32 = 0
    public var quality = ReadingQuality.unknown
    /// Watts; the sign follows the kind.
    public var powerW: Double?
    /// Energy of the period in the kind's positive direction, and in the opposite one.
    public var periodEnergyKWh: Double?
    public var periodReturnedKWh: Double?
    /// Lifetime counters in the kind's positive direction, and in the opposite one.
    public var totalEnergyKWh: Double?
    public var totalReturnedKWh: Double?
    public var voltageV: Double?
    public var currentA: Double?
    public var powerFactor: Double?

    public init(id: String, name: String, kind: Kind) {
        self.id = id
        self.name = name
        self.kind = kind
    }

    var isMeasured: Bool {
        let numbers = [
            powerW, periodEnergyKWh, periodReturnedKWh, totalEnergyKWh, totalReturnedKWh, voltageV, currentA,
            powerFactor,
        ]
        return numbers.contains { $0 != nil }
    }
}
