import AdapterKit

/// Which sensors are circuits, and of what kind: by unit and class, by words of the entity id, and as settings say.
struct CircuitRules: Sendable {
    let include: [Glob]
    let exclude: [Glob]
    /// Sensors with a part of their own: the total, grid, solar, battery.
    let roles: Set<String>

    init(include: [Glob], exclude: [Glob], roles: Set<String>) {
        self.include = include
        self.exclude = exclude
        self.roles = roles
    }

    init(_ preferences: Preferences, total: String?) {
        self.init(
            include: preferences.include, exclude: preferences.exclude,
            roles: Set(preferences.sources.flatMap(\.entities) + [total].compactMap { $0 }))
    }

    /// Words that say that a sensor of watts is no load that is measured.
    private static let notMeasured: Set<String> = [
        "forecast", "forecasted", "predicted", "prediction", "estimate", "estimated", "tomorrow", "limit", "limits",
        "max", "maximum", "min", "minimum", "peak", "average", "avg", "mean", "median", "rated", "nominal", "apparent",
        "reactive", "factor", "setpoint", "target", "threshold", "capacity", "available",
    ]
    private static let totals: Set<String> = ["total", "totals", "sum", "overall", "net"]
    private static let phases: Set<String> = [
        "l1", "l2", "l3", "phase", "phasea", "phaseb", "phasec", "phase1", "phase2", "phase3", "a", "b", "c",
    ]

    func isCircuit(_ row: SensorRow) -> Bool {
        guard !roles.contains(row.entityID), Units.watts(per: row.unit) != nil else { return false }
        if exclude.contains(where: { $0.matches(row.entityID) }) { return false }
        if include.contains(where: { $0.matches(row.entityID) }) { return true }
        guard row.entityID.hasPrefix("sensor."), !Preferences.usualTotals.contains(row.entityID) else { return false }
        let words = Self.words(row.entityID)
        if !Self.notMeasured.isDisjoint(with: words) || !Self.totals.isDisjoint(with: words) { return false }
        return !isPhaseOfRole(row.entityID)
    }

    /// `sensor.grid_power_l1` beside `sensor.grid_power`: a copy of a part of what is measured already.
    private func isPhaseOfRole(_ entityID: String) -> Bool {
        let words = Self.words(entityID)
        let rest = words.filter { !Self.phases.contains($0) }
        guard rest.count < words.count else { return false }
        return roles.contains { Self.words($0) == rest }
    }

    /// The words of an entity id's name, in order.
    private static func words(_ entityID: String) -> [String] {
        (entityID.split(separator: ".").last ?? "").split(separator: "_").map { $0.lowercased() }
    }

    func circuit(of row: SensorRow) -> Circuit {
        let name = row.name.isEmpty ? row.entityID : row.name
        var circuit = Circuit(
            id: row.entityID, name: name.cut(toBytes: 255), kind: .init(guessedFrom: row.entityID, row.name))
        circuit.powerW = row.powerW
        return circuit
    }
}
