import Readings
import TestSupport
import Testing

@testable import Analysis

/// A run with gaps that is repaired from the meter's log is the run without gaps.
@Suite struct RepairTests {
    private static let interval = 300 * Duration.second
    private static let slots = 200
    private static let noon = Instant.noon

    private let house: House = {
        var house = House(known: [.grid, .solar])
        house.dayStart = .noon - 12 * Duration.hour
        house.catalog = CircuitCatalog(circuits: [CircuitIdentity(id: "a", name: "A")], version: 1)
        return house
    }()

    private func rules(_ carry: Carry) -> Repair.Rules {
        Repair.Rules(
            fold: house.rules, interval: Self.interval, zone: .utc, counted: carry.counted(known: house.known),
            hasMeterDay: false)
    }

    /// A reading for each slot, of the five minutes before it.
    private func readings(_ random: inout SeededRandom, hasCounters: Bool) -> [Emission] {
        var counters = Flows<Millijoules>(repeating: kWh(100))
        var total = kWh(10)
        return (0...Self.slots).map { index in
            let powers = Powers(
                gridW: Double.random(in: -3000...3000, using: &random).rounded(),
                solarW: Double.random(in: 0...4000, using: &random).rounded())
            var sample = CircuitSample(circuit: 0, kind: .load)
            sample.present = .power
            sample.powerW = Double.random(in: 0...2000, using: &random).rounded()
            var emission = house.emission(at: Double(index) * 300, powers, period: 300)
            counters.imported += Millijoules(max(0, powers.gridW ?? 0) * 300_000)
            counters.exported += Millijoules(max(0, -(powers.gridW ?? 0)) * 300_000)
            counters.produced += Millijoules((powers.solarW ?? 0) * 300_000)
            total += Millijoules(sample.powerW * 300_000)
            if hasCounters {
                emission.counters.imported = counters.imported
                emission.counters.exported = counters.exported
                emission.counters.produced = counters.produced
                sample.present.insert(.totalEnergy)
                sample.totalEnergy = total
            }
            emission.circuits = [sample]
            return emission
        }
    }

    /// As a meter's log gives them.
    private func logged(_ emission: Emission) -> Emission {
        var record = emission
        record.quality = .backfilled
        record.counters = Flows(repeating: nil)
        record.circuits[0].present = .power
        return record
    }

    /// The rows of a run, by their ends.
    private func rows(_ emissions: [Emission], _ carry: inout Carry) -> [Instant: Slot] {
        Dictionary(
            house.fold(emissions, slots: Self.slots, carry: &carry).compactMap { $0 }.map { ($0.end, $0) }
        ) { first, _ in first }
    }

    /// Repairs span by span, the newest first, and then brings what lies behind up to date.
    private func repair(
        _ rows: inout [Instant: Slot], _ spans: [Range<Int>], _ log: [Emission], _ carry: inout Carry
    ) {
        var shifts: [EnergyShift] = []
        for span in spans.sorted(by: { $0.lowerBound > $1.lowerBound }) {
            let from = Self.noon + Int64(span.lowerBound) * Self.interval
            let to = Self.noon + Int64(span.upperBound) * Self.interval
            let outcome = Repair.fill(
                from: from, to: to, records: log.filter { $0.timestamp > from && $0.timestamp <= to },
                rows: rows.values.sorted { $0.end < $1.end }, waiting: shifts, rules: rules(carry))
            for slot in outcome.slots { rows[slot.end] = slot }
            shifts += outcome.shifts
        }
        var shifted = ShiftedSlots(shifts, zone: .utc)
        for end in rows.keys.sorted() {
            if let row = rows[end], let changed = shifted.take(row) { rows[end] = changed }
        }
        let total = shifted.total(at: carry.at)
        carry.shift(total.sum, day: total.day, ofDay: total.ofDay)
    }

    /// But for how it was got, a row is the row of the run without gaps.
    private func expectSame(_ rows: [Instant: Slot], _ truth: [Instant: Slot], _ comment: Comment) {
        #expect(rows.count == truth.count, comment)
        for (end, expected) in truth {
            guard var row = rows[end] else { continue }
            row.quality = expected.quality
            for index in row.circuits.indices { row.circuits[index].quality = .measured }
            #expect(differences(row, expected) == [], comment)
        }
    }

