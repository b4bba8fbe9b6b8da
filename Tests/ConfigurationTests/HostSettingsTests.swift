import Configuration
import Readings
import Testing

private func resolve(_ environment: [String: String], dotEnv: String = "") -> ResolvedHostSettings {
    HostSettings.resolve(SettingLookup(environment: environment, dotEnv: DotEnv(dotEnv)))
}

@Suite struct HostSettingsTests {
    @Test func `the defaults are the declared ones`() {
        let resolved = resolve([:])
        let settings = resolved.settings
        #expect(resolved.problems == [])
        #expect(settings.meterTypes == [.instance(InstanceIdentity(meterType: "home_assistant"))])
        #expect(settings.servicePort == 8014 && settings.bindAddress == "127.0.0.1")
        #expect(settings.influx.url == "http://influxdb:8086" && settings.influx.bucket == "smart_meter_data")
        #expect(settings.influx.organisation == "homeiq" && settings.influx.token == nil)
        #expect(settings.dataDirectory == "./data" && settings.fetchIntervalSeconds == 300)
        #expect(settings.highPowerThresholdW == 10000 && settings.phantomThresholdW == 200)
        #expect(!settings.isDeliveryOn)
    }

    @Test func `the environment beats the file, and empty is unset`() {
        let resolved = resolve(
            ["SERVICE_PORT": "1", "HISTORY_DAYS": ""], dotEnv: "SERVICE_PORT=2\nHISTORY_DAYS=7\nSTALE_SECONDS=5")
        #expect(resolved.settings.servicePort == 1)
        #expect(resolved.settings.historyDays == 7)
        let sources = Dictionary(uniqueKeysWithValues: resolved.effective.map { ($0.name, $0.source.description) })
        #expect(sources["SERVICE_PORT"] == "environment")
        #expect(sources["HISTORY_DAYS"] == ".env:2")
        #expect(sources["LOG_LEVEL"] == "default" && sources["TZ"] == "unset")
    }

