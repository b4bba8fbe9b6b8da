import Foundation
import Readings
import TestSupport
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Storage

/// Outages, and the meter's log afterwards, through the pipeline's own work and a real store.
@Suite struct GapTests {
    private static let interval = 300 * Duration.second
    private let berlin: Zone
    private let start: Instant

    init() throws {
        berlin = try Zone(named: "Europe/Berlin")
        // Two days before clocks go forward in the night to 2026-03-29.
        start = berlin.start(of: CalendarDate(year: 2026, month: 3, day: 27))
    }

    private static let catalog = CircuitCatalog(circuits: [CircuitIdentity(id: "fridge", name: "Fridge")], version: 1)

    /// What the meter has in its log for the five minutes that end then.
    private func truth(_ instance: Int, _ end: Instant, hasCounters: Bool = false) -> Emission {
        var random = SeededRandom(seed: UInt64(end.seconds))
        let grid = Double.random(in: -2000...3000, using: &random).rounded()
        var sample = CircuitSample(circuit: 0, kind: .load)
        sample.present = .power
        sample.powerW = Double.random(in: 0...150, using: &random).rounded()
        var emission = Emission(
            instance: instance, timestamp: end, period: Self.interval, known: [.grid, .solar],
            powers: Powers(gridW: grid, solarW: 2100), circuits: [sample], catalog: Self.catalog)
        if hasCounters {
            // Ever since 1970: what the counter shows depends on the time alone.
            emission.counters.produced = Millijoules(end.seconds / 300) * 2100 * 300_000
        }
        return emission
    }

    private func log(_ question: HistoryQuestion, _ instance: Int) -> [Emission] {
        var records: [Emission] = []
        var end = (question.from + 1).slotEnd(interval: Self.interval)
        while end <= question.to {
            var record = truth(instance, end)
            record.quality = .backfilled
            records.append(record)
            end = end + Self.interval
        }
        return records
    }

    private static let limits = HistoryLimits(step: 5 * Duration.second, reach: 0, backfill: 0)

    private func host(
        _ directory: DataDirectory, at wall: Instant, limits: HistoryLimits = limits, history: Int64 = 400
    ) throws -> RunningHost {
        try RunningHost(directory: directory, zone: berlin, at: wall, history: history, log: limits)
    }

    /// Reads on time, but within the outage.
    private func run(
        _ host: inout RunningHost, from: Instant, to: Instant, outage: Range<Instant>? = nil, hasCounters: Bool = false
    ) {
        var now = from
        while now < to {
            now = now + Self.interval
            if outage?.contains(now) != true { host.emit(truth(host.instance, now, hasCounters: hasCounters)) }
            host.turn(wall: now + 31 * Duration.second)
        }
    }

    private func buckets(_ directory: DataDirectory, _ instance: Int) throws -> [Bucket] {
        var buckets: [Bucket] = []
        let isAll = try Reader(directory: directory).forEachBucket(
            of: instance, from: Instant(seconds: 0), to: Instant(nanoseconds: .max), takesCircuits: true
        ) {
            buckets.append($0)
            return true
        }
        #expect(isAll)
        return buckets
    }

    /// Slots but for how they were got.
    private func slots(_ directory: DataDirectory) throws -> [Slot] {
        var slots: [Slot] = []
        try Reader(directory: directory).forEachSlot(
            from: Instant(seconds: 0), to: Instant(nanoseconds: .max), onlyWaiting: false
        ) { row in
            var slot = row.slot
            slot.quality = .measured
            for index in slot.circuits.indices { slot.circuits[index].quality = .measured }
            slots.append(slot)
        }
        return slots
    }

    private func without(_ hours: Range<Int64>) throws -> [Slot] {
        var result: [Slot] = []
        try withDirectory { directory in
            var host = try host(directory, at: start)
            run(&host, from: start, to: start + hours.upperBound * Duration.hour)
            host.stop(wall: start + hours.upperBound * Duration.hour + Duration.minute)
            result = try slots(directory)
        }
        return result
    }

