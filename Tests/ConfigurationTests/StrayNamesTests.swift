import Readings
import Testing

@testable import Configuration

@Suite struct StrayNamesTests {
    private let names = StrayNames(
        adapters: [
            "mock": [SettingDeclaration(name: "seed", kind: .anyNumber, help: "seed")],
            "sense": [SettingDeclaration(name: "password", kind: .secret, help: "password")],
        ],
        wanted: [.instance(InstanceIdentity(meterType: "third_party")), .instance(InstanceIdentity(meterType: "mock"))])

    private func notes(_ text: String) -> [StrayNames.Note] { names.notes(on: DotEnv(text)) }

    @Test(arguments: [
        ("SERVICE_PROT", "SERVICE_PORT"), ("INFLUX_URL", "INFLUXDB_URL"), ("MOCK_SEDE", "MOCK_SEED"),
        ("MOCK__ATTIC__SEDE", "MOCK__ATTIC__SEED"), ("service_port", "SERVICE_PORT"), ("APITOKEN", "API_TOKEN"),
        ("SENSE_PASSWORD_FIEL", "SENSE_PASSWORD_FILE"), ("MOCK_SAMPLE_SECOND", "MOCK_SAMPLE_SECONDS"),
    ])
    func `a name that is near a setting's is told with its line and that setting`(_ name: String, _ meant: String) {
        let text = ".env:2: \(name) is no setting (\(meant)?)"
        #expect(notes("METER_TYPE=mock\n\(name)=1") == [.init(text: text, isLikelyMeant: true)])
    }

    @Test func `a name with the prefix of an adapter is told, near or not`() {
        #expect(notes("SENSE_COLOUR=1") == [.init(text: ".env:1: SENSE_COLOUR is no setting", isLikelyMeant: true)])
    }

    @Test(arguments: ["PUID", "COMPOSE_PROJECT_NAME", "INFLUXDB_ADMIN_USER", "PORT", "DOCKER_INFLUXDB_INIT_ORG"])
    func `a name of another program is nothing to worry about`(_ name: String) {
        #expect(notes("\(name)=1").map(\.isLikelyMeant) == [false])
    }

    @Test(arguments: [
        "SERVICE_PORT", "API_TOKEN_FILE", "MOCK_SEED", "MOCK__ATTIC__SEED", "MOCK_REQUESTS_PER_DAY",
        "SENSE__A_B__PASSWORD_FILE", "THIRD_PARTY_ANYTHING",
    ])
    func `settings, and names of adapters that are not there yet, are not told`(_ name: String) {
        #expect(notes("\(name)=1") == [])
    }

    @Test(arguments: [("abc", "acb", 1), ("abc", "abc", 0), ("abc", "ab", 1), ("abc", "xyzuv", 3), ("", "ab", 2)])
    func `letters that differ are counted, swapped ones once`(_ first: String, _ second: String, _ distance: Int) {
        #expect(NearestName.distance(first, second) == distance)
    }
}