    @Test(arguments: [
        ("SERVICE_PORT", "65536"), ("SERVICE_PORT", "x"), ("ALLOWED_HOSTS", "a,http://b"), ("ALLOWED_HOSTS", "a:80"),
        ("METRICS_OPEN", "maybe"), ("FETCH_INTERVAL_SECONDS", "7"), ("INFLUXDB_URL", "influx:1"),
        ("FETCH_INTERVAL_SECONDS", "0"), ("INFLUXDB_API", "v4"), ("MAX_POWER_W", "nan"), ("MAX_POWER_W", "0x10"),
        ("METER_TYPE", "a,a"), ("METER_TYPE", "A"), ("METER_TYPE", "a@"), ("METER_TYPE", "a@b@c"), ("METER_TYPE", ","),
        ("METER_TYPE", "a@x-y,a@X_Y"), ("PRIMARY_METER", "all"), ("INFLUXDB_TAGS", "a"), ("LOG_LEVEL", "loud"),
        ("TZ", "Europe/Berln"), ("TZ", "../x"),
        ("INFLUXDB_TAGS", "meter_type=x"), ("INFLUXDB_TAGS", "a=1,a=2"), ("HISTORY_DAYS", "1.5"),
    ])
    func `a wrong value is refused with its variable and what is allowed`(_ name: String, _ value: String) {
        let problems = resolve([name: value]).problems
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("\(name)=\(value) is not allowed: it must be ") == true)
    }

    @Test func `bands of a tariff are taken apart`() {
        let resolved = resolve([
            "TARIFF_PER_KWH": "0.32", "TARIFF_EXPORT_PER_KWH": "0.08", "TARIFF_FIXED_PER_DAY": "0.4",
            "TARIFF_BANDS": "22:00-6:00=0.21, Sat-Sun 06:00-22:00=0.25,fri 23:45-24:00=-1",
        ])
        #expect(resolved.problems == [])
        let every: UInt8 = 0b111_1111
        #expect(
            resolved.settings.tariff.tariff
                == Tariff(
                    perKWh: 0.32,
                    bands: [
                        Tariff.Band(weekdays: every, start: 88, end: 24, perKWh: 0.21),
                        Tariff.Band(weekdays: 0b100_0001, start: 24, end: 88, perKWh: 0.25),
                        Tariff.Band(weekdays: 0b010_0000, start: 95, end: 96, perKWh: -1),
                    ], exportPerKWh: 0.08, fixedPerDay: 0.4))
        #expect(resolve([:]).settings.tariff.tariff == nil)
    }

    @Test(arguments: [
        "22:00-06:00", "22:00=0.2", "22:00-06:00=", "22:00-06:00=x", "22:10-06:00=1", "25:00-06:00=1", "06:00-06:00=1",
        "24:00-06:00=1", "Xyz 06:00-07:00=1", "Mon-Tue-Wed 06:00-07:00=1", "Mon 06:00-07:00=1=2", "Mon Tue 1:00-2:00=1",
        "-1:00-06:00=1", "06:00-07:00=1e9", "=1", "06:00-07:00=nan", "+1:00-02:00=1", "Mon- 06:00-07:00=1",
    ])
    func `a band that makes no sense is refused`(_ value: String) {
        let problems = resolve(["TARIFF_PER_KWH": "0.3", "TARIFF_BANDS": value]).problems
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("TARIFF_BANDS=\(value) is not allowed: it must be [days ]") == true)
    }

    @Test(arguments: [
        ("TARIFF_BANDS", "22:00-06:00=0.2"), ("TARIFF_EXPORT_PER_KWH", "1"), ("TARIFF_FIXED_PER_DAY", "1"),
    ])
    func `costs need the price of a kWh`(_ name: String, _ value: String) {
        #expect(
            resolve([name: value]).problems == ["TARIFF_PER_KWH is not set, and the other TARIFF_ settings need it"])
    }

    @Test func `the token of the HTTP interface is one that a header can carry and nobody guesses`() {
        let token = "0123456789abcdef"
        let resolved = resolve(["API_TOKEN": token, "METRICS_OPEN": "yes", "ALLOWED_HOSTS": "Power.example.com, b"])
        #expect(resolved.settings.apiToken == token && resolved.settings.metricsOpen)
        #expect(resolved.settings.allowedHosts == ["Power.example.com", "b"] && resolved.secrets == [token])
        for weak in [
            "0123456789abcde", "0123456789 abcdef", "0123456789abcdef\u{E9}", String(repeating: "x", count: 257),
        ] {
            let problems = resolve(["API_TOKEN": weak]).problems
            #expect(problems.count == 1 && problems.first?.hasPrefix("API_TOKEN=*** is not allowed") == true)
        }
        #expect(resolve([:]).settings.apiToken == nil)
    }

    @Test func `all problems are told at once`() {
        #expect(resolve(["SERVICE_PORT": "x", "HISTORY_DAYS": "y"], dotEnv: "bad").problems.count == 3)
    }

    @Test(arguments: [("WARN", HostSettings.LogLevelName.warning), ("critical", .error), ("Debug", .debug)])
    func `log levels may be Python's`(_ value: String, _ level: HostSettings.LogLevelName) {
        #expect(resolve(["LOG_LEVEL": value]).settings.logLevel == level)
    }

    @Test func `instances and tags are taken apart`() {
        let settings = resolve([
            "METER_TYPE": "shelly@garage, shelly@attic-2,mock", "PRIMARY_METER": "mock",
            "INFLUXDB_TAGS": "site=a, b=c=d",
            "PHANTOM_EXCLUDE": "a, ,b", "ADAPTER_PATH": "/x::/y z",
        ]).settings
        #expect(settings.meterTypes.count == 3)
        #expect(settings.meterTypes[1] == .instance(InstanceIdentity(meterType: "shelly", label: "attic-2")))
        #expect(settings.primaryMeter?.name == "mock")
        #expect(settings.influx.tags.map { "\($0.key):\($0.value)" } == ["site:a", "b:c=d"])
        #expect(settings.phantomExclude == ["a", "b"] && settings.adapterPath == ["/x", "/y z"])
    }

    @Test func `the state directory of systemd is the default of DATA_DIR`() {
        #expect(resolve(["STATE_DIRECTORY": "/var/lib/a:/b"]).settings.dataDirectory == "/var/lib/a")
        #expect(resolve(["STATE_DIRECTORY": "/a", "DATA_DIR": "/b"]).settings.dataDirectory == "/b")
    }

    @Test func `a secret is masked, known for masking, and never in a problem`() {
        let resolved = resolve(["INFLUXDB_TOKEN": "hunter2", "INFLUXDB_PASSWORD": "a\u{0}b"])
        #expect(resolved.settings.influx.token == "hunter2" && resolved.settings.isDeliveryOn)
        #expect(resolved.secrets.contains("hunter2"))
        #expect(resolved.effective.first { $0.name == "INFLUXDB_TOKEN" }?.shown == "***")
        #expect(resolved.problems == ["INFLUXDB_PASSWORD=*** is not allowed: it must be text"])
    }

    @Test func `the password in a URL is not shown`() {
        for url in ["https://u:hunter2@host:1/x", "ftp://u:hunter2@host", "hunter2@host"] {
            let resolved = resolve(["INFLUXDB_URL": url])
            let shown = resolved.effective.map(\.shown) + resolved.problems
            #expect(!shown.contains { $0.contains("hunter2") })
        }
    }

    @Test func `the primary meter must be one that runs`() {
        #expect(resolve(["METER_TYPE": "mock", "PRIMARY_METER": "x"]).problems.count == 1)
        #expect(resolve(["METER_TYPE": "all", "PRIMARY_METER": "x"]).problems == [])
    }

    @Test func `a secret may come from a file, and only from one place`() {
        let lookup = { (environment: [String: String]) in
            SettingLookup(environment: environment) { path throws(UnreadableFile) in
                guard path == "/run/token" else { throw UnreadableFile(reason: "No such file or directory") }
                return "from file\r\n"
            }
        }
        let good = HostSettings.resolve(lookup(["INFLUXDB_TOKEN_FILE": "/run/token"]))
        #expect(good.settings.influx.token == "from file" && good.settings.isDeliveryOn)
        #expect(good.effective.first { $0.name == "INFLUXDB_TOKEN" }?.source.description == "file /run/token")
        let missing = HostSettings.resolve(lookup(["INFLUXDB_TOKEN_FILE": "/x"]))
        #expect(missing.problems == ["INFLUXDB_TOKEN_FILE=/x: No such file or directory"])
        let both = HostSettings.resolve(lookup(["INFLUXDB_TOKEN_FILE": "/run/token", "INFLUXDB_TOKEN": "x"]))
        #expect(both.problems == ["INFLUXDB_TOKEN and INFLUXDB_TOKEN_FILE are both set: leave one out"])
    }

    @Test(arguments: [
        (["SERVICE_PORT": "9000", "TZ": "UTC", "LOG_LEVEL": "debug", "MAX_POWER_W": "9"], ["SERVICE_PORT", "TZ"]),
        (["INFLUXDB_TOKEN": "t"], ["INFLUXDB_TOKEN"]), (["INFLUXDB_URL": "http://influxdb:8086"], ["INFLUXDB_URL"]),
        (["METER_TYPE": "b"], []), (["METER_TYPE": "b,a"], ["PRIMARY_METER"]), (["METER_TYPE": "a,b"], []),
        (["METER_TYPE": "a,b", "PRIMARY_METER": "a"], []),
        (["METER_TYPE": "a,b", "PRIMARY_METER": "b"], ["PRIMARY_METER"]),
    ])
    func `what waits for a restart is told from what is taken over`(_ change: [String: String], _ waiting: [String]) {
        let before = resolve(["METER_TYPE": "a"]).settings
        let after = resolve(["METER_TYPE": "a"].merging(change) { $1 }).settings
        #expect(before.waitingForRestart(in: after) == waiting)
        #expect(after.waitingForRestart(in: after) == [])
    }

    @Test func `help and table name every setting once`() {
        for setting in HostSetting.all {
            let name = setting.declaration.name
            #expect(SettingTables.help().contains("  \(name) "))
            #expect(SettingTables.markdown().split(separator: "\n").filter { $0.hasPrefix("| `\(name)` |") }.count == 1)
        }
    }
}
