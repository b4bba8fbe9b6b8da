import AdapterKit
import TestSupport
import Testing

@testable import ShellyAdapter

@Suite("Shelly messages become whole readings")
struct ReadingTests {
    private static let em = ShellyGen1("shellyem-B1E6D2", [.constant(500), .constant(-200)], at: Village.noon)
    private static let em3 = ShellyGen1(
        "shellyem3-485519D7AAAA", [.constant(500), .constant(600), .constant(-100)], at: Village.noon)
    private static let pro = ShellyGen2(
        "shellyproem50-a0dd6c9f1234", .single, [.constant(501.8), .constant(40)], at: Village.noon)
    private static let pro3 = ShellyGen2(
        "shellypro3em-a0dd6c9f5678", .threePhase, [.constant(500), .constant(300), .constant(-100)], at: Village.noon)

    @Test("The topics of a Gen1 meter, one by one and milliseconds apart, are one reading")
    func assembly() throws {
        var village = try Village(["mains": "shellyem-B1E6D2/emeter/0"], gen1: [Self.em])
        village.pass(seconds: 10)
        let before = village.readings.count
        for message in village.gen1[0].state() {
            village.receive(message)
            village.pass(seconds: 0.02)
        }
        village.pass(seconds: 1)
        #expect(village.readings.count == before + 1)
        let reading = try #require(village.readings.last)
        #expect(reading.known == .grid)
        #expect(reading.gridPowerW == 500)
        #expect(reading.totalEnergy.importKWh == 544.587)
        #expect(reading.totalEnergy.exportKWh == 0)
        #expect(reading.circuits.map(\.id) == ["shellyem-B1E6D2/emeter/0", "shellyem-B1E6D2/emeter/1"])
        #expect(reading.circuits.map(\.kind) == [.grid, .load])
        #expect(reading.circuits[1].powerW == -200)
        #expect(reading.circuits[1].voltageV == 230.52)
        #expect(reading.circuits[1].powerFactor == -0.98)
        #expect(reading.circuits[1].currentA == nil)
    }

    @Test("A 3EM is the mains by itself: the sum of its phases, whose counters do not add up where one has returned")
    func threeEmeters() throws {
        var village = try Village(gen1: [Self.em3])
        village.pass(seconds: 5)
        let reading = try #require(village.readings.last)
        #expect(reading.known == .grid)
        #expect(reading.gridPowerW == 1000)
        #expect(reading.voltagesV == [230.52, 230.52, 230.52])
        #expect(reading.circuits.map(\.phase) == [1, 2, 3])
        #expect(reading.circuits.allSatisfy { $0.kind == .grid && $0.totalEnergyKWh != nil })
        #expect(abs((reading.totalEnergy.importKWh ?? 0) - 3 * 544.587) < 1e-9)
        village.gen1[0].advance(to: Village.noon + 60)
        village.receive(village.gen1[0].state())
        village.pass(seconds: 2)
        #expect(village.readings.last?.totalEnergy.importKWh == nil)
        #expect(village.readings.last?.gridPowerW == 1000)
        #expect(village.household.rememberedMains == "shellyem3-485519D7AAAA")
    }

    @Test("Partial notifications are laid over what is known; null removes")
    func partial() throws {
        var device = Self.pro
        device.name = "Cellar"
        device.channelNames = [0: "Heat pump"]
        var village = try Village(["mains": "none"], gen2: [device])
        village.receive(device.online(true), isRetained: true)
        village.pass(seconds: 5)
        let first = try #require(village.readings.last)
        #expect(first.circuits.map(\.name) == ["Heat pump", "Cellar em1:1"])
        #expect(first.circuits.map(\.kind) == [.heating, .load])
        #expect(first.circuits[0].powerW == 501.8)
        #expect(first.circuits[0].totalEnergyKWh == 12.345)
        let events = "shellyproem50-a0dd6c9f1234/events/rpc"
        func notify(_ parts: String) -> String {
            "{\"src\":\"shellyproem50-a0dd6c9f1234\",\"dst\":\"x/events\",\"method\":\"NotifyStatus\","
                + "\"params\":{\"ts\":1795425000.12,\(parts)}}"
        }
        village.receive(events, notify("\"em1:0\":{\"id\":0,\"act_power\":320.5}"))
        village.pass(seconds: 2)
        let second = try #require(village.readings.last)
        #expect(second.circuits[0].powerW == 320.5)
        #expect(second.circuits[0].voltageV == 230.1)
        #expect(second.circuits[1].powerW == 40)
        village.receive(events, notify("\"em1:0\":{\"id\":0,\"act_power\":null,\"errors\":[\"power_meter_failure\"]}"))
        village.pass(seconds: 2)
        let third = try #require(village.readings.last)
        #expect(third.circuits[0].powerW == nil)
        #expect(third.circuits[0].voltageV == 230.1)
        #expect(third.circuits[0].totalEnergyKWh == 12.345)
    }

