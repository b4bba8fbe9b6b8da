import Analysis
import Foundation
import Readings
import TestSupport
import Testing

@testable import Storage

@Suite struct BucketTests {
    private let noon = Instant(seconds: 1_780_315_200)

    private func withStore(_ body: (Store, Int, DataDirectory) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "smart-meter-buckets-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(locking: path)
        let (store, _) = try Store.open(in: directory)
        let instance = try store.number(of: InstanceIdentity(meterType: "mock"))
        var plan = CommitPlan()
        plan.circuits = [
            CircuitRecord(
                instance: instance, number: 0, identity: CircuitIdentity(id: "a", name: "A"), shownName: "A")
        ]
        try store.commit(plan)
        try body(store, instance, directory)
    }

    private func slot(_ instance: Int, minute: Int64, watts: Double, imported: Int64) -> Slot {
        let end = noon + minute * Duration.minute
        var slot = Slot(
            instance: instance, start: end - 5 * Duration.minute, end: end, isHouse: true, totalIs: .grid)
        slot.totalPowerW = watts
        slot.minimumPowerW = watts - 10
        slot.maximumPowerW = watts + 10
        slot.coverage = 1
        slot.energy.imported = imported
        var circuit = CircuitSlot(circuit: 0, kind: .load)
        circuit.powerW = watts / 2
        circuit.minimumPowerW = watts / 2
        circuit.maximumPowerW = watts / 2
        circuit.energy = imported / 2
        circuit.coverage = 1
        slot.circuits = [circuit]
        return slot
    }

    private func commit(_ store: Store, _ slots: [Slot]) throws {
        var plan = CommitPlan()
        plan.slots = slots
        try store.commit(plan)
    }

