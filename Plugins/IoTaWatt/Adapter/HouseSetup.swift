import AdapterKit

/// Finds out what the device's series are to the house: by the settings, else by their names.
struct HouseSetup: Sendable {
    /// A role, with the series that make it.
    struct Role: Sendable {
        var names: [Preferences.Name]
        /// Whether a setting says so.
        var isSet: Bool
    }

    let inputs: [Input]
    let outputs: [Series]
    private(set) var grid = Role(names: [], isSet: false)
    private(set) var consumption = Role(names: [], isSet: false)
    private(set) var solar = Role(names: [], isSet: false)
    private(set) var battery = Role(names: [], isSet: false)
    private(set) var circuits: [String] = []

    struct Input: Sendable {
        var channel: Int
        var series: Series
    }

    init(_ status: DeviceStatus, _ series: [Series], _ preferences: Preferences) throws(AdapterError) {
        let count = series.count - status.outputs.count
        guard let channels = [status.electricChannels, status.channels].first(where: { $0.count == count }) else {
            throw AdapterError(
                .badData,
                "\(preferences.url) names \(series.count) series for \(status.channels.count) inputs and "
                    + "\(status.outputs.count) outputs")
        }
        inputs = zip(channels, series).map(Input.init).filter(\.series.isQueryable)
        outputs = series.dropFirst(count).filter(\.isQueryable)
        try chooseRoles(preferences)
        try chooseCircuits(preferences)
    }

    private var powerInputs: [String] { inputs.filter { $0.series.unit == .watts }.map(\.series.name) }
    private var powerOutputs: [String] { outputs.filter { $0.unit == .watts }.map(\.name) }

    private mutating func chooseRoles(_ preferences: Preferences) throws(AdapterError) {
        let (inputs, outputs) = (powerInputs, powerOutputs)
        grid = try role("mains", preferences.mains) { RoleNames.mains(inputs: inputs, outputs: outputs) }
        solar = try role("solar", preferences.solar) { RoleNames.solar(inputs: inputs, outputs: outputs) }
        // No name tells whether a battery counts discharge as positive.
        battery = try role("battery", preferences.battery) { [] }
        guard grid.names.isEmpty, let total = RoleNames.consumption(inputs: inputs, outputs: outputs) else { return }
        consumption.names = [Preferences.Name(series: total)]
    }

    private func role(
        _ setting: String, _ choice: Preferences.Choice, _ found: () -> [String]
    ) throws(AdapterError) -> Role {
        switch choice {
        case .none: return Role(names: [], isSet: true)
        case .found: return Role(names: found().map { Preferences.Name(series: $0) }, isSet: false)
        case .named(let names):
            for name in names { try check(name.series, setting) }
            return Role(names: names, isSet: true)
        }
    }

    private mutating func chooseCircuits(_ preferences: Preferences) throws(AdapterError) {
        switch preferences.circuits {
        case .none: circuits = []
        case .found: circuits = powerInputs
        case .named(let names):
            for name in names { try check(name.series, "circuits") }
            circuits = names.map(\.series)
        }
    }

    private func check(_ name: String, _ setting: String) throws(AdapterError) {
        guard !(powerInputs + powerOutputs).contains(name) else { return }
        throw AdapterError(
            .misconfigured,
            "IOTAWATT_\(setting.uppercased()) names '\(name)', which is no series of watts of the device; it has "
                + Self.shown(powerInputs + powerOutputs))
    }

    private static func shown(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", ..." : "")
    }

    // MARK: For a person

    /// Which series were taken for what; one line.
    func summary(_ orientation: [String: Bool]) -> String {
        func shown(_ role: Role) -> String {
            let names = role.names.map { name in
                name.isInverted ?? orientation[name.series] ?? false ? "-\(name.series)" : name.series
            }
            return names.isEmpty ? "none" : names.joined(separator: " + ") + (role.isSet ? " (as set)" : "")
        }
        var parts = ["grid: \(shown(grid))"]
        if !consumption.names.isEmpty { parts.append("consumption: \(shown(consumption))") }
        parts.append("solar: \(shown(solar))")
        if battery.isSet { parts.append("battery: \(shown(battery))") }
        return parts.joined(separator: ", ") + ", circuits: \(circuits.count)"
    }

    /// What to do where nothing is the whole house; nil where something is.
    var advice: String? {
        guard grid.names.isEmpty, consumption.names.isEmpty else { return nil }
        return "no series of the whole house: set IOTAWATT_MAINS; series of power that there are: "
            + Self.shown(powerInputs + powerOutputs)
    }

    /// Series of which only the energy of some days tells which way they count production.
    var unoriented: [String] {
        let roles = solar.names.filter { $0.isInverted == nil }.map(\.series)
        let signed = Set((grid.names + solar.names + battery.names + consumption.names).map(\.series))
        let branches = circuits.filter { !signed.contains($0) && RoleNames.kind($0) == .solar }
        return roles + branches
    }
}
