import Foundation
import Readings
import Synchronization
import Testing

@testable import Analysis
@testable import Observability
@testable import Pipeline
@testable import Storage

@Suite struct NightWatchTests {
    /// 2026-06-01T00:00:00Z.
    private let midnight = Instant(seconds: 1_780_272_000)
    private let identities = [CircuitIdentity(id: "f", name: "Freezer"), CircuitIdentity(id: "s", name: "Server")]

    private func at(_ hours: Double) -> Instant { midnight + Int64(hours * 3600e9) }

    /// Stores a night of five-minute slots between 03:00 and 04:00 of a day, and judges it at 04:10.
    private struct House {
        let store: Store
        let instance: Int
        let options: PipelineOptions
        var watch: NightWatch
        var plan = CommitPlan()
    }

    private func withHouse(_ zone: Zone = .utc, _ body: (inout House) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "smart-meter-night-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(locking: path)
        let (store, _) = try Store.open(in: directory)
        let identity = InstanceIdentity(meterType: "test")
        let instance = try store.number(of: identity)
        var plan = CommitPlan()
        plan.circuits = identities.enumerated().map { index, identity in
            CircuitRecord(
                instance: instance, number: Int32(index), identity: identity, shownName: identity.name)
        }
        try store.commit(plan)
        let options = PipelineOptions(
            directory: directory, zone: zone, deliveryIsOn: false, history: Duration.day, undelivered: Duration.day,
            high: HighConsumption.Rules(thresholdW: 10_000, hold: 0, clear: 0), phantomThresholdW: 200,
            phantomExclude: [], log: try Log(level: .error))
        let watch = NightWatch(
            number: instance,
            registration: InstanceRegistration(
                identity: identity, sampling: 30 * Duration.second, interval: 300 * Duration.second,
                late: Duration.minute, isHouse: true, maximumPowerW: 100_000))
        var house = House(store: store, instance: instance, options: options, watch: watch)
        try body(&house)
    }

    private func sleep(_ house: inout House, day: Int, powerW: Double?) throws {
        try sleep(&house, from: midnight + Int64(day) * Duration.day + 3 * Duration.hour, powerW: powerW)
    }

    /// An hour.
    private func sleep(_ house: inout House, from hour: Instant, powerW: Double?) throws {
        var plan = CommitPlan()
        plan.slots = (0..<12).map { index in
            let start = hour + Int64(index) * 300 * Duration.second
            var slot = Slot(
                instance: house.instance, start: start, end: start + 300 * Duration.second, isHouse: true,
                totalIs: .consumption)
            slot.powers.consumptionW = powerW
            slot.coverage = powerW == nil ? 0 : 1
            var freezer = CircuitSlot(circuit: 0, kind: .load)
            freezer.powerW = 60
            var server = CircuitSlot(circuit: 1, kind: .load)
            server.powerW = 140
            slot.circuits = [freezer, server]
            return slot
        }
        try house.store.commit(plan)
    }

    private func judge(_ house: inout House, at instant: Instant) -> Bool {
        let names = CircuitNames(owners: ["Freezer": 0, "Server": 1], shown: ["Freezer", "Server"])
        let judged = house.watch.judge(
            now: instant, known: [.consumption], names: names, identities: identities, plan: &house.plan,
            store: house.store, options: house.options)
        return judged
    }

    private func commit(_ house: inout House) throws {
        try house.store.commit(house.plan)
        house.plan = CommitPlan()
    }

    @Test func `a night is judged once, after its hour, and names the circuits behind it`() throws {
        try withHouse { house in
            try sleep(&house, day: 0, powerW: 260)
            #expect(!judge(&house, at: at(3.5)))
            #expect(house.watch.next == at(4) + 90 * Duration.second)
            #expect(judge(&house, at: at(4.1)))
            let night = try #require(house.plan.nights.first)
            #expect(night.date == "2026-06-01")
            #expect(night.night.powerW == 260)
            let alert = try #require(house.plan.alerts.first)
            #expect(alert.kind == "phantom_load" && alert.ended == nil && alert.peakW == 260)
            #expect(alert.start == at(3))
            #expect(alert.detail.contains("Server 140.0 W, Freezer 60.0 W"))
            #expect(alert.detail.contains("2279.0 kWh a year"))
            try commit(&house)
            #expect(!judge(&house, at: at(5)))
            // After a restart the night is known.
            house.watch = NightWatch(
                number: house.instance,
                registration: InstanceRegistration(
                    identity: InstanceIdentity(meterType: "test"), sampling: 1, interval: 300 * Duration.second,
                    late: Duration.minute, isHouse: true, maximumPowerW: 100_000))
            #expect(!judge(&house, at: at(6)))
        }
    }

    @Test func `a night before the first reading is none`() throws {
        try withHouse { house in
            #expect(!judge(&house, at: at(4.2)))
            #expect(house.plan.nights.isEmpty)
            // From the next on it is one, measured or not.
            try sleep(&house, from: at(10), powerW: 100)
            #expect(judge(&house, at: at(28.2)))
            #expect(house.plan.nights.map(\.date) == ["2026-06-02"])
        }
    }

    @Test func `an episode lasts from the first high night to the first valid one under the threshold`() throws {
        try withHouse { house in
            try sleep(&house, day: 0, powerW: 260)
            try sleep(&house, day: 1, powerW: 300)
            try sleep(&house, day: 2, powerW: nil)
            try sleep(&house, day: 3, powerW: 150)
            for day in 0..<4 {
                #expect(judge(&house, at: at(Double(day) * 24 + 4.1)))
                try commit(&house)
                let open = try house.store.openAlerts(of: house.instance)
                #expect(open.count == (day < 3 ? 1 : 0), "day \(day)")
                if day == 1 { #expect(open.first?.peakW == 300) }
            }
        }
    }

    @Test func `a night without 03:00 is that of the hour after, and a doubled one is of both`() throws {
        let helsinki = try Zone(named: "Europe/Helsinki")
        // 2026-03-29: 03:00 is 04:00; the hour from 01:00 UTC is that from 04:00.
        try withHouse(helsinki) { house in
            let start = Instant(seconds: 1_774_746_000)
            try sleep(&house, from: start - Duration.hour, powerW: 900)
            try sleep(&house, from: start, powerW: 260)
            #expect(judge(&house, at: start + Duration.hour + 2 * Duration.minute))
            let night = try #require(house.plan.nights.first)
            #expect(night.date == "2026-03-29" && night.night.powerW == 260 && night.night.coverage == 1)
        }
        // 2026-10-25: 03:00 comes at 00:00 and at 01:00 UTC.
        try withHouse(helsinki) { house in
            let start = Instant(seconds: 1_792_886_400)
            try sleep(&house, from: start, powerW: 300)
            #expect(!judge(&house, at: start + Duration.hour + 2 * Duration.minute), "the second one is to come")
            try sleep(&house, from: start + Duration.hour, powerW: nil)
            #expect(judge(&house, at: start + 2 * Duration.hour + 2 * Duration.minute))
            let night = try #require(house.plan.nights.first)
            #expect(night.date == "2026-10-25" && night.night.powerW == 300 && night.night.coverage == 0.5)
        }
    }
}
