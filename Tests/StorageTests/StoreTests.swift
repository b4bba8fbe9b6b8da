import Analysis
import Foundation
import Readings
import TestSupport
import Testing

@testable import Storage

@Suite struct StoreTests {
    private let noon = Instant(seconds: 1_780_315_200)

    @Test(arguments: 1...10) func `a slot comes back as it was stored`(seed: UInt64) throws {
        try withStore { store, directory in
            var random = SeededRandom(seed: seed)
            let instance = try store.number(of: InstanceIdentity(meterType: "mock", label: "attic"))
            var plan = CommitPlan()
            plan.circuits = [circuit(instance, 0, "a", "Kettle, \"old\" 🫖"), circuit(instance, 1, "b", "B")]
            let slots = (1...5).map { randomSlot(instance, end: noon + Int64($0) * 300_000_000_000, &random) }
            plan.slots = slots
            try store.commit(plan)
            let stored = try store.slots(of: instance, from: noon, to: noon + Duration.day)
            #expect(stored == slots, "seed \(seed)")
            let waiting = try Reader(directory: directory).waitingSlots(points: 1000).slots
            #expect(waiting.map(\.slot) == slots.reversed(), "seed \(seed)")
            #expect(waiting.first?.meter == InstanceIdentity(meterType: "mock", label: "attic"))
        }
    }

    @Test func `what waits is what was not yet delivered as it is now`() throws {
        try withStore { store, directory in
            let instance = try store.number(of: InstanceIdentity(meterType: "mock"))
            let reader = try Reader(directory: directory)
            var slot = Slot(instance: instance, start: noon, end: noon + Duration.hour, isHouse: true, totalIs: .grid)
            slot.totalPowerW = 1
            try commit(store) { $0.slots = [slot] }
            let first = try #require(try reader.waitingSlots(points: 10).slots.first)
            #expect(first.revision == 1)

            // The same again is no news; a change is the next revision.
            try commit(store) { $0.slots = [slot] }
            #expect(try reader.waitingSlots(points: 10).slots.first?.revision == 1)
            slot.totalPowerW = 2
            try commit(store) { $0.slots = [slot] }

            // The answer for revision 1 does not settle revision 2.
            try commit(store) { plan in
                var settlement = Settlement()
                settlement.slots = [first.row]
                plan.settlements = [settlement]
            }
            let second = try #require(try reader.waitingSlots(points: 10).slots.first)
            #expect(second.revision == 2)
            #expect(second.slot.totalPowerW == 2)
            try commit(store) { plan in
                var settlement = Settlement()
                settlement.slots = [second.row]
                plan.settlements = [settlement]
            }
            #expect(try reader.waitingSlots(points: 10).slots.isEmpty)
            #expect(try reader.backlog().slots == 0)

            #expect(try store.replay(from: noon, to: noon + Duration.day) == 1)
            #expect(try reader.backlog().slots == 1)
            #expect(try store.dropWaiting() == 1)
            #expect(try reader.backlog().slots == 0)
        }
    }

    @Test func `a slot keeps the name that its circuit had`() throws {
        try withStore { store, directory in
            let instance = try store.number(of: InstanceIdentity(meterType: "mock"))
            func slot(_ end: Int64) -> Slot {
                var slot = Slot(
                    instance: instance, start: noon + end - 1, end: noon + end, isHouse: true, totalIs: .grid)
                slot.circuits = [CircuitSlot(circuit: 0, kind: .load)]
                return slot
            }
            try commit(store) {
                $0.circuits = [circuit(instance, 0, "a", "Old")]
                $0.slots = [slot(1)]
            }
            try commit(store) {
                $0.circuits = [circuit(instance, 0, "a", "New")]
                $0.slots = [slot(2)]
            }
            let names = try Reader(directory: directory).waitingSlots(points: 10).slots.map(\.circuitNames)
            #expect(names == [["New"], ["Old"]])
            let kept = try store.names(of: instance)
            #expect(kept.shown == ["New"])
            #expect(kept.owners == ["Old": 0, "New": 0])
        }
    }

