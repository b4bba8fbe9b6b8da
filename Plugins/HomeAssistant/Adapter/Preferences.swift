import AdapterKit

/// What the settings say, checked.
struct Preferences: Sendable {
    /// A measured quantity of the house: one sensor, or import and export apart.
    enum Source: Hashable, Sendable {
        case one(String, isInverted: Bool)
        case pair(positive: String, negative: String)

        var entities: [String] {
            switch self {
            case .one(let entity, _): [entity]
            case .pair(let positive, let negative): [positive, negative]
            }
        }
    }

    enum Total: Hashable, Sendable {
        /// By its usual name.
        case found
        case entity(String)
        /// The sum of the circuits, because somebody asked for it.
        case sum
    }

    var url: String
    var token: String
    var caFile: String
    var total: Total
    var grid: Source?
    var solar: Source?
    var battery: Source?
    /// Energy sensors by direction.
    var energies: [EnergyFlow: String] = [:]
    var dailyEnergy: String?
    var include: [Glob]
    var exclude: [Glob]
    var staleSeconds: Double

    static let usualTotals = [
        "sensor.total_power", "sensor.power_total", "sensor.home_power", "sensor.power_consumption",
    ]
    static let usualDailies = ["sensor.daily_energy", "sensor.energy_daily", "sensor.energy_today"]

    static let settings: [Setting] = [
        Setting("url", .url, default: "http://homeassistant:8123", help: "Address of Home Assistant"),
        Setting("token", .secret, isRequired: true, help: "Long-lived access token (profile page, at the bottom)"),
        Setting("ca_file", .file, help: "PEM file to trust instead of the system's certificates"),
        Setting(
            "total", .text,
            help:
                "Sensor of the whole home's consumption, or 'sum' for the sum of the circuits; default: the usual names"
        ),
        Setting("daily_energy", .text, help: "Sensor of today's consumption; default: the usual names"),
        Setting("grid", .text, help: "Sensor of grid power, + import, - export"),
        Setting("grid_import", .text, help: "Sensor of import power, where export has its own"),
        Setting("grid_export", .text, help: "Sensor of export power"),
        Setting("grid_invert", .flag, default: "0", help: "1 = the grid sensor counts export as positive"),
        Setting("solar", .text, help: "Sensor of solar power"),
        Setting("solar_invert", .flag, default: "0", help: "1 = the solar sensor counts production as negative"),
        Setting("battery", .text, help: "Sensor of battery power, + discharge, - charge"),
        Setting("battery_invert", .flag, default: "0", help: "1 = the battery sensor counts charging as positive"),
        Setting("import_energy", .text, help: "Energy counter of import"),
        Setting("export_energy", .text, help: "Energy counter of export"),
        Setting("solar_energy", .text, help: "Energy counter of solar production"),
        Setting("consumption_energy", .text, help: "Energy counter of consumption"),
        Setting("charge_energy", .text, help: "Energy counter of charging the battery"),
        Setting("discharge_energy", .text, help: "Energy counter of discharging the battery"),
        Setting("include", .list, help: "Sensors to take as circuits in any case, such as sensor.shelly_*_power"),
        Setting("exclude", .list, help: "Sensors never to take as circuits"),
        Setting("stale_seconds", .number, default: "900", help: "A total not reported for so long is not measured"),
    ]

