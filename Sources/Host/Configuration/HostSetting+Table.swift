import Readings

extension HostSetting {
    /// Every setting of the host, in the order in which people read about them.
    package static let all: [HostSetting] = meters + service + storage + delivery + tariff + alerts + process

    private static let meters = [
        HostSetting(
            .meters, "METER_TYPE", .list, default: "home_assistant",
            "Adapters to run, comma-separated: type, type@label to run one several times, or all",
            grammar: MeterSelection.grammar, reloads: true, store: MeterSelection.store),
        HostSetting(
            .meters, "PRIMARY_METER", .text, "The meter that is the house; default: the first of METER_TYPE",
            grammar: "type or type@label", store: MeterSelection.storePrimary),
        HostSetting(
            .meters, "FETCH_INTERVAL_SECONDS", .interval, default: "300", "Seconds of one stored slot",
            reloads: true, store: integer(\.fetchIntervalSeconds)),
        HostSetting(
            .meters, "FALLBACK", .choice(HostSettings.Fallback.allCases.map(\.rawValue)), default: "mock",
            "What the live view shows while there is no meter: mock data, marked as such, or none",
            store: word(\.fallback)),
        HostSetting(
            .meters, "STALE_SECONDS", .integer(0...86_400), default: "900",
            "How long a meter's last reading is shown as stale before the fallback", reloads: true,
            store: integer(\.staleSeconds)),
        HostSetting(
            .meters, "MAX_POWER_W", .number(1...100_000_000), default: "100000",
            "A power beyond this is dropped as implausible", reloads: true, store: number(\.maximumPowerW)),
        HostSetting(
            .meters, "ADAPTER_PATH", .text, "Directories that adapters are dropped into, colon-separated",
            store: list(\.adapterPath, separator: ":")),
        HostSetting(
            .meters, "ADAPTER_ISOLATION", .choice(HostSettings.Isolation.allCases.map(\.rawValue)), default: "auto",
            "Which adapters run in a process of their own: auto, all but the release's own that need no library; or always",
            store: word(\.isolation)),
    ]

    private static let service = [
        HostSetting(
            .service, "SERVICE_PORT", .integer(0...65_535), default: "8014",
            "Port of the HTTP interface; 0 takes a free one", store: integer(\.servicePort)),
        HostSetting(
            .service, "BIND_ADDRESS", .text, default: "127.0.0.1",
            "Address that the HTTP interface listens on; 0.0.0.0 or :: for all", store: text(\.bindAddress)),
        HostSetting(
            .service, "API_TOKEN", .secret, "Token that the HTTP interface asks for; without one it asks for none",
            grammar: HostSettings.tokenGrammar, reloads: true, store: HostSettings.storeToken),
        HostSetting(
            .service, "METRICS_OPEN", .flag, default: "0", "Whether /metrics is told without the token",
            reloads: true, store: flag(\.metricsOpen)),
        HostSetting(
            .service, "ALLOWED_HOSTS", .list,
            "Names of this server beside addresses, names without a dot, .local, .lan and .home.arpa",
            grammar: HostSettings.hostsGrammar, reloads: true, store: HostSettings.storeHosts),
    ]

    private static let storage = [
        HostSetting(
            .storage, "DATA_DIR", .file, default: "./data", inheritsFrom: "STATE_DIRECTORY",
            "Where the store lives; under systemd its state directory", store: text(\.dataDirectory)),
        HostSetting(
            .storage, "HISTORY_DAYS", .integer(1...36_500), default: "30", "Days for which slots are kept",
            reloads: true, store: integer(\.historyDays)),
        HostSetting(
            .storage, "UNDELIVERED_DAYS", .integer(1...36_500), default: "365",
            "Days for which slots are kept that could not be delivered", reloads: true,
            store: integer(\.undeliveredDays)),
        HostSetting(
            .storage, "BACKFILL_DAYS", .integer(0...36_500), default: "0",
            "Days before the first reading for which a meter's own log is asked, too", reloads: true,
            store: integer(\.backfillDays)),
    ]

    private static let delivery = [
        HostSetting(
            .delivery, "INFLUXDB_URL", .url(schemes: ["http", "https"]), default: "http://influxdb:8086",
            "InfluxDB's address; delivery is on once this or INFLUXDB_TOKEN is set", store: text(\.influx.url)),
        HostSetting(
            .delivery, "INFLUXDB_TOKEN", .secret, "Token for v2 and v3", reloads: true, store: text(\.influx.token)),
        HostSetting(
            .delivery, "INFLUXDB_ORG", .text, default: "homeiq", "Organisation (v2)", store: text(\.influx.organisation)
        ),
        HostSetting(
            .delivery, "INFLUXDB_BUCKET", .text, default: "smart_meter_data", "Bucket (v2) or database (v1, v3)",
            store: text(\.influx.bucket)),
        HostSetting(
            .delivery, "INFLUXDB_API", .choice(HostSettings.Influx.API.allCases.map(\.rawValue)), default: "auto",
            "Which write interface to use", store: word(\.influx.api)),
        HostSetting(
            .delivery, "INFLUXDB_USERNAME", .text, "User name (v1)", reloads: true, store: text(\.influx.username)),
        HostSetting(
            .delivery, "INFLUXDB_PASSWORD", .secret, "Password (v1)", reloads: true, store: text(\.influx.password)),
        HostSetting(
            .delivery, "INFLUXDB_CA_FILE", .file, "Certificates to trust instead of the system's (PEM)",
            store: text(\.influx.caFile)),
        HostSetting(
            .delivery, "INFLUXDB_TAGS", .list, "Constant tags of every point: key=value,key=value",
            grammar: HostSettings.Influx.Tag.grammar, store: HostSettings.Influx.Tag.store),
    ]

