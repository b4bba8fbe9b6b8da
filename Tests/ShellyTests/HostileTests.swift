import AdapterKit
import TestSupport
import Testing

@testable import ShellyAdapter

@Suite("Whatever a broker carries")
struct HostileTests {
    @Test("Ten thousand foreign topics make no meter")
    func foreign() throws {
        var village = try Village()
        for number in 0..<2500 {
            village.receive("zigbee2mqtt/lamp\(number)", "{\"state\":\"ON\",\"em\":1}")
            village.receive(
                "plug\(number)/events/rpc",
                "{\"src\":\"plug\",\"method\":\"NotifyStatus\",\"params\":{\"switch:0\":{\"apower\":5}}}")
            village.receive("thing\(number)/online", "true")
            village.receive("shellies/plug\(number)/relay/0/power", "17")
        }
        village.pass(seconds: 5)
        #expect(village.household.meters.isEmpty)
        #expect(village.household.outgoing.isEmpty)
        #expect(village.readings.isEmpty)
    }

    @Test("More meters than any house has are not taken, and that is said once")
    func tooMany() throws {
        var village = try Village()
        for number in 0..<2000 { village.receive("shellies/em\(number)/emeter/0/power", "5") }
        village.pass(seconds: 6)
        #expect(village.household.meters.count == Household.mostMeters)
        #expect(village.news.filter { $0.contains("too many meters") }.count == 1)
    }

    @Test("More channels than the host takes as circuits are left out of a reading")
    func tooManyChannels() throws {
        var village = try Village(["mains": "none"])
        village.isMute = true
        let parts = (0..<8).map {
            "\"em:\($0)\":{\"total_act_power\":5,\"a_act_power\":1,\"b_act_power\":2,\"c_act_power\":2}"
        }
        for number in 0..<200 {
            village.receive(
                "em\(number)/events/rpc",
                "{\"method\":\"NotifyFullStatus\",\"params\":{\(parts.joined(separator: ","))}}")
        }
        village.pass(seconds: 15)
        #expect(village.readings.last?.circuits.count == 4096)
    }

    @Test(
        "Payloads that make no sense measure nothing and break nothing",
        arguments: [
            "", "nan", "NaN", "inf", "-inf", "1e999", "0x1F", "--5", "5 5", "true", "\"5\"", "{", "[[[[", "\u{0}",
            String(repeating: "[", count: 60_000), "1e308",
        ])
    func senseless(_ payload: String) throws {
        var village = try Village(["mains": "emeter/0"])
        for quantity in ["power", "total", "total_returned", "pf", "voltage", "current"] {
            village.receive("shellies/x/emeter/0/\(quantity)", payload)
        }
        for topic in ["shellies/announce", "shellies/x/online", "y/online", "smart-meter-test/rpc", "y/status/em1:0"] {
            village.receive(topic, payload)
        }
        for frame in [
            payload, "{\"method\":\"NotifyStatus\",\"params\":\(payload)}",
            "{\"method\":\"NotifyStatus\",\"params\":{\"em1:0\":\(payload)}}",
            "{\"src\":\(payload),\"method\":\"NotifyStatus\",\"params\":{\"em1:0\":{\"act_power\":\(payload)}}}",
        ] {
            village.receive("y/events/rpc", frame)
        }
        village.pass(seconds: 20)
        for reading in village.readings {
            #expect(reading.circuits.allSatisfy { $0.powerW?.isFinite ?? true })
            #expect(reading.circuits.allSatisfy { $0.totalEnergyKWh.map { $0 >= 0 } ?? true })
        }
    }

    @Test(
        "Numbers of channels beyond what a device has are no channels",
        arguments: ["-1", "8", "99999999999999999999", "a", "", "0/0", "+0"])
    func channels(_ number: String) throws {
        var village = try Village()
        village.receive("shellies/x/emeter/\(number)/power", "5")
        village.receive(
            "y/events/rpc", "{\"method\":\"NotifyStatus\",\"params\":{\"em1:\(number)\":{\"act_power\":5}}}")
        village.receive("y/status/em1:\(number)", "{\"act_power\":5}")
        village.pass(seconds: 5)
        #expect(village.readings.allSatisfy { $0.circuits.allSatisfy { $0.id.hasSuffix("0") } })
    }

    @Test("Answers that nobody asked for, and answers twice, are passed over")
    func answers() throws {
        let device = ShellyGen2("shellyproem50-1", .single, [.constant(5)], at: Village.noon)
        var village = try Village(["mains": "em1:0"], gen2: [device])
        for number in [0, -1, 1, 7, Int.max] {
            village.receive("smart-meter-test/rpc", "{\"id\":\(number),\"result\":{\"em1:0\":{\"act_power\":9000}}}")
        }
        village.receive(device.online(true), isRetained: true)
        village.receive("smart-meter-test/rpc", "{\"id\":1,\"result\":{\"id\":\"stranger\",\"name\":\"x\"}}")
        village.pass(seconds: 5)
        #expect(village.readings.last?.circuits.map(\.id) == ["shellyproem50-1/em1:0"])
        #expect(village.readings.last?.gridPowerW == 5)
    }

    @Test("Texts that are too long for a circuit are cut, and an id of such a length is not one")
    func longTexts() throws {
        let long = String(repeating: "ü", count: 5000)
        var village = try Village(["mains": "none"])
        village.isMute = true
        let prefix = "shellyproem50-" + String(repeating: "x", count: 280)
        for _ in 0..<15 {
            village.receive(
                "\(prefix)/events/rpc",
                "{\"src\":\"\(long)\",\"method\":\"NotifyStatus\",\"params\":{\"em1:0\":{\"act_power\":5}}}")
            village.pass(seconds: 1)
        }
        let circuit = try #require(village.readings.last?.circuits.first)
        #expect(circuit.id.utf8.count <= 255 && circuit.name.utf8.count <= 255)
    }
}
