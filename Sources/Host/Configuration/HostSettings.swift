package import Readings

/// The host's own settings, checked. What each means and its default stand in `HostSetting.all`.
package struct HostSettings: Sendable {
    package internal(set) var meterTypes: [MeterSelection] = []
    package internal(set) var primaryMeter: InstanceIdentity?
    package internal(set) var fallback = Fallback.mock
    package internal(set) var staleSeconds = 0
    package internal(set) var adapterPath: [String] = []
    package internal(set) var isolation = Isolation.auto
    package internal(set) var fetchIntervalSeconds = 0
    package internal(set) var maximumPowerW = 0.0

    package internal(set) var servicePort: UInt16 = 0
    package internal(set) var bindAddress = ""
    package internal(set) var allowedHosts: [String] = []
    package internal(set) var apiToken: String?
    package internal(set) var metricsOpen = false

    package internal(set) var dataDirectory = ""
    package internal(set) var historyDays = 0
    package internal(set) var undeliveredDays = 0
    package internal(set) var backfillDays = 0

    package internal(set) var influx = Influx()
    /// Whether INFLUXDB_URL or INFLUXDB_TOKEN is set, rather than left to its default.
    package internal(set) var isDeliveryOn = false

    package internal(set) var tariff = TariffSettings()

    package internal(set) var highPowerThresholdW = 0.0
    package internal(set) var highPowerHoldSeconds = 0
    package internal(set) var phantomThresholdW = 0.0
    package internal(set) var phantomExclude: [String] = []
    /// Nil = nobody is told of alerts.
    package internal(set) var alertWebhookURL: String?
    package internal(set) var alertWebhookSecret: String?

    package internal(set) var logLevel = LogLevelName.info
    package internal(set) var logFormat = LogFormatName.auto
    /// As written; nil = `/etc/localtime`.
    package internal(set) var timeZone: String?

    /// Each setting that has a value, as it was accepted: what was changed is seen by it.
    var values: [String: String] = [:]

    package struct Influx: Sendable {
        package internal(set) var url = ""
        package internal(set) var token: String?
        package internal(set) var organisation = ""
        package internal(set) var bucket = ""
        package internal(set) var api = API.auto
        package internal(set) var username: String?
        package internal(set) var password: String?
        package internal(set) var caFile: String?
        package internal(set) var tags: [Tag] = []

        package enum API: String, CaseIterable, Sendable { case auto, v1, v2, v3 }

        /// A constant tag of every point.
        package struct Tag: Hashable, Sendable {
            package let key: String
            package let value: String
        }
    }

    /// What energy costs.
    package struct TariffSettings: Sendable {
        /// Nil = no costs.
        package internal(set) var perKWh: Double?
        package internal(set) var bands: [Tariff.Band] = []
        package internal(set) var exportPerKWh = 0.0
        package internal(set) var fixedPerDay = 0.0
        /// As people write it; for display.
        package internal(set) var currency = ""

        package var tariff: Tariff? {
            perKWh.map { Tariff(perKWh: $0, bands: bands, exportPerKWh: exportPerKWh, fixedPerDay: fixedPerDay) }
        }
    }

    /// Which adapters run in a process of their own.
    package enum Isolation: String, CaseIterable, Sendable { case auto, always }
    package enum Fallback: String, CaseIterable, Sendable { case mock, none }
    package enum LogLevelName: String, CaseIterable, Sendable { case error, warning, info, debug }
    package enum LogFormatName: String, CaseIterable, Sendable { case auto, text, json }

    init() {}
}

/// An element of METER_TYPE.
package enum MeterSelection: Hashable, Sendable {
    /// Every adapter but mock whose required settings are set.
    case all
    case instance(InstanceIdentity)
}

/// What reading the host's settings gave.
package struct ResolvedHostSettings: Sendable {
    /// Only to be used where `problems` is empty.
    package fileprivate(set) var settings = HostSettings()
    /// One line each; with any, the start stops.
    package fileprivate(set) var problems: [String] = []
    package fileprivate(set) var effective: [EffectiveSetting] = []
    /// Every secret's value, for masking.
    package fileprivate(set) var secrets: [String] = []
}

extension HostSettings {
    /// All problems are collected: whoever sets this up mends them in one go.
    package static func resolve(_ lookup: SettingLookup) -> ResolvedHostSettings {
        var resolved = ResolvedHostSettings()
        resolved.problems = lookup.dotEnv.problems
        for setting in HostSetting.all { read(setting, lookup, &resolved) }
        resolved.settings.isDeliveryOn =
            lookup.isSet("INFLUXDB_URL") || lookup.isSet("INFLUXDB_TOKEN", isSecret: true)
        if let primary = resolved.settings.primaryMeter, !resolved.settings.mayRun(primary) {
            resolved.problems.append("PRIMARY_METER=\(primary.name) is not allowed: METER_TYPE must name it")
        }
        let tariff = resolved.settings.tariff
        if tariff.perKWh == nil, !tariff.bands.isEmpty || tariff.exportPerKWh != 0 || tariff.fixedPerDay != 0 {
            resolved.problems.append("TARIFF_PER_KWH is not set, and the other TARIFF_ settings need it")
        }
        return resolved
    }

    func mayRun(_ meter: InstanceIdentity) -> Bool {
        meterTypes.contains(.all) || meterTypes.contains(.instance(meter))
    }

    private static func read(_ setting: HostSetting, _ lookup: SettingLookup, _ resolved: inout ResolvedHostSettings) {
        let declaration = setting.declaration
        let isSecret = declaration.kind.isSecret
        do {
            let found = try lookup.find(declaration.name, isSecret: isSecret) ?? setting.inherited(lookup)
            let written = found?.value ?? declaration.defaultValue
            if let found, isSecret { resolved.secrets.append(found.value) }
            if let written {
                guard let value = declaration.kind.accepted(written), setting.store(&resolved.settings, value) else {
                    let problem = refusal(declaration.name, written, declaration.kind, allowed: setting.allowed)
                    resolved.problems.append(problem)
                    resolved.effective.append(
                        .init(
                            declaration.name, value: written, kind: declaration.kind,
                            source: found?.source ?? .defaultValue, problem: problem))
                    return
                }
                resolved.settings.values[declaration.name] = value
            }
            let source = found?.source ?? (written == nil ? .unset : .defaultValue)
            resolved.effective.append(.init(declaration.name, value: written, kind: declaration.kind, source: source))
        } catch {
            resolved.problems.append(error.line)
            resolved.effective.append(
                .init(declaration.name, value: nil, kind: declaration.kind, source: .unset, problem: error.line))
        }
    }
}