    init(_ host: AdapterHost) throws(AdapterError) {
        url = host.setting("url") ?? ""
        while url.hasSuffix("/") { url.removeLast() }
        token = host.setting("token") ?? ""
        caFile = host.setting("ca_file") ?? ""
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw AdapterError(.misconfigured, "HOME_ASSISTANT_URL must begin with http:// or https://")
        }
        guard !token.isEmpty else {
            throw AdapterError(.misconfigured, "HOME_ASSISTANT_TOKEN is not set: make a long-lived access token")
        }
        switch host.setting("total") {
        case nil, "": total = .found
        case "sum": total = .sum
        case .some: total = .entity(try Self.entity("total", host) ?? "")
        }
        grid = try Self.source("grid", host, pair: ("grid_import", "grid_export"))
        solar = try Self.source("solar", host)
        battery = try Self.source("battery", host)
        dailyEnergy = try Self.entity("daily_energy", host)
        for flow in EnergyFlow.allCases {
            energies[flow] = try Self.entity("\(flow.rawValue)_energy", host)
        }
        include = host.list("include").map(Glob.init)
        exclude = host.list("exclude").map(Glob.init)
        staleSeconds = host.number("stale_seconds") ?? 900
        guard staleSeconds > 0 else {
            throw AdapterError(.misconfigured, "HOME_ASSISTANT_STALE_SECONDS must be more than 0")
        }
    }

    private static func source(
        _ name: String, _ host: AdapterHost, pair: (String, String)? = nil
    ) throws(AdapterError) -> Source? {
        let one = try entity(name, host)
        let positive = try pair.flatMap { pair throws(AdapterError) in try entity(pair.0, host) }
        let negative = try pair.flatMap { pair throws(AdapterError) in try entity(pair.1, host) }
        if let positive, let negative, one == nil { return .pair(positive: positive, negative: negative) }
        guard positive == nil, negative == nil else {
            throw AdapterError(
                .misconfigured,
                "set either HOME_ASSISTANT_GRID, or both HOME_ASSISTANT_GRID_IMPORT and HOME_ASSISTANT_GRID_EXPORT")
        }
        return one.map { .one($0, isInverted: host.flag("\(name)_invert")) }
    }

    private static func entity(_ name: String, _ host: AdapterHost) throws(AdapterError) -> String? {
        guard let entity = host.setting(name), !entity.isEmpty else { return nil }
        guard EntityID.isValid(entity) else {
            throw AdapterError(
                .misconfigured,
                "HOME_ASSISTANT_\(name.uppercased())=\(entity.prefix(80)) is not an entity id such as sensor.grid_power"
            )
        }
        return entity
    }

    var sources: [Source] { [grid, solar, battery].compactMap { $0 } }

    /// Sensors that settings name, each with its variable.
    var configured: [(entity: String, variable: String)] {
        var configured: [(entity: String, setting: String)] = []
        if case .entity(let entity) = total { configured.append((entity, "total")) }
        for (source, setting) in [(grid, "grid"), (solar, "solar"), (battery, "battery")] {
            switch source {
            case .one(let entity, _): configured.append((entity, setting))
            case .pair(let positive, let negative):
                configured += [(positive, "\(setting)_import"), (negative, "\(setting)_export")]
            case nil: break
            }
        }
        for flow in EnergyFlow.allCases {
            if let entity = energies[flow] { configured.append((entity, "\(flow.rawValue)_energy")) }
        }
        if let dailyEnergy { configured.append((dailyEnergy, "daily_energy")) }
        return configured.map { ($0.entity, "HOME_ASSISTANT_\($0.setting.uppercased())") }
    }

    /// Entities to ask for by name, whatever their unit.
    var named: [String] {
        var named = sources.flatMap(\.entities) + energies.values.sorted()
        if case .entity(let entity) = total { named.append(entity) }
        if total == .found { named += Self.usualTotals }
        named += dailyEnergy.map { [$0] } ?? Self.usualDailies
        return named
    }
}

/// A direction of energy that a counter can count; the raw value is the setting's beginning.
enum EnergyFlow: String, CaseIterable, Sendable {
    case `import`, export, solar, consumption, charge, discharge
}

/// A pattern with * and ?.
struct Glob: Sendable {
    private let pattern: [Character]

    init(_ pattern: String) {
        self.pattern = Array(pattern)
    }

    func matches(_ text: String) -> Bool {
        let text = Array(text)
        var (place, star, mark, index) = (0, -1, 0, 0)
        while index < text.count {
            if place < pattern.count, pattern[place] == "?" || pattern[place] == text[index], pattern[place] != "*" {
                place += 1
                index += 1
            } else if place < pattern.count, pattern[place] == "*" {
                (star, mark) = (place, index)
                place += 1
            } else if star >= 0 {
                place = star + 1
                mark += 1
                index = mark
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}
