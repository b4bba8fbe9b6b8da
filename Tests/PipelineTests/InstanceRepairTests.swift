import Foundation
import Readings
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Storage

/// What repaired slots add reaches those behind them.
@Suite struct InstanceRepairTests {
    private static let interval = 300 * Duration.second
    private let start = Instant(seconds: 1_780_272_000)

    private func shift(_ slot: Int64, _ imported: Millijoules) -> EnergyShift {
        var shift = EnergyShift(end: start + slot * Self.interval)
        shift.flows.imported = imported
        shift.day = imported
        return shift
    }

    private func repair(_ instance: Int, _ state: [String: [UInt8]]) -> InstanceRepair {
        InstanceRepair(
            number: instance, limits: HistoryLimits(step: Duration.minute, reach: 0, backfill: 0),
            interval: Self.interval, state: state)
    }

    @Test func `slots get their part page by page, across restarts, as if they had got it at once`() throws {
        let path = "/dev/shm/smart-meter-shift-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (store, _) = try Store.open(in: try DataDirectory(locking: path))
        let instance = try store.number(of: InstanceIdentity(meterType: "test"))
        // Eleven days and a half.
        let slots = (1...3300).map { index in
            let end = start + Int64(index) * Self.interval
            var slot = Slot(instance: instance, start: end - Self.interval, end: end, isHouse: true, totalIs: .grid)
            slot.lifetime.imported = Millijoules(index) * 1000
            slot.dayEnergy = Millijoules(index % 288) * 1000
            if index % 288 == 0 { slot.closingDayEnergy = 288_000 }
            slot.coverage = 1
            return slot
        }
        let shifts = [shift(3, 7), shift(280, 50), shift(288, 11), shift(1000, 100), shift(1001, 3), shift(3299, 1)]
        var plan = CommitPlan()
        plan.slots = slots
        plan.states = [
            StateRecord(instance: instance, key: InstanceRepair.shiftKey, value: EnergyShift.encode(shifts))
        ]
        try store.commit(plan)

        var whole = ShiftedSlots(shifts, zone: .utc)
        let expected = slots.map { whole.take($0) ?? $0 }
        let final = start + 3300 * Self.interval
        var pages = 0
        while true {
            var repair = repair(instance, try store.state(of: instance))
            let isDue = repair.isShiftDue(isDone: true)
            #expect(isDue)
            var plan = CommitPlan()
            let total = try repair.shift(final: final, zone: .utc, plan: &plan, store: store)
            #expect(plan.slots.count <= InstanceRepair.page)
            try store.commit(plan)
            pages += 1
            try #require(pages < 10)
            guard let total else { continue }
            let sum = whole.total(at: final).sum
            #expect(total.sum.flows == sum.flows && total.ofDay == 1)
            break
        }
        #expect(pages == 4)
        #expect(try store.slots(of: instance, from: start, to: final) == expected)
        #expect(try store.database.number("SELECT max(revision) FROM slot") == 2)
        #expect(try store.state(of: instance)[InstanceRepair.shiftKey] == nil)
    }
}
