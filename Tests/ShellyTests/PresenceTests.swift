import AdapterKit
import TestSupport
import Testing

@testable import ShellyAdapter

@Suite("What Shelly meters do not say is not made up")
struct PresenceTests {
    private static let em = ShellyGen1("shellyem-1", [.constant(500), .constant(80)], at: Village.noon)
    private static let pro = ShellyGen2("shellyproem50-1", .single, [.constant(2000)], at: Village.noon)

    private static func village(_ settings: [String: String] = ["mains": "emeter/0"]) throws -> Village {
        var village = try Village(settings, gen1: [em], gen2: [pro])
        village.receive(pro.online(true), isRetained: true)
        village.pass(seconds: 5)
        return village
    }

    @Test("What the broker has kept since yesterday is no measurement of now")
    func retained() throws {
        var village = try Village(["mains": "emeter/0"])
        var device = Self.em
        for message in device.state() { village.receive(message, isRetained: true) }
        village.pass(seconds: 10)
        #expect(village.readings.isEmpty)
        #expect(village.household.meters.isEmpty)
    }

    @Test("A counter of -1 after a restart is not measured, and watt minutes are no counter")
    func reboot() throws {
        var village = try Self.village()
        village.gen1[0].advance(to: Village.noon + 5)
        village.gen1[0].reboot(at: Village.noon + 5)
        village.receive(village.gen1[0].state())
        village.pass(seconds: 2)
        let waking = try #require(village.readings.last)
        #expect(waking.gridPowerW == 500)
        #expect(waking.totalEnergy.importKWh == nil)
        #expect(waking.circuits[0].totalEnergyKWh == nil)
        village.receive(village.gen1[0].state())
        village.pass(seconds: 2)
        #expect(village.readings.last?.totalEnergy.importKWh == 544.587)
    }

    @Test("A channel without a clamp is not measured, not 0")
    func noClamp() throws {
        var device = ShellyGen2("shellyproem50-2", .single, [.constant(700), .constant(0)], at: Village.noon)
        device.unmeasured = [1]
        var village = try Village(["mains": "em1:0"], gen2: [device])
        village.receive(device.online(true), isRetained: true)
        village.pass(seconds: 5)
        let circuits = try #require(village.readings.last?.circuits)
        #expect(circuits[0].powerW == 700)
        #expect(circuits[1].powerW == nil)
        #expect(circuits[1].voltageV == nil)
    }

    @Test("A device that goes offline is left out at once, is said to be offline, and comes back")
    func offline() throws {
        var village = try Self.village()
        #expect(village.readings.last?.circuits.count == 3)
        village.receive(Self.em.online(false))
        village.pass(seconds: 2)
        let reading = try #require(village.readings.last)
        #expect(reading.known == .grid)
        #expect(reading.gridPowerW == nil)
        #expect(reading.circuits.map(\.id) == ["shellyproem50-1/em1:0"])
        let complaint = try #require(village.household.complaint(at: village.now))
        #expect(complaint.code == .unreachable)
        #expect(complaint.message == "shellyem-1 is offline")
        village.receive(village.gen1[0].state())
        village.pass(seconds: 2)
        #expect(village.readings.last?.gridPowerW == 500)
        #expect(village.household.complaint(at: village.now) == nil)
        #expect(village.news.contains("shellyem-1 is online again"))
    }

    @Test("A Gen2 device that was offline when we came is said to be, and asked once it is back")
    func offlineAtFirst() throws {
        var village = try Village(["devices": "shellyproem50-1", "mains": "em1:0"], gen2: [Self.pro])
        village.isMute = true
        village.disconnect()
        village.connect()
        village.receive(Self.pro.online(false), isRetained: true)
        village.pass(seconds: 5)
        #expect(village.readings.isEmpty)
        #expect(village.household.complaint(at: village.now)?.code == .unreachable)
        village.isMute = false
        village.receive(Self.pro.online(true))
        village.pass(seconds: 3)
        #expect(village.readings.last?.gridPowerW == 2000)
        #expect(village.household.complaint(at: village.now) == nil)
    }

    @Test("A device that is silent for longer than its firmware ever is, is left out and named")
    func silent() throws {
        var village = try Self.village()
        for _ in 0..<20 {
            village.pass(seconds: 10)
            village.receive(village.gen1[0].state())
        }
        let reading = try #require(village.readings.last)
        #expect(reading.gridPowerW == 500)
        #expect(reading.circuits.map(\.id) == ["shellyem-1/emeter/0", "shellyem-1/emeter/1"])
        #expect(village.household.complaint(at: village.now)?.message == "shellyproem50-1 has not been heard of")
    }

    @Test("After a lost connection nothing is known until it is heard anew")
    func reconnection() throws {
        var village = try Self.village()
        village.disconnect()
        village.isMute = true
        village.connect()
        let before = village.readings.count
        village.pass(seconds: 10)
        #expect(village.readings.count == before)
        village.receive(village.gen1[0].state())
        village.pass(seconds: 4)
        #expect(village.readings.last?.circuits.map(\.powerW) == [500, 80])
    }

    @Test("Nobody there, and named devices that never speak, are said after a minute")
    func nobody() throws {
        var village = try Village()
        village.pass(seconds: 30)
        #expect(village.household.complaint(at: village.now) == nil)
        village.pass(seconds: 31)
        #expect(village.household.complaint(at: village.now)?.message.contains("no Shelly energy meter") == true)
        village = try Village(["devices": "shellyem-1,house/attic"], gen1: [Self.em])
        village.pass(seconds: 61)
        let message = village.household.complaint(at: village.now)?.message ?? ""
        #expect(message.hasPrefix("house/attic has not been heard of"), "\(message)")
    }

    @Test("A device that answers no question is taken as its notifications show it")
    func mute() throws {
        var device = Self.pro
        var village = try Village(["mains": "em1:0"])
        village.isMute = true
        village.gen2 = [device]
        for second in 1..<30 {
            device.advance(to: Village.noon + second)
            if let message = device.powerNotification(isWhole: true) { village.receive(message) }
            village.pass(seconds: 1)
        }
        #expect(village.readings.last?.gridPowerW == 2000)
        #expect(village.readings.last?.circuits.map(\.name) == ["shellyproem50-1 em1:0"])
    }
}
