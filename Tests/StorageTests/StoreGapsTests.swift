import Foundation
import Readings
import Testing

@testable import Analysis
@testable import Storage

/// What the store says of an instance's time, where raw slots are gone.
@Suite struct StoreGapsTests {
    private let noon = Instant(seconds: 1_780_315_200)

    private func withStore(_ body: (Store, Int) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "smart-meter-coverage-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (store, _) = try Store.open(in: try DataDirectory(locking: path))
        let instance = try store.number(of: InstanceIdentity(meterType: "mock"))
        try body(store, instance)
    }

    private func minute(_ minute: Int64) -> Instant { noon + minute * Duration.minute }

    /// Slots of five minutes that end then.
    private func commit(_ store: Store, _ instance: Int, endings minutes: [Int64]) throws {
        var plan = CommitPlan()
        plan.slots = minutes.map { end in
            var slot = Slot(
                instance: instance, start: minute(end - 5), end: minute(end), isHouse: true, totalIs: .grid)
            slot.totalPowerW = 100
            slot.coverage = 1
            return slot
        }
        try store.commit(plan)
    }

    private func settle(_ store: Store, all condition: String) throws {
        try store.database.run("UPDATE slot SET delivered = revision WHERE \(condition)")
    }

    /// The spans that nothing answers for.
    private func holes(_ rows: [Store.Coverage], from: Instant, to: Instant) -> [Range<Instant>] {
        var holes: [Range<Instant>] = []
        var place = from
        for row in rows {
            if row.start > place { holes.append(place..<row.start) }
            place = max(place, row.end)
        }
        if place < to { holes.append(place..<to) }
        return holes
    }

    @Test(arguments: [5, 10, 15, 20, 25, 30, 35] as [Int64])
    func `the border of what is gone leaves no hole, wherever in a quarter hour it lies`(border: Int64) throws {
        try withStore { store, instance in
            try commit(store, instance, endings: Array(stride(from: 5, through: 60, by: 5)))
            _ = try store.prune(delivered: minute(border), undelivered: noon, deliveryIsOn: false)
            for from in stride(from: 0, through: 30, by: 5) as StrideThrough<Int64> {
                let rows = try store.coverage(of: instance, from: minute(from), to: minute(60))
                #expect(holes(rows, from: minute(from), to: minute(60)).isEmpty, "from minute \(from)")
                #expect(rows.map(\.end) == rows.map(\.end).sorted())
                #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.end <= $1.start }, "nothing answers twice")
                // What has all its slots can still be filled.
                #expect(rows.filter(\.isClosed).allSatisfy { $0.start < minute(border) && $0.length == Bucket.length })
                #expect(rows.filter { !$0.isClosed }.allSatisfy { $0.start >= minute(border) })
            }
        }
    }

    @Test func `an old slot that waits, before newer ones that are gone, leaves no hole`() throws {
        try withStore { store, instance in
            try commit(store, instance, endings: Array(stride(from: 5, through: 120, by: 5)))
            try settle(store, all: "end > \(minute(20).nanoseconds)")
            _ = try store.prune(delivered: minute(70), undelivered: noon, deliveryIsOn: true)
            let rows = try store.coverage(of: instance, from: noon, to: minute(120))
            #expect(holes(rows, from: noon, to: minute(120)).isEmpty)
            #expect(rows.allSatisfy { $0.coverage == 1 })
        }
    }

    @Test func `a quarter hour that never was stays a hole behind the border`() throws {
        try withStore { store, instance in
            try commit(store, instance, endings: [5, 10, 15, 35, 40, 45, 50, 55, 60])
            _ = try store.prune(delivered: minute(40), undelivered: noon, deliveryIsOn: false)
            let rows = try store.coverage(of: instance, from: noon, to: minute(60))
            #expect(holes(rows, from: noon, to: minute(60)) == [minute(15)..<minute(30)])
        }
    }
}

extension Store.Coverage {
    fileprivate var length: Int64 { end - start }
}
