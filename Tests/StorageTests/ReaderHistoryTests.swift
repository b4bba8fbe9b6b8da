import Analysis
import Foundation
import Platform
import Readings
import TestSupport
import Testing

@testable import Storage

@Suite struct ReaderHistoryTests {
    private let noon = Instant(seconds: 1_780_315_200)
    private let folder: TemporaryDirectory
    private let store: Store
    private let instance: Int
    private let reader: Reader

    init() throws {
        folder = try TemporaryDirectory("history")
        let directory = try DataDirectory(locking: folder.path)
        store = try Store.open(in: directory).store
        instance = try store.number(of: InstanceIdentity(meterType: "mock", label: "attic"))
        var plan = CommitPlan()
        plan.circuits = [
            CircuitRecord(
                instance: instance, number: 0, identity: CircuitIdentity(id: "a", name: "A"), shownName: "A"),
            CircuitRecord(
                instance: instance, number: 1, identity: CircuitIdentity(id: "b", name: "A", parentID: "a"),
                shownName: "A (b)"),
        ]
        try store.commit(plan)
        reader = try Reader(directory: directory)
    }

    private func commit(_ change: (inout CommitPlan) -> Void) throws {
        var plan = CommitPlan()
        change(&plan)
        try store.commit(plan)
    }

    private func slot(minute: Int64, watts: Double) -> Slot {
        let end = noon + minute * Duration.minute
        var slot = Slot(
            instance: instance, start: end - 5 * Duration.minute, end: end, isHouse: true, totalIs: .consumption)
        slot.totalPowerW = watts
        slot.minimumPowerW = watts
        slot.maximumPowerW = watts
        slot.coverage = 1
        slot.quality = minute == 10 ? .backfilled : .measured
        slot.energy.consumed = 1000
        var car = CircuitSlot(circuit: 0, kind: .ev, quality: slot.quality)
        car.powerW = watts / 2
        car.energy = 500
        car.coverage = 1
        slot.circuits = [car]
        return slot
    }

    @Test func `buckets are handed over with or without their circuits, until enough is had`() throws {
        try commit { plan in plan.slots = (1...12).map { slot(minute: $0 * 5, watts: 100) } }
        var seen: [Bucket] = []
        let isAll = try reader.forEachBucket(of: instance, from: noon, to: noon + Duration.hour, takesCircuits: true) {
            seen.append($0)
            return true
        }
        #expect(isAll && seen.count == 4)
        #expect(seen.map(\.quality) == [.backfilled, .measured, .measured, .measured])
        #expect(seen[0].circuits.map(\.kind) == [.ev] && seen[0].circuits.map(\.quality) == [.backfilled])
        seen = []
        let isRest = try reader.forEachBucket(of: instance, from: noon, to: noon + Duration.hour, takesCircuits: false)
        {
            seen.append($0)
            return seen.count < 2
        }
        #expect(!isRest && seen.count == 2 && seen[0].circuits.isEmpty && seen[0].energy.consumed == 3000)
        #expect(try reader.bucketCount(of: instance, from: noon, to: noon + Duration.hour) == 4)
        #expect(try reader.slotCount(of: instance, from: noon, to: noon + Duration.hour) == 12)
    }

    @Test func `a slot is what its bucket would be if it were alone, and first light is none`() throws {
        var light = slot(minute: 0, watts: 7)
        light.start = light.end
        try commit { plan in plan.slots = [light, slot(minute: 5, watts: 100), slot(minute: 10, watts: 300)] }
        var seen: [(Instant, Bucket)] = []
        let isAll = try reader.forEachSlot(of: instance, from: noon - Duration.hour, to: noon + Duration.hour) {
            seen.append(($0, $1))
            return true
        }
        #expect(isAll && seen.map(\.0) == [noon + 5 * Duration.minute, noon + 10 * Duration.minute])
        #expect(seen.map(\.1.powerW) == [100, 300] && seen.map(\.1.coveredSeconds) == [300, 300])
        #expect(seen.map { $0.1.circuits.first?.energy } == [500, 500])
    }

