import Foundation
import Readings
import TestSupport
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Storage

/// What lies before the first reading, and what it does to the figures behind it.
@Suite struct BackfillTests {
    private static let interval = 300 * Duration.second
    private static let gridW = 1200.0
    private static let kitchenW = 450.0
    private let zone: Zone
    private let midnight: Instant

    init() throws {
        zone = try Zone(named: "Europe/Berlin")
        midnight = zone.start(of: CalendarDate(year: 2026, month: 6, day: 1))
    }

    /// The second circuit shows in some readings only: accounts are not there for every circuit at every time.
    private static let catalog = CircuitCatalog(
        circuits: [CircuitIdentity(id: "kitchen", name: "Kitchen"), CircuitIdentity(id: "oven", name: "Oven")],
        version: 1)

    private func reading(
        _ instance: Int, _ instant: Instant, period: Int64 = 0, hasOven: Bool = true, day: Millijoules? = nil
    ) -> Emission {
        let circuits = (0..<(hasOven ? 2 : 1)).map { number in
            var sample = CircuitSample(circuit: Int32(number), kind: .load)
            sample.present = .power
            sample.powerW = Self.kitchenW / Double(number + 1)
            return sample
        }
        var emission = Emission(
            instance: instance, timestamp: instant, period: period, sampling: 300 * Duration.second, known: [.grid],
            powers: Powers(gridW: Self.gridW), circuits: circuits, catalog: Self.catalog)
        emission.dayEnergy = day
        if period > 0 { emission.quality = .backfilled }
        return emission
    }

    private func answer(_ question: HistoryQuestion, _ instance: Int) -> HistoryAnswer {
        var records: [Emission] = []
        var end = (question.from + 1).slotEnd(interval: Self.interval)
        while end <= question.to {
            records.append(reading(instance, end, period: Self.interval))
            end = end + Self.interval
        }
        return HistoryAnswer(records: records, outcome: .complete, coveredTo: question.to)
    }

    private func host(_ directory: DataDirectory, at wall: Instant, days: Int64 = 1) throws -> RunningHost {
        try RunningHost(
            directory: directory, zone: zone, at: wall,
            log: HistoryLimits(step: 5 * Duration.second, reach: 0, backfill: days * Duration.day))
    }

    private func fill(_ host: inout RunningHost, wall: Instant) throws {
        while let question = try host.question(wall: wall) {
            try host.answer(answer(question, host.instance), to: question, wall: wall)
        }
        host.turn(wall: wall)
    }

    // MARK: What was written

    private func slots(_ directory: DataDirectory) throws -> [Slot] {
        var slots: [Slot] = []
        try Reader(directory: directory).forEachSlot(
            from: Instant(seconds: 0), to: Instant(nanoseconds: .max), onlyWaiting: false
        ) { slots.append($0.slot) }
        return slots
    }

    private func buckets(_ directory: DataDirectory, _ instance: Int, from: Instant) throws -> [Bucket] {
        var buckets: [Bucket] = []
        _ = try Reader(directory: directory).forEachBucket(
            of: instance, from: from, to: Instant(nanoseconds: .max), takesCircuits: true
        ) {
            buckets.append($0)
            return true
        }
        return buckets
    }

    /// Neither the day's figure falls within a day, nor a counter ever, and at the end they are what the quarter hours
    /// add up to.
    private func check(_ directory: DataDirectory, _ instance: Int, _ place: String) throws {
        let slots = try slots(directory)
        var day = (start: Instant(seconds: 0), figure: Millijoules(0))
        var imported: Millijoules = 0
        var circuits: [Int32: Millijoules] = [:]
        for slot in slots {
            let start = zone.startOfDay(containing: slot.end - 1)
            if start != day.start { day = (start, 0) }
            let figure = try #require(slot.closingDayEnergy ?? slot.dayEnergy, "\(place)")
            #expect(figure >= day.figure, "\(place), the day at \(slot.end.seconds), first light \(slot.isFirstLight)")
            day.figure = max(figure, day.figure)
            if let lifetime = slot.lifetime.imported {
                #expect(lifetime >= imported, "\(place), the counter at \(slot.end.seconds)")
                imported = max(lifetime, imported)
            }
            for circuit in slot.circuits {
                guard let lifetime = circuit.lifetime else { continue }
                let before = circuits[circuit.circuit] ?? 0
                #expect(lifetime >= before, "\(place), circuit \(circuit.circuit) at \(slot.end.seconds)")
                circuits[circuit.circuit] = max(lifetime, before)
            }
        }
        let all = try buckets(directory, instance, from: Instant(seconds: 0))
        #expect(imported == all.reduce(0) { $0 + ($1.energy.imported ?? 0) }, "\(place)")
        let today = all.filter { $0.start >= day.start }
        #expect(day.figure == today.reduce(0) { $0 + ($1.energy.imported ?? 0) }, "\(place)")
        for (number, lifetime) in circuits {
            let sum = all.flatMap(\.circuits).filter { $0.circuit == number }.reduce(0) { $0 + ($1.energy ?? 0) }
            #expect(lifetime == sum, "\(place), circuit \(number)")
        }
        #expect(try Reader(directory: directory).findings().isEmpty, "\(place)")
    }