    @Test func `a bucket is the sum of its slots, and follows their corrections`() throws {
        try withStore { store, instance, directory in
            let light = Slot(instance: instance, start: noon + 1, end: noon + 1, isHouse: true, totalIs: .grid)
            try commit(store, [light, slot(instance, minute: 5, watts: 100, imported: 1000)])
            try commit(
                store,
                [
                    slot(instance, minute: 10, watts: 200, imported: 2000),
                    slot(instance, minute: 15, watts: 300, imported: 3001),
                    slot(instance, minute: 20, watts: 50, imported: 7),
                ])
            let sums = "SELECT sum(imported_mj) FROM bucket"
            #expect(try store.database.number("SELECT count(*) FROM bucket") == 2)
            #expect(try store.database.number("SELECT imported_mj FROM bucket ORDER BY start LIMIT 1") == 6001)
            #expect(try store.database.number(sums) == 6008)
            let first = "FROM bucket WHERE start = \(noon.nanoseconds)"
            #expect(
                try store.database.number("SELECT mean_w = 200 AND minimum_w = 90 AND maximum_w = 310 \(first)") == 1)
            #expect(try store.database.number("SELECT covered_s = 900 AND exported_mj IS NULL \(first)") == 1)
            var circuits: [BucketCircuit] = []
            let isAll = try Reader(directory: directory).forEachBucket(
                of: instance, from: noon, to: noon + Duration.hour, takesCircuits: true
            ) {
                circuits += $0.circuits
                return true
            }
            #expect(isAll)
            // Half of 6001 and of 7, each slot's rounded down.
            #expect(circuits.map(\.energy) == [3000, 3])
            #expect(circuits.first?.powerW == 100 && circuits.first?.coveredSeconds == 900)

            try commit(store, [slot(instance, minute: 10, watts: 200, imported: 2500)])
            #expect(try store.database.number(sums) == 6508)
        }
    }

    @Test func `a bucket outlives its slots and is left alone from then on`() throws {
        try withStore { store, instance, _ in
            try commit(store, (1...6).map { slot(instance, minute: $0 * 5, watts: 100, imported: 1000) })
            let pruned = try store.prune(
                delivered: noon + 10 * Duration.minute, undelivered: noon, deliveryIsOn: false)
            #expect(pruned.delivered == 2)
            try commit(store, [slot(instance, minute: 15, watts: 100, imported: 9999)])
            #expect(try store.database.number("SELECT imported_mj FROM bucket ORDER BY start LIMIT 1") == 3000)
            // The next one has all its slots, and still follows.
            try commit(store, [slot(instance, minute: 30, watts: 100, imported: 4000)])
            #expect(try store.database.number("SELECT max(imported_mj) FROM bucket") == 6000)
        }
    }

    @Test func `slots of another length take the place of those that lie across their time, first light stays`() throws
    {
        try withStore { store, instance, directory in
            func slot(_ from: Int64, _ to: Int64, imported: Int64) -> Slot {
                var slot = self.slot(instance, minute: to, watts: 100, imported: imported)
                slot.start = noon + from * Duration.minute
                return slot
            }
            func ends() throws -> [Int64] {
                try store.slots(of: instance, from: noon, to: noon + Duration.hour).map {
                    ($0.end - noon) / Duration.minute
                }
            }
            let light = Slot(instance: instance, start: noon + 1, end: noon + 1, isHouse: true, totalIs: .grid)
            let bucket = "SELECT imported_mj FROM bucket WHERE start = \(noon.nanoseconds)"
            try commit(store, [light] + (0..<5).map { slot($0, $0 + 1, imported: 100) } + [slot(5, 10, imported: 500)])
            #expect(try ends() == [0, 1, 2, 3, 4, 5, 10])
            // Longer than what is there: one that ends with it, and one that ends behind it.
            try commit(store, [slot(2, 5, imported: 310)])
            #expect(try ends() == [0, 1, 2, 5, 10])
            #expect(try store.database.number(bucket) == 1010)
            try commit(store, [slot(5, 15, imported: 900)])
            #expect(try ends() == [0, 1, 2, 5, 15])
            #expect(try store.database.number(bucket) == 1410)
            // Shorter: what lay across them is gone until the rest has come.
            try commit(store, [slot(5, 6, imported: 90)])
            #expect(try ends() == [0, 1, 2, 5, 6])
            #expect(try store.database.number(bucket) == 600)
            #expect(try Reader(directory: directory).findings().isEmpty)
        }
    }

    @Test func `a store in which two slots tell of the same time is not sound`() throws {
        try withStore { store, instance, directory in
            try commit(
                store,
                [slot(instance, minute: 5, watts: 1, imported: 1), slot(instance, minute: 10, watts: 1, imported: 1)])
            #expect(try Reader(directory: directory).findings().isEmpty)
            try store.database.run(
                "UPDATE slot SET start = start - 1 WHERE end = \((noon + 10 * Duration.minute).nanoseconds)")
            #expect(
                try Reader(directory: directory).findings() == ["1 slots begin before the end of the one before"])
        }
    }

    @Test func `a repair behind a new tariff leaves the old quarter hours without prices, after a restart too`() throws
    {
        let path = NSTemporaryDirectory() + "smart-meter-tariff-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(locking: path)
        func open() throws -> (Store, Int) {
            let store = try Store.open(in: directory).store
            return (store, try store.number(of: InstanceIdentity(meterType: "mock")))
        }
        func slot(_ instance: Int, _ minute: Int64, _ imported: Int64) -> Slot {
            var slot = self.slot(instance, minute: minute, watts: 100, imported: imported)
            slot.circuits = []
            return slot
        }
        do {
            let (store, instance) = try open()
            try commit(store, [5, 20, 25, 30].map { slot(instance, $0, 1000) })
        }
        let (store, instance) = try open()
        store.prices = PriceList(tariff: Tariff(perKWh: 0.25, exportPerKWh: 0.1, fixedPerDay: 0.5), zone: .utc)
        try commit(store, [slot(instance, 50, 1000)])
        // Missing slots, all the later counters moved, and a quarter hour that never was.
        try commit(store, [slot(instance, 10, 1000), slot(instance, 15, 1000), slot(instance, 20, 1500)])
        try commit(store, [slot(instance, -10, 1000)])
        let priced = try store.database.number("SELECT count(*) FROM bucket WHERE import_price IS NOT NULL")
        #expect(priced == 1)
        #expect(try store.database.number("SELECT count(*) FROM bucket") == 4)
    }

    @Test func `a bucket keeps the prices that it began with`() throws {
        try withStore { store, instance, _ in
            func tariff(_ perKWh: Double) -> PriceList {
                PriceList(tariff: Tariff(perKWh: perKWh, exportPerKWh: 0.1, fixedPerDay: 0.5), zone: .utc)
            }
            func price(_ start: Instant) throws -> Int64? {
                try store.database.number(
                    "SELECT import_price * 100 FROM bucket WHERE start = \(start.nanoseconds)")
            }
            try commit(store, [slot(instance, minute: 5, watts: 100, imported: 1000)])
            #expect(try store.database.number("SELECT import_price IS NULL FROM bucket") == 1)
            store.prices = tariff(0.25)
            try commit(store, [slot(instance, minute: 20, watts: 100, imported: 1000)])
            store.prices = tariff(0.5)
            // One more slot, and a correction: neither changes what holds.
            try commit(store, [slot(instance, minute: 25, watts: 100, imported: 1000)])
            try commit(store, [slot(instance, minute: 20, watts: 200, imported: 3000)])
            #expect(try price(noon + 15 * Duration.minute) == 25)
            try commit(store, [slot(instance, minute: 35, watts: 100, imported: 1000)])
            #expect(try price(noon + 30 * Duration.minute) == 50)
            // What was begun without a tariff stays without, whether it goes on, is corrected or is repaired.
            try commit(store, [slot(instance, minute: 10, watts: 100, imported: 1000)])
            try commit(store, [slot(instance, minute: 5, watts: 100, imported: 1200)])
            let unpriced = "SELECT import_price IS NULL FROM bucket WHERE start = "
            #expect(try store.database.number(unpriced + "\(noon.nanoseconds)") == 1)
            // So does what is filled before it.
            try commit(store, [slot(instance, minute: -25, watts: 100, imported: 1000)])
            #expect(try store.database.number(unpriced + "\((noon - 30 * Duration.minute).nanoseconds)") == 1)

            var other = slot(instance, minute: 50, watts: 100, imported: 1000)
            other.isHouse = false
            try commit(store, [other])
            #expect(try store.database.number("SELECT import_price IS NULL FROM bucket ORDER BY start DESC") == 1)
            // What is filled behind all that has none gets one.
            try commit(store, [slot(instance, minute: 80, watts: 100, imported: 1000)])
            try commit(store, [slot(instance, minute: 65, watts: 100, imported: 1000)])
            #expect(try price(noon + 60 * Duration.minute) == 50)
        }
    }
}