    @Test func `an emission comes back from the journal as it was`() throws {
        try withStore { store, _ in
            let instance = try store.number(of: InstanceIdentity(meterType: "mock"))
            let catalog = CircuitCatalog(circuits: [CircuitIdentity(id: "a", name: "A")], version: 0)
            var sample = CircuitSample(circuit: 0, kind: .ev, phase: 2, quality: .estimated)
            sample.present = [.power, .totalEnergy]
            sample.powerW = 7400.5
            sample.totalEnergy = 12345
            var counters = Flows<Millijoules?>(repeating: nil)
            counters.exported = 77
            let emission = Emission(
                instance: instance, timestamp: noon + 5, period: 60, sampling: 300, quality: .estimated,
                known: [.grid, .solar],
                powers: Powers(gridW: -100.25, solarW: 4000), counters: counters, dayEnergy: 99, circuits: [sample],
                catalog: catalog)
            try commit(store) {
                $0.circuits = [circuit(instance, 0, "a", "A")]
                $0.emissions = [emission]
            }
            let back = try #require(try store.journal(of: instance, catalog: catalog).first)
            #expect(back.timestamp == emission.timestamp)
            #expect(back.powers == emission.powers)
            #expect(back.counters == emission.counters)
            #expect(back.circuits == emission.circuits)
            #expect(back.known == emission.known)
            #expect(back.period == 60 && back.sampling == 300 && back.dayEnergy == 99 && back.quality == .estimated)
            try commit(store) { $0.keepEmissionsFrom = [instance: noon + 6] }
            #expect(try store.journal(of: instance, catalog: catalog).isEmpty)
        }
    }

    @Test func `a commit that fails leaves nothing behind`() throws {
        try withStore { store, directory in
            let instance = try store.number(of: InstanceIdentity(meterType: "mock"))
            try store.database.run("PRAGMA max_page_count = 60")
            let body = [UInt8](repeating: 1, count: 40_000)
            var failure: StorageError?
            for index in 0..<20 where failure == nil {
                do throws(StorageError) {
                    var plan = CommitPlan()
                    plan.slots = [
                        Slot(
                            instance: instance, start: noon + Int64(index), end: noon + Int64(index + 1),
                            isHouse: true, totalIs: .grid)
                    ]
                    plan.states = [StateRecord(instance: instance, key: "\(index)", value: body)]
                    try store.commit(plan)
                } catch {
                    failure = error
                }
            }
            #expect(failure?.kind == .full)
            let slots = try store.slots(of: instance, from: noon, to: noon + 100).count
            #expect(try store.state(of: instance).count == slots)
            #expect(try Reader(directory: directory).findings().isEmpty)
        }
    }

    @Test func `a damaged file is set aside and a new store begins`() throws {
        try withDirectory { directory in
            do {
                let (store, _) = try Store.open(in: directory)
                var plan = CommitPlan()
                plan.states = (0..<200).map {
                    StateRecord(instance: 1, key: "\($0)", value: [UInt8](repeating: 7, count: 500))
                }
                try store.commit(plan)
                _ = try store.database.text("PRAGMA wal_checkpoint(TRUNCATE)")
            }
            let path = directory.path(of: Store.fileName)
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seek(toOffset: 0)
            try file.write(contentsOf: Data(repeating: 0xAB, count: 8192))
            try file.close()
            let (store, aside) = try Store.open(in: directory)
            let moved = try #require(aside)
            #expect(FileManager.default.fileExists(atPath: moved))
            #expect(try store.state(of: 1).isEmpty)
        }
    }

    @Test func `names outlive a restart, and one that was given is never another's`() throws {
        try withDirectory { directory in
            let meter = InstanceIdentity(meterType: "mock")
            var names = CircuitNames()
            func take(_ identities: [CircuitIdentity]) throws {
                // As a start does: what the store knows, then what the meter says.
                let (store, _) = try Store.open(in: directory)
                let instance = try store.number(of: meter)
                names = try store.names(of: instance)
                var plan = CommitPlan()
                for number in names.take(CircuitCatalog(circuits: identities, version: 1)) {
                    plan.circuits.append(
                        CircuitRecord(
                            instance: instance, number: number, identity: identities[Int(number)],
                            shownName: names.shown[Int(number)]))
                }
                try store.commit(plan)
            }
            let kettle = CircuitIdentity(id: "a", name: "Kettle")
            let twin = CircuitIdentity(id: "b", name: "Kettle")
            try take([kettle, twin])
            #expect(names.shown == ["Kettle", "Kettle (b)"])
            // The first is renamed, while nobody looks; its old name stays its own.
            let renamed = CircuitIdentity(id: "a", name: "Tea")
            try take([renamed, twin])
            #expect(names.shown == ["Tea", "Kettle (b)"])
            try take([renamed, twin, CircuitIdentity(id: "c", name: "Kettle")])
            #expect(names.shown == ["Tea", "Kettle (b)", "Kettle (c)"])
            try take([kettle, twin, CircuitIdentity(id: "c", name: "Kettle")])
            #expect(names.shown == ["Kettle", "Kettle (b)", "Kettle (c)"])
        }
    }

