import AdapterKit
import Analysis
import Readings
import TestSupport
import Testing

@testable import ShellyAdapter

@Suite("An hour of simulated meters is the energy that flowed")
struct TruthTests {
    /// The load repeats every 400 s: a counter that is told once a minute is as late at the end as at the beginning.
    private static let begin = Village.noon + 600
    private static let end = begin + 3600
    private static let load = ShellyLoad.switching(300, 1800, on: 70, period: 400)

    @Test(
        "Across a reboot and a broker that is away for ten minutes, to half a percent",
        arguments: ["Gen1", "Gen2", "Gen2 with status_ntf"])
    func hour(_ kind: String) throws {
        var village = try Village(
            ["mains": kind == "Gen1" ? "shellyem-1/emeter/0" : "shellyproem50-1/em1:0"],
            gen1: kind == "Gen1" ? [ShellyGen1("shellyem-1", [Self.load, .constant(0)], at: Village.noon)] : [],
            gen2: kind == "Gen1" ? [] : [ShellyGen2("shellyproem50-1", .single, [Self.load], at: Village.noon)])
        for second in -600..<3600 {
            village.pass(seconds: 1)
            if second == 1200 { village.disconnect() }
            if second == 1800 { village.connect() }
            let isAway = (1200..<1800).contains(second)
            try live(&village, second, isAway: isAway, byStatus: kind.hasSuffix("status_ntf"))
        }
        let truth = Self.load.energy(from: Self.begin, to: Self.end).forwardWh
        let slots = fold(village.readings)
        let counted = slots.compactMap(\.energy.imported).reduce(0, +)
        let watts = Double(counted) / 3.6e6
        #expect(abs(watts - truth) < 0.005 * truth, "\(watts) Wh, and it was \(truth) Wh")
        // By power alone, where the broker was there.
        for (number, slot) in slots.enumerated() where !(3...6).contains(number) {
            let real = Self.load.energy(from: Self.begin + 300 * number, to: Self.begin + 300 * (number + 1)).forwardWh
            let mean = try #require(slot.powers.gridW)
            #expect(abs(mean / 12 - real) < 0.06 * real, "slot \(number): \(mean / 12) Wh, and it was \(real) Wh")
        }
    }

    /// What the device says in this second.
    private func live(_ village: inout Village, _ second: Int, isAway: Bool, byStatus: Bool) throws {
        let now = Self.begin + second + 1
        func send(_ messages: [MQTTMessage]) {
            if !isAway { village.receive(messages) }
        }
        if !village.gen1.isEmpty {
            let before = village.gen1[0].emeters[0].load.watts(now - 1)
            village.gen1[0].advance(to: now)
            if second == 2500 {
                village.gen1[0].reboot(at: now)
                send(village.gen1[0].state())
            }
            let isChanged = before != village.gen1[0].emeters[0].load.watts(now)
            if isChanged || second % 30 == 0 { send(village.gen1[0].state()) }
            return
        }
        village.gen2[0].advance(to: now)
        if second == 2500 {
            village.gen2[0].sleep(until: now + 5)
        }
        if byStatus {
            if second % 10 == 0 || village.gen2[0].powerNotification() != nil { send(village.gen2[0].statusMessages()) }
            return
        }
        if let message = village.gen2[0].powerNotification(isWhole: second % 15 == 0) { send([message]) }
        if now % 60 == 2 { send([village.gen2[0].energyNotification()]) }
    }

    /// Into slots of five minutes, by the host's own rules.
    private func fold(_ readings: [Reading]) -> [Slot] {
        let emissions = readings.map { reading -> Emission in
            var counters = Flows<Millijoules?>(repeating: nil)
            counters.imported = reading.totalEnergy.importKWh.flatMap { Energy.millijoules(kWh: $0) }
            counters.exported = reading.totalEnergy.exportKWh.flatMap { Energy.millijoules(kWh: $0) }
            return Emission(
                instance: 0, timestamp: Instant(nanoseconds: reading.timestamp ?? 0), sampling: 60 * Duration.second,
                known: .grid, powers: Powers(gridW: reading.gridPowerW), counters: counters)
        }
        let rules = FoldRules(instance: 0, maximumPowerW: 100_000, isHouse: true)
        var carry = Carry(at: Instant(seconds: Int64(Village.noon)))
        let midnight = Instant(seconds: Int64(Village.noon - 43_200))
        return (-2..<12).compactMap { number in
            let previous = emissions.last { $0.timestamp <= carry.at }
            let after = emissions.firstIndex { $0.timestamp > carry.at } ?? emissions.endIndex
            let result = Fold.slot(
                after: carry, previous: previous, emissions: emissions[after...],
                end: carry.at + 300 * Duration.second, dayStart: midnight, nextDayStart: midnight + Duration.day,
                rules: rules)
            carry = result.carry
            return number < 0 ? nil : result.slot
        }
    }
}