    @Test func `circuits are known by number, with the names that people see and what they are`() throws {
        try commit { plan in plan.slots = [slot(minute: 5, watts: 100)] }
        try commit { plan in
            plan.circuits = [
                CircuitRecord(
                    instance: instance, number: 0, identity: CircuitIdentity(id: "a", name: "Car"), shownName: "Car")
            ]
        }
        let circuits = try reader.knownCircuits(of: instance)
        #expect(circuits.map(\.id) == ["a", "b"] && circuits.map(\.name) == ["Car", "A (b)"])
        #expect(circuits.map(\.parentID) == ["", "a"] && circuits.map(\.kind) == [.ev, .unknown])
    }

    @Test func `nights come back as they were, the newest first`() throws {
        let known = PhantomLoad.Night(
            powerW: 210.5, reason: nil, coverage: 0.75,
            circuits: [.init(circuit: 1, powerW: 120.25), .init(circuit: 0, powerW: 3)])
        let unknown = PhantomLoad.Night(powerW: nil, reason: "nobody looked", coverage: 0, circuits: [])
        try commit { plan in
            plan.nights = [
                NightRecord(instance: instance, date: "2026-06-01", night: known),
                NightRecord(instance: instance, date: "2026-06-02", night: unknown),
            ]
        }
        let nights = try reader.nights(of: instance, limit: 10)
        #expect(nights.map(\.date) == ["2026-06-02", "2026-06-01"] && nights.map(\.night) == [unknown, known])
        #expect(try reader.nights(of: instance, limit: 1).map(\.date) == ["2026-06-02"])
    }

    @Test func `alerts are paged by their start, those that go on or have ended alone`() throws {
        let alerts = (0..<5).map { index in
            AlertRecord(
                instance: instance, kind: "high_consumption", start: noon + Int64(index) * Duration.hour, peakW: 1,
                ended: index == 4 ? nil : noon + Int64(index) * Duration.hour + 1, detail: "\(index)")
        }
        try commit { $0.alerts = alerts }
        func details(_ isOpen: Bool?, _ before: Instant = Instant(nanoseconds: .max), limit: Int = 10) throws
            -> [String]
        {
            try reader.alerts(isOpen: isOpen, before: before, limit: limit).map(\.alert.detail)
        }
        #expect(try details(nil) == ["4", "3", "2", "1", "0"])
        #expect(try details(true) == ["4"])
        #expect(try details(false, limit: 2) == ["3", "2"])
        #expect(try details(false, noon + 2 * Duration.hour) == ["1", "0"])
        let first = try #require(try reader.alerts(isOpen: true, before: .init(nanoseconds: .max), limit: 1).first)
        #expect(first.alert.id(of: first.meter) == "mock@attic/high_consumption/1780329600")
    }

    @Test func `an alert that is not about power has no peak, and not one of 0`() throws {
        let silence = AlertRecord(
            instance: instance, kind: "no_data", start: noon, peakW: nil, ended: nil, detail: "no reading")
        try commit { $0.alerts = [silence] }
        let stored = try reader.alerts(isOpen: nil, before: Instant(nanoseconds: .max), limit: 1)
        #expect(stored.count == 1 && stored.allSatisfy { $0.alert.peakW == nil })
    }

    @Test func `a reader that takes too long is cut off, and reads on afterwards`() throws {
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
        let begin = Clock.monotonic()
        reader.cut(at: begin + Duration.second / 5)
        let error = #expect(throws: StorageError.self) { try reader.database.number(endless) }
        #expect(error?.kind == .tooSlow)
        #expect(Clock.monotonic() - begin < 2 * Duration.second)
        reader.cut(at: Clock.monotonic() + Duration.minute)
        #expect(try reader.number(of: InstanceIdentity(meterType: "mock", label: "attic")) == instance)
    }
}