    @Test func `26 hours over a night of 23: slots, quarter hours, days and nights are as if nothing had been`() throws
    {
        let end = start + 80 * Duration.hour
        let outage = (start + 30 * Duration.hour)..<(start + 56 * Duration.hour)
        let whole = try without(0..<80)
        try withDirectory { directory in
            var host = try host(directory, at: start)
            run(&host, from: start, to: start + 58 * Duration.hour, outage: outage)
            var asked: [HistoryQuestion] = []
            while let question = try host.question(wall: start + 58 * Duration.hour + Duration.minute) {
                asked.append(question)
                try host.answer(
                    HistoryAnswer(records: log(question, host.instance), outcome: .complete, coveredTo: question.to),
                    to: question, wall: start + 58 * Duration.hour + Duration.minute)
                // A kill in the middle: it goes on where it was.
                if asked.count == 2 {
                    host = try self.host(directory, at: start + 58 * Duration.hour + Duration.minute)
                }
                try #require(asked.count < 20)
            }
            #expect(asked.map(\.to) == asked.map(\.to).sorted(by: >), "the newest first")
            #expect(asked.first?.to == outage.upperBound - Self.interval)
            #expect(asked.allSatisfy { $0.to - $0.from <= 7 * Duration.hour && $0.step == Duration.minute })
            run(&host, from: start + 58 * Duration.hour, to: end)
            host.stop(wall: end + Duration.minute)

            let repaired = try slots(directory)
            #expect(repaired.count == whole.count)
            for (slot, expected) in zip(repaired, whole) { #expect(slot == expected, "\(slot.end.seconds)") }
            #expect(try buckets(directory, host.instance).allSatisfy { $0.coveredSeconds == 900 })
            let nights = try Reader(directory: directory).database.number(
                "SELECT count(*) FROM night WHERE power_w IS NOT NULL")
            #expect(nights == 4)
            #expect(try Reader(directory: directory).findings().isEmpty)
            #expect(host.view?.repair?.missing == 0)
        }
    }

    @Test func `the log is asked for what was not read as planned, and not for what was`() throws {
        let end = start + 6 * Duration.hour
        let outage = (start + 3 * Duration.hour)..<(start + 4 * Duration.hour)
        try withDirectory { directory in
            var host = try host(directory, at: start)
            // Read every ten minutes, since the ration has to last.
            var now = start
            while now < end {
                if !outage.contains(now) {
                    host.emit(
                        Emission(
                            instance: host.instance, timestamp: now, sampling: 10 * Duration.minute,
                            known: [.grid, .solar], powers: Powers(gridW: 500, solarW: 1000), catalog: Self.catalog))
                }
                host.turn(wall: now + 31 * Duration.second)
                now = now + 10 * Duration.minute
            }
            let question = try #require(try host.question(wall: end))
            // The reading before the outage held for 25 minutes.
            let (from, to) = (outage.lowerBound + 15 * Duration.minute, outage.upperBound)
            #expect((question.from, question.to) == (from, to))
            try host.answer(
                HistoryAnswer(records: log(question, host.instance), outcome: .complete, coveredTo: question.to),
                to: question, wall: end)
            #expect(try host.question(wall: end) == nil)
            #expect(try slots(directory).filter { $0.start >= start + 1 }.allSatisfy { $0.coverage == 1 })
            let filled = try slots(directory).first { $0.end == to }
            #expect(filled?.powers.gridW == truth(host.instance, to).powers.gridW)
        }
    }

    @Test func `what a counter told of an outage stays, spread as the log says`() throws {
        let outage = (start + 10 * Duration.hour)..<(start + 20 * Duration.hour)
        let end = start + 30 * Duration.hour
        try withDirectory { directory in
            var host = try host(directory, at: start)
            run(&host, from: start, to: end, outage: outage, hasCounters: true)
            let before = try buckets(directory, host.instance).reduce(0) { $0 + ($1.energy.produced ?? 0) }
            while let question = try host.question(wall: end + Duration.minute) {
                try host.answer(
                    HistoryAnswer(records: log(question, host.instance), outcome: .complete, coveredTo: question.to),
                    to: question, wall: end + Duration.minute)
            }
            let after = try buckets(directory, host.instance)
            #expect(after.reduce(0) { $0 + ($1.energy.produced ?? 0) } == before)
            #expect(after.dropFirst().dropLast().allSatisfy { abs(($0.energy.produced ?? 0) - 2100 * 900_000) < 5 })
        }
    }

    @Test func `what the log does not have is asked once, what it has not yet later, and what lies before it never`()
        throws
    {
        let end = start + 40 * Duration.hour
        let outages = [
            (start + 5 * Duration.hour)..<(start + 6 * Duration.hour),
            (start + 20 * Duration.hour)..<(start + 21 * Duration.hour),
            (start + 38 * Duration.hour)..<(start + 39 * Duration.hour),
        ]
        try withDirectory { directory in
            var host = try host(directory, at: start)
            var now = start
            for outage in outages {
                run(&host, from: now, to: outage.upperBound + Duration.hour / 2, outage: outage)
                now = outage.upperBound + Duration.hour / 2
            }
            run(&host, from: now, to: end)
            func answer(_ question: HistoryQuestion, _ outcome: HistoryAnswer.Outcome, _ covered: Instant) throws {
                try host.answer(
                    HistoryAnswer(records: [], outcome: outcome, coveredTo: covered), to: question,
                    wall: end + Duration.minute)
            }
            // The newest is not written down yet, the next one is not there, and before that there was no log.
            let first = try #require(try host.question(wall: end + Duration.minute))
            #expect(first.to == outages[2].upperBound - Self.interval)
            try answer(first, .notYet(retryAfter: Duration.hour), first.from)
            let second = try #require(try host.question(wall: end + Duration.minute))
            #expect(second.to == outages[1].upperBound - Self.interval)
            try answer(second, .complete, second.to)
            let third = try #require(try host.question(wall: end + Duration.minute))
            #expect(third.to == outages[0].upperBound - Self.interval)
            try answer(third, .noneBefore(start + 10 * Duration.hour), third.to)
            #expect(try host.question(wall: end + 2 * Duration.minute) == nil)
            #expect(host.view?.repair?.retryAt == end + Duration.minute + Duration.hour)
            // A restart remembers; an hour later the first is asked again.
            host = try self.host(directory, at: end + 3 * Duration.minute)
            #expect(try host.question(wall: end + 3 * Duration.minute) == nil)
            #expect(try host.question(wall: end + 62 * Duration.minute)?.to == outages[2].upperBound - Self.interval)
            // A person may want it all the same.
            host.want(from: outages[1].lowerBound, to: outages[1].upperBound, wall: end + 4 * Duration.minute)
            #expect(try host.question(wall: end + 4 * Duration.minute)?.to == outages[1].upperBound - Self.interval)
        }
    }

    @Test func `what a person wants begins where the log does, and is given up with the person`() throws {
        try withDirectory { directory in
            let limits = HistoryLimits(step: Duration.minute, reach: 2 * Duration.day, backfill: 0)
            var host = try host(directory, at: start, limits: limits)
            run(&host, from: start, to: start + Duration.hour)
            run(&host, from: start + 3 * Duration.hour, to: start + 4 * Duration.hour)
            let now = start + 4 * Duration.hour + Duration.minute
            // The hole was asked for already, in vain.
            while let question = try host.question(wall: now) {
                try host.answer(
                    HistoryAnswer(records: [], outcome: .complete, coveredTo: question.to), to: question, wall: now)
            }
            host.want(from: nil, to: now, wall: now)
            let question = try #require(try host.question(wall: now))
            #expect(question.to > start + Duration.hour)
            let missing = try #require(host.view?.repair?.missing)
            #expect(missing > 2 * 24 * 10 && missing <= 2 * 24 * 12)
            host.unwant(wall: now)
            #expect(try host.question(wall: now) == nil)
            #expect(host.view?.repair?.missing == 0)
            // Of two that want it, one goes.
            host.want(from: nil, to: now, wall: now)
            host.want(from: now - Duration.day, to: now, wall: now)
            host.unwant(wall: now)
            #expect(try host.question(wall: now) != nil)
        }
    }

    @Test(arguments: [false, true])
    func `before the first reading is asked where that is wished, as far as the log reaches`(hasCounters: Bool) throws {
        try withDirectory { directory in
            let limits = HistoryLimits(
                step: Duration.minute, reach: 3 * Duration.day, backfill: 30 * Duration.day)
            var host = try host(directory, at: start, limits: limits)
            run(&host, from: start, to: start + Duration.hour, hasCounters: hasCounters)
            let now = start + Duration.hour + Duration.minute
            var oldest = now
            while let question = try host.question(wall: now) {
                oldest = question.from
                try host.answer(
                    HistoryAnswer(records: log(question, host.instance), outcome: .complete, coveredTo: question.to),
                    to: question, wall: now)
            }
            #expect(abs(oldest - (now - 3 * Duration.day)) < 20 * Duration.minute)
            let buckets = try buckets(directory, host.instance)
            #expect(buckets.count >= 3 * 96)
            #expect(buckets.reduce(0) { $0 + ($1.energy.produced ?? 0) } / Int64(buckets.count) > 2050 * 900_000)
            #expect(try Reader(directory: directory).findings().isEmpty)
        }
    }

    @Test func `thirty days are filled with two revisions of a slot at most`() throws {
        try withDirectory { directory in
            let limits = HistoryLimits(step: Duration.minute, reach: 0, backfill: 30 * Duration.day)
            var host = try host(directory, at: start, limits: limits)
            run(&host, from: start, to: start + Duration.hour)
            let now = start + Duration.hour + Duration.minute
            var count = 0
            while let question = try host.question(wall: now) {
                count += 1
                // A kill now and then, and a log that has holes.
                if count.isMultiple(of: 40) { host = try self.host(directory, at: now, limits: limits) }
                let records = log(question, host.instance).filter { $0.timestamp.seconds % 7000 > 300 }
                try host.answer(
                    HistoryAnswer(records: records, outcome: .complete, coveredTo: question.to), to: question,
                    wall: now)
            }
            #expect(count >= 120)
            var looks = 0
            while try Reader(directory: directory).state(
                of: InstanceIdentity(meterType: "test"), InstanceRepair.shiftKey) != nil
            {
                looks += 1
                try #require(looks < 20)
                #expect(try host.question(wall: now) == nil)
            }
            host.stop(wall: now)
            let database = try Reader(directory: directory).database
            #expect(try database.number("SELECT count(*) FROM slot") ?? 0 > 8000)
            // But for the very first one, which was first light before it was a slot.
            let first = (start + Self.interval).nanoseconds
            #expect(try database.number("SELECT max(revision) FROM slot WHERE end <> \(first)") == 2)
            // Every counter goes on from the one before it by the slot's own energy.
            let slots = try slots(directory).filter { !$0.isFirstLight }
            for flow in [Flow.imported, .exported, .produced, .consumed] {
                var sum: Millijoules = 0
                let wrong = slots.filter { slot in
                    sum += slot.energy[flow] ?? 0
                    return slot.lifetime[flow] != sum
                }
                #expect(wrong.isEmpty, "\(flow): \(wrong.count) from \(wrong.first?.end.seconds ?? 0)")
            }
            #expect(try Reader(directory: directory).findings().isEmpty)
        }
    }

    // MARK: Where slots are gone

    /// The sums of all quarter hours, and the newest lifetime counters; by flow.
    private func books(_ directory: DataDirectory, _ host: RunningHost) throws -> [Millijoules] {
        let buckets = try buckets(directory, host.instance)
        let sums = Flow.allCases.map { flow in buckets.reduce(0) { $0 + ($1.energy[flow] ?? 0) } }
        let last = try slots(directory).last?.lifetime
        return sums + Flow.allCases.map { last?[$0] ?? 0 }
    }

    /// Answers everything that is asked; answers how often.
    private func answerAll(_ host: inout RunningHost, at now: Instant) throws -> Int {
        var count = 0
        while let question = try host.question(wall: now) {
            count += 1
            try host.answer(
                HistoryAnswer(records: log(question, host.instance), outcome: .complete, coveredTo: question.to),
                to: question, wall: now)
            try #require(count < 200)
        }
        return count
    }

    @Test(arguments: [0, 5, 10, 15, 20, 25] as [Int64])
    func `a restart after old slots went asks nothing and leaves the counters alone`(minutes: Int64) throws {
        let end = start + 27 * Duration.hour + minutes * Duration.minute
        try withDirectory { directory in
            var host = try host(directory, at: start, history: 1)
            run(&host, from: start, to: end)
            #expect(try answerAll(&host, at: end + Duration.minute) == 0)
            host.stop(wall: end + Duration.minute)
            #expect(try slots(directory).count < 27 * 12, "old slots went")
            host = try self.host(directory, at: end + 2 * Duration.minute, history: 1)
            let before = try books(directory, host)
            #expect(try answerAll(&host, at: end + 2 * Duration.minute) == 0)
            #expect(try books(directory, host) == before)
            #expect(host.view?.repair?.missing == 0)
            run(&host, from: end, to: end + Duration.hour)
            let after = try books(directory, host)
            for index in 0..<6 { #expect(after[index] - before[index] == after[index + 6] - before[index + 6]) }
        }
    }

    @Test func `a quarter hour that was measured in part and whose slots are gone stays as it is`() throws {
        let end = start + 30 * Duration.hour
        let two = start + 2 * Duration.hour
        let outage = (two + 10 * Duration.minute)..<(two + 40 * Duration.minute)
        try withDirectory { directory in
            // The outage was asked for in vain, and everything of that time is gone.
            var host = try host(directory, at: start, history: 1)
            run(&host, from: start, to: start + 4 * Duration.hour, outage: outage)
            while let question = try host.question(wall: start + 4 * Duration.hour + Duration.minute) {
                try host.answer(
                    HistoryAnswer(records: [], outcome: .complete, coveredTo: question.to), to: question,
                    wall: start + 4 * Duration.hour + Duration.minute)
            }
            run(&host, from: start + 4 * Duration.hour, to: end)
            let old = try buckets(directory, host.instance)
            let partial = old.filter { $0.coveredSeconds > 0 && $0.coveredSeconds < 720 }
            #expect(partial.map(\.start) == [two, two + 30 * Duration.minute])
            let first = try books(directory, host)
            // A person asks for all of it again: what is missing whole is filled, once.
            let now = end + Duration.minute
            host.want(from: start, to: end, wall: now)
            #expect(try answerAll(&host, at: now) <= 2)
            let buckets = try buckets(directory, host.instance)
            for bucket in old { #expect(buckets.first { $0.start == bucket.start } == bucket) }
            let second = try books(directory, host)
            let added = buckets.filter { new in !old.contains { $0.start == new.start } }
            #expect(added.count == 1)
            for (index, flow) in Flow.allCases.enumerated() {
                let energy = added.reduce(0) { $0 + ($1.energy[flow] ?? 0) }
                #expect(
                    second[index] - first[index] == energy && second[index + 6] - first[index + 6] == energy, "\(flow)")
            }
            // Once more adds nothing.
            run(&host, from: end, to: end + Duration.hour)
            let third = try books(directory, host)
            host.want(from: start, to: end, wall: end + Duration.hour + Duration.minute)
            _ = try answerAll(&host, at: end + Duration.hour + Duration.minute)
            #expect(try books(directory, host) == third)
        }
    }

    @Test func `an answer that ends within a quarter hour behind the border makes it whole with the next`() throws {
        let end = start + 30 * Duration.hour
        let outage = (start + 2 * Duration.hour)..<(start + 4 * Duration.hour)
        try withDirectory { directory in
            var host = try host(directory, at: start, history: 1)
            run(&host, from: start, to: end, outage: outage)
            let now = end + Duration.minute
            var count = 0
            while let question = try host.question(wall: now) {
                count += 1
                try #require(count < 20)
                let covered = min(question.from + 40 * Duration.minute, question.to)
                let records = log(question, host.instance).filter { $0.timestamp <= covered }
                try host.answer(
                    HistoryAnswer(
                        records: records, outcome: covered < question.to ? .more : .complete, coveredTo: covered),
                    to: question, wall: now)
            }
            let filled = try buckets(directory, host.instance).filter { outage.contains($0.start) }
            #expect(filled.count == 8)
            #expect(filled.dropLast().allSatisfy { $0.coveredSeconds == 900 })
        }
    }
}