    /// Names of the fields that differ, with what they are and what they should be.
    private func differences(_ slot: Slot, _ expected: Slot) -> [String] {
        zip(Mirror(reflecting: slot).children, Mirror(reflecting: expected).children).compactMap { field, other in
            "\(field.value)" == "\(other.value)" ? nil : "\(field.label ?? ""): \(field.value), not \(other.value)"
        }
    }

    @Test(arguments: 1...20) func `what the log fills is as if it had been read in time`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let emissions = readings(&random, hasCounters: false)
        var whole = Carry(at: Self.noon)
        let truth = rows(emissions, &whole)
        let gaps = (0..<4).map { index -> Range<Int> in
            let start = index * 48 + Int.random(in: 2...10, using: &random)
            return start..<(start + Int.random(in: 1...30, using: &random))
        }
        let read = emissions.enumerated().filter { index, _ in !gaps.contains { $0.contains(index - 1) } }.map(
            \.element)
        var carry = Carry(at: Self.noon)
        var rows = rows(read, &carry)
        #expect(rows.count < truth.count)
        // Asked in pieces, and for more than is missing.
        let spans = gaps.flatMap { gap -> [Range<Int>] in
            let middle = (gap.lowerBound + gap.upperBound) / 2
            return [(gap.lowerBound - 1)..<middle, middle..<(gap.upperBound + 1)]
        }
        repair(&rows, spans, emissions.map(logged), &carry)
        expectSame(rows, truth, "seed \(seed)")
        #expect(carry.flows == whole.flows && carry.day.energy == whole.day.energy, "seed \(seed)")
        #expect(carry.circuits == whole.circuits, "seed \(seed)")