    // MARK: Cases

    @Test(arguments: [false, true])
    func `what is found before the first slot is final counts in the day and in the circuits, over a restart too`(
        _ restarts: Bool
    ) throws {
        let first = midnight + 9 * Duration.hour + 70 * Duration.second
        try withDirectory { directory in
            var host = try host(directory, at: first)
            host.emit(reading(host.instance, first))
            host.turn(wall: first)
            if restarts {
                let question = try #require(try host.question(wall: first))
                try host.answer(answer(question, host.instance), to: question, wall: first)
                host = try self.host(directory, at: first)
            }
            try fill(&host, wall: first + Duration.second)
            if restarts { host = try self.host(directory, at: first + 2 * Duration.second) }
            try check(directory, host.instance, "before a slot is final")
            var now = first
            for _ in 0..<6 {
                now = now + Self.interval
                host.emit(reading(host.instance, now))
                host.turn(wall: now)
            }
            host.stop(wall: now + 10 * Duration.minute)
            try check(directory, host.instance, "half an hour later")
            // All but what of the first slot came before the reading.
            let hours = Double(now - midnight) / 3.6e12
            let view = try #require(host.view)
            #expect(abs(Energy.kWh(view.dayEnergy ?? 0) - hours * Self.gridW / 1000) < 0.03)
            #expect(abs(Energy.kWh(view.circuitLifetimes[0]) - (hours + 15) * Self.kitchenW / 1000) < 0.1)
        }
    }

    @Test func `where the meter has a day counter, the day's figure is its own before and after`() throws {
        let first = midnight + 9 * Duration.hour + 70 * Duration.second
        try withDirectory { directory in
            var host = try host(directory, at: first)
            func counter(_ instant: Instant) -> Millijoules { (instant - midnight) / 1_000_000 * 1100 }
            var now = first
            for _ in 0..<4 {
                host.emit(reading(host.instance, now, day: counter(now)))
                host.turn(wall: now)
                // The log, which has none, would say more.
                if now == first { try fill(&host, wall: now) }
                now = now + Self.interval
            }
            host.stop(wall: now + 10 * Duration.minute)
            let figures = try slots(directory).compactMap(\.dayEnergy)
            #expect(figures == figures.sorted())
            #expect(host.view?.dayEnergy == counter(now - Self.interval))
        }
    }

    @Test(arguments: 1...10)
    func `neither day nor counters fall, whatever order readings, answers and restarts come in`(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        try withDirectory { directory in
            var now = midnight + Int64.random(in: 0..<86_400, using: &random) * Duration.second
            var host = try host(directory, at: now)
            var seen = (day: Instant(seconds: 0), energy: Millijoules(0), circuits: [Millijoules]())
            for step in 0..<150 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0: host = try self.host(directory, at: now)
                case 1: try fill(&host, wall: now)
                case 2:
                    guard let question = try host.question(wall: now) else { break }
                    try host.answer(answer(question, host.instance), to: question, wall: now)
                case 3: now = now + Int64.random(in: 1...7200, using: &random) * Duration.second
                default:
                    now = now + Int64.random(in: 200...300, using: &random) * Duration.second
                    let hasOven = Bool.random(using: &random)
                    host.emit(reading(host.instance, now, hasOven: hasOven))
                    host.turn(wall: now)
                }
                guard let view = host.view, let energy = view.dayEnergy, let at = view.dayEnergyAt else { continue }
                let day = zone.startOfDay(containing: at)
                if day != seen.day { (seen.day, seen.energy) = (day, 0) }
                #expect(energy >= seen.energy, "seed \(seed), step \(step): the day that is shown")
                for (index, before) in seen.circuits.enumerated() where index < view.circuitLifetimes.count {
                    #expect(view.circuitLifetimes[index] >= before, "seed \(seed), step \(step): circuit \(index)")
                }
                (seen.energy, seen.circuits) = (energy, view.circuitLifetimes)
            }
            now = now + 10 * Duration.minute
            host.emit(reading(host.instance, now))
            host.turn(wall: now + 10 * Duration.minute)
            try fill(&host, wall: now + 10 * Duration.minute)
            host.stop(wall: now + 10 * Duration.minute)
            try check(directory, host.instance, "seed \(seed)")
        }
    }
}
