import AdapterKit

/// Makes readings of snapshots. Which powers are known is decided by the first one and stays; sensors that are found by
/// their usual names may come later: Home Assistant answers before all of its integrations are loaded.
struct HouseReader: Sendable {
    let preferences: Preferences
    let known: KnownPowers
    /// The whole home's sensor; nil = none was found yet, or the circuits are summed, or the grid serves.
    private(set) var total: String?
    private(set) var daily: String?
    private(set) var rules: CircuitRules
    /// The circuits of the sum: each that was there in this run.
    private(set) var summed: Set<String> = []
    /// Sensors of the house that are stale at present: each is named once.
    private var stale: Set<String> = []
    private var wrongUnits: Set<String> = []

    private static let mostCircuits = 1000

    init(_ preferences: Preferences, _ first: Snapshot) {
        self.preferences = preferences
        daily = preferences.dailyEnergy
        switch preferences.total {
        case .entity(let entity): total = entity
        case .found: total = Self.found(Preferences.usualTotals, first)
        case .sum: total = nil
        }
        var known = KnownPowers()
        if total != nil || preferences.total == .sum || preferences.grid == nil { known.insert(.consumption) }
        if preferences.grid != nil { known.insert(.grid) }
        if preferences.solar != nil { known.insert(.solar) }
        if preferences.battery != nil { known.insert(.battery) }
        self.known = known
        rules = CircuitRules(preferences, total: total)
        _ = look(at: first)
    }

    /// Whether the house has no total yet that it could have.
    var isWithoutTotal: Bool { known.contains(.consumption) && total == nil && preferences.total == .found }

    /// Takes in what is there for the first time.
    /// - Returns: the circuits that are new in the sum.
    mutating func look(at snapshot: Snapshot) -> [String] {
        if isWithoutTotal, let found = Self.found(Preferences.usualTotals, snapshot) {
            total = found
            rules = CircuitRules(preferences, total: found)
        }
        daily = daily ?? Self.found(Preferences.usualDailies, snapshot)
        guard preferences.total == .sum else { return [] }
        return circuits(of: snapshot.rows).filter { Self.isConsuming(rules.circuit(of: $0).kind) }.map(\.entityID)
            .filter { summed.insert($0).inserted }
    }

    private static func found(_ usual: [String], _ snapshot: Snapshot) -> String? {
        usual.first { snapshot.row($0) != nil }
    }

    /// - Parameters:
    ///   - now: seconds since the epoch, of Home Assistant's clock.
    ///   - warn: takes what a person should know, once an episode.
    mutating func reading(_ snapshot: Snapshot, now: Double, warn: (String) -> Void) -> Reading {
        let rows = snapshot.byID
        var reading = Reading(known: known)
        reading.circuits = circuits(of: snapshot.rows).map(rules.circuit)
        if preferences.total == .sum {
            reading.consumptionPowerW = sum(reading.circuits, \.powerW)
        } else if let total {
            reading.consumptionPowerW = power(total, rows, now, warn)
        }
        reading.gridPowerW = preferences.grid.flatMap { power(of: $0, rows, now, warn) }
        reading.solarPowerW = preferences.solar.flatMap { power(of: $0, rows, now, warn) }
        reading.batteryPowerW = preferences.battery.flatMap { power(of: $0, rows, now, warn) }
        reading.totalEnergy = energies(rows, warn)
        reading.dayEnergyKWh = daily.flatMap { energy($0, rows, warn) }
        return reading
    }

    func circuits(of rows: [SensorRow]) -> [SensorRow] { Array(rows.filter(rules.isCircuit).prefix(Self.mostCircuits)) }

    /// Sensors that are not circuits.
    var houseEntities: [String] {
        preferences.sources.flatMap(\.entities) + [total, daily].compactMap { $0 } + preferences.energies.values
    }

    /// The sum of a number of the circuits that are summed in this run: nil where one of them is missing.
    func sum(_ circuits: [Circuit], _ number: (Circuit) -> Double?) -> Double? {
        let parts = circuits.filter { summed.contains($0.id) }
        let numbers = parts.compactMap(number)
        return !numbers.isEmpty && numbers.count == summed.count ? numbers.reduce(0, +) : nil
    }

    private static func isConsuming(_ kind: Circuit.Kind) -> Bool {
        switch kind {
        case .grid, .solar, .battery, .total: false
        case .unknown, .load, .ev, .heating, .other: true
        }
    }

    private mutating func power(
        of source: Preferences.Source, _ rows: [String: SensorRow], _ now: Double, _ warn: (String) -> Void
    ) -> Double? {
        switch source {
        case .one(let entity, let isInverted):
            return power(entity, rows, now, warn).map { isInverted ? -$0 : $0 }
        case .pair(let positive, let negative):
            guard let plus = power(positive, rows, now, warn), let minus = power(negative, rows, now, warn) else {
                return nil
            }
            return plus - minus
        }
    }

    /// The power of a sensor of the house: not measured while it is missing, no number, or stale.
    private mutating func power(
        _ entity: String, _ rows: [String: SensorRow], _ now: Double, _ warn: (String) -> Void
    ) -> Double? {
        guard let row = rows[entity] else { return nil }
        checkUnit(row, Units.watts(per: row.unit) != nil, "a unit of power", warn)
        guard let power = row.powerW else { return nil }
        // A value of 0 may rest for weeks: Home Assistant reports only what changes.
        guard power != 0, let reported = row.reportedAt, now - reported > preferences.staleSeconds else {
            stale.remove(entity)
            return power
        }
        if stale.insert(entity).inserted {
            warn("\(entity) was last reported \(Int(min(now - reported, 1e9))) s ago: not measured until it is again")
        }
        return nil
    }

    private mutating func energies(_ rows: [String: SensorRow], _ warn: (String) -> Void) -> Energies {
        var energies = Energies()
        for (flow, entity) in preferences.energies { energies.set(flow, energy(entity, rows, warn)) }
        return energies
    }

    private mutating func energy(
        _ entity: String, _ rows: [String: SensorRow], _ warn: (String) -> Void
    ) -> Double? {
        guard let row = rows[entity] else { return nil }
        checkUnit(row, Units.kWh(per: row.unit) != nil, "Wh, kWh or MWh", warn)
        return row.energyKWh
    }

    private mutating func checkUnit(_ row: SensorRow, _ isRight: Bool, _ wanted: String, _ warn: (String) -> Void) {
        // Without a number it has no unit that counts.
        guard !isRight, Units.number(row.state) != nil, wrongUnits.insert(row.entityID).inserted else { return }
        warn("\(row.entityID) has the unit '\(row.unit.prefix(20))' instead of \(wanted): not measured")
    }
}

extension Energies {
    mutating func set(_ flow: EnergyFlow, _ value: Double?) {
        switch flow {
        case .import: importKWh = value
        case .export: exportKWh = value
        case .solar: productionKWh = value
        case .consumption: consumptionKWh = value
        case .charge: chargeKWh = value
        case .discharge: dischargeKWh = value
        }
    }
}