    @Test func `a store from before the first release is refused, with what to do`() throws {
        try withDirectory { directory in
            do {
                let (store, _) = try Store.open(in: directory)
                try store.database.run("PRAGMA user_version = 1")
            }
            let error = #expect(throws: StorageError.self) { _ = try Store.open(in: directory) }
            #expect(error?.message.contains("move it away") == true)
            #expect(FileManager.default.fileExists(atPath: directory.path(of: Store.fileName)))
        }
    }

    @Test func `a store of a newer version is refused and left alone`() throws {
        try withDirectory { directory in
            do {
                let (store, _) = try Store.open(in: directory)
                try store.database.run("PRAGMA user_version = 99")
            }
            let error = #expect(throws: StorageError.self) { _ = try Store.open(in: directory) }
            #expect(error?.kind == .newerVersion)
            #expect(FileManager.default.fileExists(atPath: directory.path(of: Store.fileName)))
        }
    }

    @Test func `the second host on a data directory is told who holds it`() throws {
        try withDirectory { directory in
            let error = #expect(throws: StorageError.self) { _ = try DataDirectory(locking: directory.path) }
            #expect(error?.message.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        }
    }

    // MARK: Helpers

    private func circuit(_ instance: Int, _ number: Int32, _ id: String, _ name: String) -> CircuitRecord {
        CircuitRecord(
            instance: instance, number: number, identity: CircuitIdentity(id: id, name: name), shownName: name)
    }

    private func commit(_ store: Store, _ fill: (inout CommitPlan) -> Void) throws {
        var plan = CommitPlan()
        fill(&plan)
        try store.commit(plan)
    }

    private func withDirectory(_ body: (DataDirectory) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "smart-meter-store-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(try DataDirectory(locking: path))
    }

    private func withStore(_ body: (Store, DataDirectory) throws -> Void) throws {
        try withDirectory { directory in
            let (store, aside) = try Store.open(in: directory)
            #expect(aside == nil)
            try body(store, directory)
        }
    }

    private func randomSlot(_ instance: Int, end: Instant, _ random: inout SeededRandom) -> Slot {
        func maybe(_ range: ClosedRange<Double>) -> Double? {
            Bool.random(using: &random) ? Double.random(in: range, using: &random) : nil
        }
        func maybeEnergy() -> Millijoules? {
            // 2^53 mJ are 2.5 GWh: more than any slot's, and buckets of them still add up.
            Bool.random(using: &random) ? Int64.random(in: -(1 << 53)...(1 << 53), using: &random) : nil
        }
        var slot = Slot(
            instance: instance, start: end - Duration.minute, end: end, isHouse: Bool.random(using: &random),
            totalIs: Bool.random(using: &random) ? .grid : .consumption)
        slot.powers = Powers(
            gridW: maybe(-1e5...1e5), solarW: maybe(0...1e5), batteryW: maybe(-1e4...1e4),
            consumptionW: maybe(0...1e5))
        slot.totalPowerW = maybe(-1e5...1e5)
        slot.minimumPowerW = maybe(-1e5...1e5)
        slot.maximumPowerW = maybe(-1e5...1e5)
        slot.unmonitoredPowerW = maybe(-1e5...1e5)
        slot.coverage = Double.random(in: 0...1, using: &random)
        slot.quality = Quality.allCases.randomElement(using: &random) ?? .unknown
        for flow in Flow.allCases {
            slot.energy[flow] = maybeEnergy()
            slot.lifetime[flow] = maybeEnergy()
        }
        slot.dayEnergy = maybeEnergy()
        slot.closingDayEnergy = maybeEnergy()
        // A circuit's powers are kept in thousandths, its extremes where there is a mean.
        func thousandths(_ range: ClosedRange<Int64>) -> Double {
            Double(Int64.random(in: range, using: &random)) / 1000
        }
        for number in 0..<Int32.random(in: 0...2, using: &random) {
            var circuit = CircuitSlot(
                circuit: number, kind: CircuitKind.allCases.randomElement(using: &random) ?? .load,
                quality: Quality.allCases.randomElement(using: &random) ?? .unknown)
            if Bool.random(using: &random) {
                circuit.powerW = thousandths(-100_000_000...100_000_000)
                circuit.minimumPowerW = thousandths(-100_000_000...100_000_000)
                circuit.maximumPowerW = thousandths(-100_000_000...100_000_000)
            }
            if Bool.random(using: &random) { circuit.percentage = thousandths(-1000...200_000) }
            circuit.energy = maybeEnergy()
            circuit.returned = maybeEnergy()
            circuit.lifetime = maybeEnergy()
            circuit.coverage = Float(thousandths(0...1000))
            slot.circuits.append(circuit)
        }
        return slot
    }
}
