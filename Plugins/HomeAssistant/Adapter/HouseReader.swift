import AdapterKit

/// Makes readings of snapshots. What is known is decided by the first one and stays.
struct HouseReader: Sendable {
    let preferences: Preferences
    /// The whole home's sensor; nil = none was found, or the circuits are summed.
    let total: String?
    let daily: String?
    let rules: CircuitRules
    let known: KnownPowers
    /// Sensors of the house that are stale at present: each is named once.
    private var stale: Set<String> = []
    private var wrongUnits: Set<String> = []

    private static let mostCircuits = 1000

    init(_ preferences: Preferences, _ first: Snapshot) {
        self.preferences = preferences
        switch preferences.total {
        case .entity(let entity): total = entity
        case .found: total = Preferences.usualTotals.first { first.row($0) != nil }
        case .sum: total = nil
        }
        daily = preferences.dailyEnergy ?? Preferences.usualDailies.first { first.row($0) != nil }
        var known = KnownPowers()
        if total != nil || preferences.total == .sum { known.insert(.consumption) }
        if preferences.grid != nil { known.insert(.grid) }
        if preferences.solar != nil { known.insert(.solar) }
        if preferences.battery != nil { known.insert(.battery) }
        self.known = known
        let sources = [preferences.grid, preferences.solar, preferences.battery].compactMap { $0 }
        rules = CircuitRules(
            include: preferences.include, exclude: preferences.exclude,
            roles: Set(sources.flatMap(\.entities) + (total.map { [$0] } ?? [])))
    }

    /// What to tell a person whose house has no total; nil where it has one.
    func advice(_ snapshot: Snapshot) -> String? {
        guard !known.contains(.consumption), !known.contains(.grid) else { return nil }
        let candidates = snapshot.rows.filter { Units.watts(per: $0.unit) != nil && Units.number($0.state) != nil }
            .map(\.entityID).sorted()
        let shown = candidates.prefix(12).joined(separator: ", ")
        let found = candidates.isEmpty ? "no sensor of power was found" : "sensors of power that were found: \(shown)"
        return "no sensor of the whole home: set HOME_ASSISTANT_TOTAL (consumption) or HOME_ASSISTANT_GRID; \(found)"
    }

    /// - Parameters:
    ///   - now: seconds since the epoch, of Home Assistant's clock.
    ///   - warn: takes what a person should know, once an episode.
    mutating func reading(_ snapshot: Snapshot, now: Double, warn: (String) -> Void) -> Reading {
        let rows = Dictionary(snapshot.rows.map { ($0.entityID, $0) }, uniquingKeysWith: { first, _ in first })
        var reading = Reading(known: known)
        reading.circuits = circuits(of: snapshot.rows).map(rules.circuit)
        if preferences.total == .sum {
            reading.consumptionPowerW = Self.sum(reading.circuits.filter { Self.isConsuming($0.kind) }.map(\.powerW))
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
        let sources = [preferences.grid, preferences.solar, preferences.battery].compactMap { $0 }
        return sources.flatMap(\.entities) + [total, daily].compactMap { $0 } + preferences.energies.values
    }

    /// A sum with a part missing is none.
    static func sum(_ numbers: [Double?]) -> Double? {
        numbers.contains(nil) ? nil : numbers.compactMap { $0 }.reduce(0, +)
    }

    static func isConsuming(_ kind: Circuit.Kind) -> Bool {
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
