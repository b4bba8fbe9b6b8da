import AdapterKit
import FakeHost
import TestSupport
import Testing

@testable import ShellyAdapter

@Suite("Settings of the Shelly adapter")
struct SettingTests {
    @Test(
        "Addresses of brokers",
        arguments: [
            ("mqtt://broker.local", "mqtt://broker.local:1883"), ("mqtts://broker.local", "mqtts://broker.local:8883"),
            ("MQTT://10.0.0.2:18830/", "mqtt://10.0.0.2:18830"), ("mqtt://[fe80::1]:1884", "mqtt://[fe80::1]:1884"),
            ("mqtts://[::1]", "mqtts://[::1]:8883"),
        ])
    func address(_ url: String, _ text: String) throws {
        #expect(try Preferences(settings: ["mqtt_url": url]).broker.text == text)
    }

    @Test(
        "What is no address is refused with the name of the setting, and never with a password",
        arguments: [
            "", "http://broker", "mqtt://", "mqtt://:1883", "mqtt://user:hunter2@broker", "mqtt://broker:0",
            "mqtt://broker:65536", "mqtt://broker:x", "mqtt://broker/topic", "mqtt://fe80::1", "mqtt://[::1",
            "mqtt://a b",
        ])
    func badAddress(_ url: String) {
        let failure = #expect(throws: AdapterFailure.self) { try Preferences(settings: ["mqtt_url": url]) }
        #expect(failure?.code == 100)
        #expect(failure?.message.contains("SHELLY_MQTT_URL") == true)
        #expect(failure?.message.contains("hunter2") == false)
    }

    @Test(
        "Settings that do not fit together are refused with what to do",
        arguments: [
            (["mqtt_password": "x"], "SHELLY_MQTT_USERNAME"), (["mqtt_ca_file": "/ca.pem"], "mqtts://"),
            (["devices": "a,a"], "SHELLY_DEVICES"), (["devices": "house/#"], "SHELLY_DEVICES"),
            (["mains": "em1:0,-em1:0"], "SHELLY_MAINS"), (["solar": "-"], "SHELLY_SOLAR"),
        ])
    func refused(_ settings: [String: String], _ word: String) {
        let failure = #expect(throws: AdapterFailure.self) { try Preferences(settings: settings) }
        #expect(failure?.code == 100)
        #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
    }

    @Test(
        "Channels are named by device and channel, by channel, by device or by name; what fits several is refused"
    )
    func references() throws {
        var one = ShellyGen2(
            "shellyproem50-1", prefix: "house/cellar", .single, [.constant(1), .constant(2)], at: Village.noon)
        one.channelNames = [1: "Heat pump"]
        let two = ShellyGen2("shellyproem50-2", .single, [.constant(4), .constant(8)], at: Village.noon)
        for (mains, expected) in [
            ("shellyproem50-1/em1:0", 1.0), ("house/cellar/em1:1", 2), ("heat PUMP", 2), ("shellyproem50-2", 12),
            ("-shellyproem50-2/em1:1", -8), ("house/cellar, shellyproem50-2/em1:0", 7), ("em1:0", nil), ("attic", nil),
        ] as [(String, Double?)] {
            var village = try Village(
                ["mains": mains, "devices": "house/cellar,shellyproem50-2"], gen2: [one, two])
            village.pass(seconds: 70)
            let reading = try #require(village.readings.last)
            #expect(reading.known == .grid)
            #expect(reading.gridPowerW == expected, "\(mains)")
            #expect((village.household.complaint(at: village.now) != nil) == (expected == nil), "\(mains)")
        }
    }

    @Test("What was the grid in the run before stays it, although another three-phase meter speaks first")
    func rememberedMains() throws {
        let meters = ["1", "2"].map {
            ShellyGen2("shellypro3em-\($0)", .threePhase, [.constant(1), .constant(1), .constant(1)], at: Village.noon)
        }
        var village = try Village(gen2: meters, rememberedMains: "shellypro3em-2")
        for _ in 0..<8 {
            village.receive(meters[0].statusMessages())
            village.pass(seconds: 10)
        }
        let before = try #require(village.readings.last)
        #expect(before.known == .grid && before.gridPowerW == nil)
        #expect(before.circuits.map(\.kind) == [.load, .load, .load, .load])
        let complaint = try #require(village.household.complaint(at: village.now)?.message)
        #expect(complaint.contains("shellypro3em-2") && complaint.contains("SHELLY_MAINS"))
        village.receive(meters[1].statusMessages())
        village.pass(seconds: 2)
        let reading = try #require(village.readings.last)
        #expect(reading.gridPowerW == 3)
        #expect(reading.circuits.prefix(4).map(\.kind) == before.circuits.map(\.kind), "nothing changes its role")
        #expect(village.household.rememberedMains == "shellypro3em-2")
        #expect(village.household.complaint(at: village.now) == nil)
    }

    @Test("A house with a roof has a grid, also before its meter has been found")
    func lateMains() throws {
        let roof = ShellyGen1("shellyem-1", [.constant(900), .constant(40)], at: Village.noon)
        let mains = ShellyGen2(
            "shellypro3em-1", .threePhase, [.constant(1), .constant(1), .constant(1)], at: Village.noon)
        var village = try Village(["solar": "shellyem-1/emeter/0"], gen1: [roof], gen2: [mains])
        village.pass(seconds: 5)
        #expect(village.readings.last?.solarPowerW == 900)
        village.receive(mains.online(true), isRetained: true)
        village.pass(seconds: 5)
        #expect(village.readings.last?.gridPowerW == 3)
        #expect(village.readings.allSatisfy { $0.known == [.grid, .solar] })
    }

    @Test("Of several three-phase meters none is the mains until a setting says which, or one was before")
    func severalThreePhases() throws {
        let meters = ["1", "2"].map {
            ShellyGen2("shellypro3em-\($0)", .threePhase, [.constant(1), .constant(1), .constant(1)], at: Village.noon)
        }
        var village = try Village(gen2: meters)
        for meter in meters { village.receive(meter.online(true), isRetained: true) }
        village.pass(seconds: 70)
        #expect(village.readings.last?.gridPowerW == nil)
        // 70 s of silence are not enough for a word about them.
        #expect(village.household.complaint(at: village.now)?.message.contains("SHELLY_MAINS") == true)
        village.household.rememberedMains = "shellypro3em-2"
        village.household.isLayoutStale = true
        village.receive(meters[0].statusMessages())
        village.pass(seconds: 2)
        #expect(village.readings.last?.gridPowerW == 3)
        #expect(village.household.complaint(at: village.now) == nil)
    }
}