    private static let tariff = [
        HostSetting(
            .tariff, "TARIFF_PER_KWH", .number(-1000...1000), "Price of a kWh bought; no costs where it is not set",
            store: optionalNumber(\.tariff.perKWh)),
        HostSetting(
            .tariff, "TARIFF_BANDS", .list,
            "Other prices at some times, local: 22:00-06:00=0.21,Sat-Sun 06:00-22:00=0.25",
            grammar: Tariff.Band.grammar, store: Tariff.Band.store),
        HostSetting(
            .tariff, "TARIFF_EXPORT_PER_KWH", .number(-1000...1000), default: "0", "What a kWh sold earns",
            store: number(\.tariff.exportPerKWh)),
        HostSetting(
            .tariff, "TARIFF_FIXED_PER_DAY", .number(-100_000...100_000), default: "0",
            "What a day costs before anything is used", store: number(\.tariff.fixedPerDay)),
        HostSetting(
            .tariff, "TARIFF_CURRENCY", .text, "Currency of these prices, such as EUR",
            store: text(\.tariff.currency)),
    ]

    private static let alerts = [
        HostSetting(
            .alerts, "HIGH_POWER_THRESHOLD_W", .number(0...100_000_000), default: "10000",
            "Consumption over this raises the high-consumption alert", reloads: true,
            store: number(\.highPowerThresholdW)),
        HostSetting(
            .alerts, "HIGH_POWER_HOLD_SECONDS", .integer(0...86_400), default: "0",
            "For how long it must stay over the threshold", reloads: true, store: integer(\.highPowerHoldSeconds)),
        HostSetting(
            .alerts, "PHANTOM_THRESHOLD_W", .number(0...100_000_000), default: "200",
            "Consumption at 3am over this raises the phantom-load alert", reloads: true,
            store: number(\.phantomThresholdW)),
        HostSetting(
            .alerts, "PHANTOM_EXCLUDE", .list, "Circuits that are not phantom load, comma-separated",
            reloads: true, store: list(\.phantomExclude)),
        HostSetting(
            .alerts, "ALERT_WEBHOOK_URL", .secret,
            "Where alerts are sent to, as JSON by POST; a secret, since such an address often holds one",
            grammar: webhook.allowed,
            store: { settings, value in
                parsed(webhook.accepted(value).map(Optional.some), \.alertWebhookURL, &settings)
            }),
        HostSetting(
            .alerts, "ALERT_WEBHOOK_SECRET", .secret,
            "Signs these messages (HMAC-SHA256), so that the receiver can check them",
            reloads: true, store: text(\.alertWebhookSecret)),
    ]
    private static let webhook = SettingKind.url(schemes: ["http", "https"])

    private static let process = [
        HostSetting(
            .process, "LOG_LEVEL", .text, default: "info", "How much is logged",
            grammar: "one of error, warning, info, debug", reloads: true, store: HostSettings.LogLevelName.store),
        HostSetting(
            .process, "LOG_FORMAT", .choice(HostSettings.LogFormatName.allCases.map(\.rawValue)), default: "auto",
            "Lines of text, or JSON; auto is text", reloads: true, store: word(\.logFormat)),
        HostSetting(
            .process, "TZ", .text, "Time zone of the house, such as Europe/Berlin; default: /etc/localtime",
            grammar: HostSettings.zoneGrammar, store: HostSettings.storeZone),
    ]
}

extension HostSettings.LogLevelName {
    /// Python's names too: the service that this one replaces took them.
    static let store: HostSetting.Store = { settings, value in
        let name =
            switch value.lowercased() {
            case "warn": "warning"
            case "critical", "fatal": "error"
            case let other: other
            }
        return HostSetting.parsed(Self(rawValue: name), \.logLevel, &settings)
    }
}

extension HostSettings.Influx.Tag {
    static let grammar =
        "key=value, comma-separated; meter_type, circuit_name, meter and kind are the service's own keys"
    private static let reserved: Set = ["meter_type", "circuit_name", "meter", "kind", "time"]

    static let store: HostSetting.Store = { settings, value in
        var tags: [Self] = []
        for element in HostSetting.elements(value) {
            let parts = element.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = parts.first.map(HostSetting.trimmed), parts.count == 2 else { return false }
            let tag = Self(key: key, value: HostSetting.trimmed(parts[1]))
            guard !key.isEmpty, !tag.value.isEmpty, !key.hasPrefix("_"), !reserved.contains(key),
                !tags.contains(where: { $0.key == key })
            else { return false }
            tags.append(tag)
        }
        settings.influx.tags = tags
        return true
    }
}

extension HostSettings {
    static let zoneGrammar =
        "a name of the tz database (package tzdata) such as Europe/Berlin; timedatectl list-timezones shows them"

    static let storeZone: HostSetting.Store = { settings, value in
        guard (try? Zone.system(tz: value)) != nil else { return false }
        settings.timeZone = value
        return true
    }

    static let hostsGrammar = "host names, comma-separated, without scheme and port, such as power.example.com"

    static let storeHosts: HostSetting.Store = { settings, value in
        let names = HostSetting.elements(value)
        let isEachName = names.allSatisfy { name in
            name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-._".utf8.contains(byte)
            }
        }
        guard isEachName else { return false }
        settings.allowedHosts = names
        return true
    }

    static let tokenGrammar = "16 to 256 letters, digits and signs, without spaces"

    /// What a header can carry, and nobody guesses.
    static let storeToken: HostSetting.Store = { settings, value in
        guard (16...256).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return false
        }
        settings.apiToken = value
        return true
    }
}