    @Test("A whole status of a component is taken as the whole: what is not in it is not measured")
    func statusTopics() throws {
        var village = try Village(["mains": "none"], gen2: [Self.pro])
        village.receive(Self.pro.online(true), isRetained: true)
        village.pass(seconds: 5)
        village.receive("shellyproem50-a0dd6c9f1234/status/em1:1", "{\"id\":1,\"act_power\":77.5}")
        village.pass(seconds: 2)
        let circuit = try #require(village.readings.last?.circuits.last)
        #expect(circuit.powerW == 77.5)
        #expect(circuit.voltageV == nil)
        #expect(circuit.totalEnergyKWh == 12.345)
    }

    @Test("Three phases of a Pro 3EM are the mains, with their legs as circuits, from notifications or status topics")
    func threePhases() throws {
        for isByStatus in [false, true] {
            var device = Self.pro3
            var village = try Village()
            village.gen2 = [device]
            if isByStatus {
                village.receive(device.statusMessages())
            } else if let message = device.powerNotification() {
                village.receive(message)
            }
            village.pass(seconds: 5)
            let reading = try #require(village.readings.last)
            #expect(reading.known == .grid)
            #expect(reading.gridPowerW == 700)
            #expect(reading.frequencyHz == 50)
            #expect(reading.voltagesV == [229.9, 230.9, 231.9])
            #expect(reading.circuits.map(\.id) == ["a", "b", "c"].map { "shellypro3em-a0dd6c9f5678/em:0/\($0)" })
            #expect(reading.circuits.map(\.powerW) == [500, 300, -100])
            #expect(reading.totalEnergy.importKWh == 3 * 12.345)
        }
    }

    @Test("A three-phase meter that is not the mains is a circuit with its phases below")
    func threePhaseLoad() throws {
        var device = Self.pro3
        device.channelNames = [0: "Heat pump"]
        var village = try Village(["mains": "emeter/0"], gen1: [Self.em], gen2: [device])
        village.receive(device.online(true), isRetained: true)
        village.pass(seconds: 5)
        let circuits = try #require(village.readings.last?.circuits)
        #expect(circuits.map(\.name).suffix(4) == ["Heat pump", "Heat pump L1", "Heat pump L2", "Heat pump L3"])
        #expect(Set(circuits.suffix(3).map(\.parentID)) == ["shellypro3em-a0dd6c9f5678/em:0"])
        #expect(circuits.suffix(4).allSatisfy { $0.kind == .heating })
        #expect(village.readings.last?.gridPowerW == 500)
    }

    @Test(
        "A roof's clamp may be either way round: its counters tell, and the setting if it says so",
        arguments: [("em1:1", -2000.0, 2000.0), ("em1:1", 1500, 1500), ("+em1:1", -2000, -2000), ("-em1:1", -5, 5)])
    func solar(_ setting: String, _ watts: Double, _ expected: Double) throws {
        var device = ShellyGen2(
            "shellyproem50-1", .single, [.constant(400), .constant(watts)], totalWh: 0, at: Village.noon - 3600)
        device.advance(to: Village.noon)
        var village = try Village(["mains": "em1:0", "solar": setting], gen2: [device])
        village.receive(device.online(true), isRetained: true)
        village.pass(seconds: 5)
        let reading = try #require(village.readings.last)
        #expect(reading.known == [.grid, .solar])
        #expect(reading.solarPowerW == expected)
        #expect(reading.totalEnergy.productionKWh == max(0, expected / 1000))
        #expect(reading.circuits.last?.kind == .solar)
        #expect(reading.circuits.last?.powerW == expected)
    }
}
