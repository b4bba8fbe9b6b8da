import Configuration
import Readings
import Testing

private let declarations = [
    SettingDeclaration(name: "url", kind: .adapterURL, required: true, help: "where it is"),
    SettingDeclaration(name: "token", kind: .secret, help: "token"),
    SettingDeclaration(name: "invert", kind: .flag, default: "0", help: "sign"),
    SettingDeclaration(name: "total", kind: .choice(["auto", "sum"]), default: "auto", help: "total"),
    SettingDeclaration(name: "scale", kind: .anyNumber, help: "scale"),
]

private func resolve(_ environment: [String: String], label: String = "") -> ResolvedAdapterSettings {
    let identity = InstanceIdentity(meterType: "my_meter", label: label)
    return AdapterSettingResolver(identity: identity, lookup: SettingLookup(environment: environment))
        .resolve(declarations)
}

@Suite struct AdapterSettingsTests {
    @Test func `values come by kind, defaults included`() {
        let resolved = resolve([
            "MY_METER_URL": "http://x", "MY_METER_TOKEN": "hunter2", "MY_METER_INVERT": "Yes", "MY_METER_TOTAL": "SUM",
        ])
        #expect(resolved.problems == [])
        #expect(resolved.values == ["url": "http://x", "token": "hunter2", "invert": "1", "total": "sum"])
        #expect(resolved.secrets == ["hunter2"])
        #expect(resolved.effective.first { $0.name == "MY_METER_TOKEN" }?.shown == "***")
    }

    @Test func `a label's own variable comes before the type's`() {
        let environment = [
            "MY_METER_URL": "http://x", "MY_METER_TOKEN": "shared", "MY_METER__ATTIC_2__URL": "http://y",
        ]
        let resolved = resolve(environment, label: "attic-2")
        #expect(resolved.values["url"] == "http://y" && resolved.values["token"] == "shared")
        #expect(resolved.effective.contains { $0.name == "MY_METER__ATTIC_2__URL" })
    }

    @Test func `what is required and not there is named`() {
        let resolved = resolve([:])
        #expect(resolved.missing == ["MY_METER_URL"])
        #expect(resolved.problems == ["MY_METER_URL is not set: where it is"])
    }

    @Test(arguments: [
        ("URL", "ftp://x"), ("URL", "http://"), ("INVERT", "2"), ("TOTAL", "x"), ("SCALE", "inf"),
        ("SAMPLE_SECONDS", "0"), ("INTERVAL_SECONDS", "1.5"), ("INTERVAL_SECONDS", "7"), ("REQUESTS_PER_DAY", "-1"),
    ])
    func `a wrong value is refused`(_ name: String, _ value: String) {
        let problems = resolve(["MY_METER_URL": "http://x"].merging(["MY_METER_\(name)": value]) { $1 }).problems
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("MY_METER_\(name)=\(value) is not allowed") == true)
    }

    @Test func `a wrong value is shown with the others, as wrong`() throws {
        let resolved = resolve(["MY_METER_URL": "ftp://me:secret@x", "MY_METER_INVERT": "2"])
        let url = try #require(resolved.effective.first { $0.name == "MY_METER_URL" })
        #expect(url.shown == "ftp://***@x" && url.problem?.contains("it must be a URL") == true)
        #expect(resolved.effective.first { $0.name == "MY_METER_INVERT" }?.source == .environment)
        #expect(resolved.effective.filter { $0.problem != nil }.count == 2)
    }

    @Test func `a URL that is refused is told by the example of its default`() {
        let home = SettingDeclaration(name: "url", kind: .adapterURL, default: "http://home:8123", help: "where it is")
        let lookup = SettingLookup(environment: ["HOME_URL": "home:8123"])
        let problems = AdapterSettingResolver(identity: InstanceIdentity(meterType: "home"), lookup: lookup)
            .resolve([home]).problems
        #expect(problems == ["HOME_URL=home:8123 is not allowed: it must be a URL such as http://home:8123"])
    }

    @Test func `every type has the host's own settings`() {
        let resolved = resolve([
            "MY_METER_URL": "http://x", "MY_METER_SAMPLE_SECONDS": "0.5", "MY_METER_INTERVAL_SECONDS": "1",
            "MY_METER_REQUESTS_PER_DAY": "100",
        ])
        #expect(resolved.sampleSeconds == 0.5 && resolved.intervalSeconds == 1 && resolved.requestsPerDay == 100)
    }

    @Test(arguments: ["influxdb", "data", "service", "iotawatt_two", "my", "all", "A", ""])
    func `a type whose variables could be mistaken is refused`(_ type: String) {
        #expect(MeterTypeRule.objection(to: type, known: ["iotawatt", "my_meter"]) != nil)
    }

    @Test func `other types are welcome`() {
        #expect(MeterTypeRule.objection(to: "iota", known: ["iotawatt", "iota"]) == nil)
        #expect(MeterTypeRule.objection(to: "home_assistant", known: ["mock"]) == nil)
    }
}