        // Once more changes nothing.
        let before = rows
        repair(&rows, spans, emissions.map(logged), &carry)
        #expect(rows == before, "seed \(seed)")
    }

    @Test(arguments: 1...20) func `what a counter told of a gap stays its sum, and the log says when it was`(
        seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        let emissions = readings(&random, hasCounters: true)
        var whole = Carry(at: Self.noon)
        let truth = rows(emissions, &whole)
        let gap = 20..<(20 + Int.random(in: 12...100, using: &random))
        let read = emissions.enumerated().filter { index, _ in !gap.contains(index - 1) }.map(\.element)
        var carry = Carry(at: Self.noon)
        var rows = rows(read, &carry)
        let counted = rows.values.reduce(0) { $0 + ($1.energy.imported ?? 0) }
        // The log lacks the last hour of the gap, and gives the rest in four portions.
        let told = gap.lowerBound..<(gap.upperBound - 12)
        let spans = stride(from: told.lowerBound, to: told.upperBound, by: 25).map {
            $0..<min($0 + 25, told.upperBound)
        }
        repair(&rows, spans, emissions.map(logged), &carry)
        #expect(rows.values.reduce(0) { $0 + ($1.energy.imported ?? 0) } == counted, "seed \(seed)")
        for index in told {
            let end = Self.noon + Int64(index + 1) * Self.interval
            for channel in [EnergyChannel.flow(.imported), .flow(.exported), .flow(.produced), .circuit(0)] {
                let (energy, expected) = (rows[end]?.energy(channel) ?? -1, truth[end]?.energy(channel) ?? -2)
                #expect(abs(energy - expected) <= 2, "seed \(seed), slot \(index), \(channel)")
            }
            #expect(rows[end]?.totalPowerW == truth[end]?.totalPowerW, "seed \(seed), slot \(index)")
        }
        // Behind the gap nothing has changed: the counter had told it all.
        for index in gap.upperBound..<Self.slots {
            let end = Self.noon + Int64(index + 1) * Self.interval
            #expect(rows[end]?.lifetime.imported == truth[end]?.lifetime.imported, "seed \(seed), slot \(index)")
            #expect(
                rows[end]?.circuits.first?.lifetime == truth[end]?.circuits.first?.lifetime, "seed \(seed), \(index)")
        }
        #expect(carry.flows.imported == whole.flows.imported, "seed \(seed)")
    }

    @Test func `what the counters tell once a silent part is back is not counted again by the log`() {
        func reading(_ index: Int, isSilent: Bool) -> Emission {
            var emission = house.emission(
                at: Double(index) * 300, Powers(gridW: 1200, solarW: isSilent ? nil : 600), period: 300)
            emission.counters.imported = kWh(10 + 0.1 * Double(index))
            emission.counters.exported = kWh(20)
            emission.counters.produced = isSilent ? nil : kWh(30 + 0.05 * Double(index))
            return emission
        }
        let read = (0...12).map { reading($0, isSilent: [5, 6, 7].contains($0)) }
        var carry = Carry(at: Self.noon)
        let before = house.fold(read, slots: 12, carry: &carry).compactMap(\.self)
        #expect(before[7].energy.consumed == kWh(0.6))
        let log = [5, 6, 7].map { index in
            house.emission(at: Double(index) * 300, Powers(gridW: 1200, solarW: 600), period: 300)
        }
        let outcome = Repair.fill(
            from: Self.noon + 4 * Self.interval, to: Self.noon + 7 * Self.interval, records: log, rows: before,
            rules: rules(carry))
        #expect(outcome.slots.map(\.totalPowerW) == [1800, 1800, 1800])
        #expect(outcome.slots.allSatisfy { $0.energy.consumed == nil })
        #expect(outcome.shifts.allSatisfy { $0.flows.consumed == 0 && $0.day == 0 })
    }

    @Test func `a log that lacks the import leaves what is paid for as the counter told it`() {
        var house = House(known: [.consumption, .solar])
        house.interval = Self.interval
        let read = (0...12).filter { ![5, 6, 7].contains($0) }.map { index in
            var emission = house.emission(
                at: Double(index) * 300, Powers(solarW: 0, consumptionW: 1200), period: 300)
            emission.counters.imported = kWh(10 + 0.1 * Double(index))
            return emission
        }
        var carry = Carry(at: Self.noon)
        let rows = house.fold(read, slots: 12, carry: &carry).compactMap(\.self)
        let log = [5, 6, 7].map { house.emission(at: Double($0) * 300, Powers(consumptionW: 1200), period: 300) }
        let outcome = Repair.fill(
            from: Self.noon + 4 * Self.interval, to: Self.noon + 7 * Self.interval, records: log, rows: rows,
            rules: Repair.Rules(
                fold: house.rules, interval: Self.interval, zone: .utc, counted: carry.counted(known: house.known),
                hasMeterDay: false))
        #expect(outcome.slots.prefix(3).map(\.energy.consumed) == [kWh(0.1), kWh(0.1), kWh(0.1)])
        #expect(outcome.slots.prefix(3).map(\.billed) == [kWh(0.1), kWh(0.1), kWh(0.1)])
    }

    @Test func `a log coarser than the slots fills the missing ones with what is left of its energy`() {
        // Three of twelve slots of an hour were not measured; the hour was 1.3 kWh.
        let read = (0...12).filter { ![5, 6, 7].contains($0) }.map { index in
            house.emission(at: Double(index) * 300, Powers(gridW: 1200, solarW: 0), period: 300)
        }
        var carry = Carry(at: Self.noon)
        var rows = Dictionary(
            house.fold(read, slots: 12, carry: &carry).compactMap { $0 }.map { ($0.end, $0) }
        ) { first, _ in first }
        var record = house.emission(at: 3600, Powers(gridW: 1300, solarW: 0), period: 3600)
        record.quality = .backfilled
        record.periodEnergy.imported = kWh(1.3)
        let measured = rows
        repair(&rows, [0..<12], [record], &carry)
        for index in 1...12 {
            let end = Self.noon + Int64(index) * Self.interval
            if [5, 6, 7].contains(index) {
                // 1.3 - 9 x 0.1 = 0.4 kWh in 15 minutes.
                #expect(abs((rows[end]?.energy.imported ?? 0) - kWh(0.4) / 3) <= 1)
                #expect(rows[end]?.powers.gridW == 1600 && rows[end]?.quality == .backfilled)
            } else {
                #expect(rows[end]?.energy.imported == measured[end]?.energy.imported)
                #expect(rows[end]?.powers == measured[end]?.powers)
            }
        }
        #expect(rows[Self.noon + Duration.hour]?.lifetime.imported == kWh(1.3))
    }

    @Test func `a slot that was measured is left alone, whatever the log says`() {
        let read = (0...12).map { house.emission(at: Double($0) * 300, Powers(gridW: 500, solarW: 0), period: 300) }
        var carry = Carry(at: Self.noon)
        var rows = Dictionary(
            house.fold(read, slots: 12, carry: &carry).compactMap { $0 }.map { ($0.end, $0) }
        ) { first, _ in first }
        let before = rows
        let log = (0...12).map { house.emission(at: Double($0) * 300, Powers(gridW: 9999, solarW: 0), period: 300) }
        repair(&rows, [0..<12], log, &carry)
        #expect(rows == before)
    }
}
