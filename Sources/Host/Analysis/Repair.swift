public import Readings

/// Fills slots of which too little was measured with what the meter's own log tells of them. Pure: rows in, rows out.
///
/// A repair replaces a field by a value, never by absence, and a slot only by one that covers more. Where a counter has
/// told the energy of a gap, its sum stands, and the log says how it is spread. The rule stands in `docs/energy.md`.
public struct Repair {
    /// A slot of which less was measured is a gap.
    public static let fullCoverage = 0.8

    public struct Rules: Sendable {
        public var fold: FoldRules
        /// Length of a slot.
        public var interval: Int64
        public var zone: Zone
        /// Energies that a counter tells, over silence too.
        public var counted: Set<EnergyChannel>
        /// Whether `daily_kwh` is the meter's own figure: a repair does not change it.
        public var hasMeterDay: Bool

        public init(fold: FoldRules, interval: Int64, zone: Zone, counted: Set<EnergyChannel>, hasMeterDay: Bool) {
            self.fold = fold
            self.interval = interval
            self.zone = zone
            self.counted = counted
            self.hasMeterDay = hasMeterDay
        }
    }

    public struct Outcome: Sendable {
        /// New and changed slots, ascending.
        public var slots: [Slot] = []
        /// What they add to the counters of all that follows, a shift for each run of them.
        public var shifts: [EnergyShift] = []
    }

    private let rules: Rules
    /// What is stored, by its end.
    private var rows: [Instant: Slot]
    private let known: [Instant: Slot]
    /// Starts of quarter hours that stay as they are.
    private let closed: Set<Instant>
    private let crossed: Set<Instant>
    private let waiting: [Instant: EnergyShift]

    /// - Parameters:
    ///   - from, to: a span on the slots' grid.
    ///   - records: the log's, ascending; they describe periods.
    ///   - rows: the stored slots of the span and around it, ascending: as far as the gap reaches, and those before, at least
    ///     one, until each circuit has shown.
    ///   - closed: starts of quarter hours of which slots are gone: what they had is counted, so nothing there is new.
    ///   - waiting: shifts of earlier repairs that the slots behind them have not got yet.
    public static func fill(
        from: Instant, to: Instant, records: [Emission], rows: [Slot], closed: Set<Instant> = [],
        waiting: [EnergyShift] = [], rules: Rules
    ) -> Outcome {
        var repair = Repair(rules: rules, rows: rows, closed: closed, waiting: waiting)
        return repair.run(from, to, records).joined(in: rules.zone)
    }

    /// Whether a slot that is stored (nil: is not) has to be filled.
    public static func isGap(_ slot: Slot?) -> Bool {
        guard let slot else { return true }
        return slot.coverage < fullCoverage
    }

    private init(rules: Rules, rows: [Slot], closed: Set<Instant>, waiting: [EnergyShift]) {
        self.rules = rules
        self.closed = closed
        crossed = Self.crossed(by: rows, interval: rules.interval)
        self.waiting = Dictionary(waiting.map { ($0.end, $0) }) { first, second in
            var sum = first
            sum.add(second)
            return sum
        }
        known = Dictionary(rows.map { ($0.end, $0) }) { first, _ in first }
        self.rows = known
    }

    private mutating func run(_ from: Instant, _ to: Instant, _ records: [Emission]) -> Outcome {
        let filled = candidates(from, to, records).compactMap { candidate -> Instant? in
            let row = known[candidate.end]
            guard Self.isGap(row), candidate.coverage > row?.coverage ?? -1, !isClosed(candidate.end),
                !crossed.contains(candidate.end)
            else { return nil }
            rows[candidate.end] = merged(row, candidate)
            return candidate.end
        }
        guard !filled.isEmpty else { return Outcome() }
        for channel in rules.counted { keepSum(of: channel, filled: filled) }
        return link()
    }

    /// Whether the slot that ends then lies in a quarter hour that stays as it is.
    private func isClosed(_ end: Instant) -> Bool {
        !closed.isEmpty && closed.contains(end.slotEnd(interval: Bucket.length) - Bucket.length)
    }

    /// The ends of slots that one of another length lies across, since the interval was changed: that one stays.
    private static func crossed(by rows: [Slot], interval: Int64) -> Set<Instant> {
        var crossed: Set<Instant> = []
        for row in rows {
            let last = row.end.slotEnd(interval: interval)
            guard row.length != interval || row.end != last else { continue }
            var end = (row.start + 1).slotEnd(interval: interval)
            while end <= last {
                crossed.insert(end)
                end = end + interval
            }
        }
        return crossed
    }

    // MARK: Candidates

    /// The log's records folded as if they had been read in time.
    private func candidates(_ from: Instant, _ to: Instant, _ records: [Emission]) -> [Slot] {
        let records = records.map { $0.period > rules.interval ? remainder(of: $0) : $0 }
        var slots: [Slot] = []
        var carry = Carry(at: from)
        var next = 0
        while carry.at < to {
            while next < records.count, records[next].timestamp <= carry.at { next += 1 }
            let result = Fold.slot(
                after: carry, previous: next > 0 ? records[next - 1] : nil, emissions: records[next...],
                end: carry.at + rules.interval, dayStart: rules.zone.startOfDay(containing: carry.at),
                nextDayStart: rules.zone.nextDayStart(after: carry.at), rules: rules.fold)
            carry = result.carry
            if var slot = result.slot {
                // A day that began in the middle of it knows only the meter's own figure.
                if !rules.hasMeterDay || carry.day.reading == nil {
                    slot.dayEnergy = nil
                    slot.closingDayEnergy = nil
                }
                slots.append(slot)
            }
        }
        return slots
    }

    /// A record that is coarser than a slot tells of its missing slots what it has beyond the measured ones.
    private func remainder(of record: Emission) -> Emission {
        let begin = record.timestamp - record.period
        var measured = MeasuredPart()
        var end = begin.slotEnd(interval: rules.interval)
        while end <= record.timestamp {
            if let row = known[end], !Self.isGap(row), row.start >= begin { measured.add(row) }
            end = end + rules.interval
        }
        return measured.remainder(of: record)
    }

    // MARK: Merging

    private func merged(_ row: Slot?, _ candidate: Slot) -> Slot {
        guard let row else { return candidate }
        var slot = candidate
        slot.isHouse = row.isHouse
        slot.powers.gridW = candidate.powers.gridW ?? row.powers.gridW
        slot.powers.solarW = candidate.powers.solarW ?? row.powers.solarW
        slot.powers.batteryW = candidate.powers.batteryW ?? row.powers.batteryW
        slot.powers.consumptionW = candidate.powers.consumptionW ?? row.powers.consumptionW
        slot.totalPowerW = candidate.totalPowerW ?? row.totalPowerW
        slot.minimumPowerW = candidate.minimumPowerW ?? row.minimumPowerW
        slot.maximumPowerW = candidate.maximumPowerW ?? row.maximumPowerW
        slot.unmonitoredPowerW = candidate.unmonitoredPowerW ?? row.unmonitoredPowerW
        slot.billed = candidate.billed ?? row.billed
        slot.dayEnergy = candidate.dayEnergy ?? row.dayEnergy
        slot.closingDayEnergy = candidate.closingDayEnergy ?? row.closingDayEnergy
        for flow in Flow.allCases { slot.energy[flow] = candidate.energy[flow] ?? row.energy[flow] }
        if row.energy.consumed == nil, rules.counted.contains(.flow(.consumed)) {
            // A part was silent: what was used meanwhile counts where the balance of the counters was known again.
            slot.energy.consumed = nil
        }
        var circuits = Dictionary(row.circuits.map { ($0.circuit, $0) }) { first, _ in first }
        for circuit in candidate.circuits {
            if let known = circuits[circuit.circuit], known.coverage >= circuit.coverage, known.powerW != nil {
                continue
            }
            let known = circuits[circuit.circuit]
            circuits[circuit.circuit] = circuit
            circuits[circuit.circuit]?.energy = circuit.energy ?? known?.energy
            circuits[circuit.circuit]?.returned = circuit.returned ?? known?.returned
            circuits[circuit.circuit]?.powerW = circuit.powerW ?? known?.powerW
        }
        slot.circuits = circuits.values.sorted { $0.circuit < $1.circuit }
        return slot
    }

    // MARK: Counted energies

    /// The gap's energy by the counter is what it was: what the log does not tell of it lies in the slots that are still
    /// empty, and where there are none the log's figures are brought to it.
    private mutating func keepSum(of channel: EnergyChannel, filled: [Instant]) {
        for block in blocks(around: filled) {
            // Of a slot that was not there, or had none of it, no counter has told.
            let block = block.filter { known[$0]?.energy(channel) != nil }
            guard !block.isEmpty else { continue }
            let sum = block.reduce(0) { $0 +| (known[$1]?.energy(channel) ?? 0) }
            let fresh = block.filter { filled.contains($0) }
            let earlier = block.filter { !filled.contains($0) && known[$0]?.quality == .backfilled }
            let empty = block.filter {
                !filled.contains($0) && Self.isGap(known[$0]) && known[$0]?.quality != .backfilled
            }
            let budget = max(0, sum -| earlier.reduce(0) { $0 +| (known[$1]?.energy(channel) ?? 0) })
            let told = fresh.reduce(0) { $0 +| (rows[$1]?.energy(channel) ?? 0) }
            let share = empty.isEmpty ? budget : min(told, budget)
            spread(share, over: fresh, channel, weights: fresh.map { rows[$0]?.energy(channel) ?? 0 })
            spread(budget -| share, over: empty, channel, weights: empty.map { known[$0]?.length ?? 0 })
        }
    }

    /// Neighbouring slots that are, or were, a gap.
    private func blocks(around filled: [Instant]) -> [[Instant]] {
        func belongs(_ end: Instant) -> Bool {
            guard let row = rows[end], !isClosed(end) else { return false }
            return Self.isGap(known[end]) || row.quality == .backfilled
        }
        var blocks: [[Instant]] = []
        var covered = Instant(nanoseconds: .min)
        for end in filled where end > covered {
            var first = end
            while belongs(first - rules.interval) { first = first - rules.interval }
            var block = [first]
            while belongs(block[block.count - 1] + rules.interval) {
                block.append(block[block.count - 1] + rules.interval)
            }
            covered = block[block.count - 1]
            blocks.append(block)
        }
        return blocks
    }

    /// In proportion to the weights, to the millijoule; evenly where all weights are 0.
    private mutating func spread(
        _ energy: Millijoules, over ends: [Instant], _ channel: EnergyChannel, weights: [Int64]
    ) {
        let weights = weights.map { Double(max(0, $0)) }
        let whole = weights.reduce(0, +)
        var before = 0.0
        var given: Millijoules = 0
        for (index, end) in ends.enumerated() {
            before += whole > 0 ? weights[index] : 1
            let upTo =
                Int64(exactly: (Double(energy) * (before / (whole > 0 ? whole : Double(ends.count)))).rounded()) ?? 0
            rows[end]?.setEnergy(upTo -| given, channel)
            given = upTo
        }
    }

    // MARK: Counters and the day

    /// Gives the changed slots their lifetime counters and day figures, and says what they add for those behind them.
    /// What lies behind a repaired slot gets its part later: until then it counts on from what was there before.
    private func link() -> Outcome {
        var outcome = Outcome()
        var previous: Slot?
        // Not every slot has every circuit.
        var circuits: [Int32: Millijoules] = [:]
        for end in rows.keys.sorted() {
            guard var slot = rows[end] else { continue }
            let old = known[end]
            if slot != old {
                bill(&slot)
                let shift = EnergyShift(from: old, to: slot, ofDay: rules.hasMeterDay ? nil : slot.dayFlow)
                carryOn(&slot, old: old, previous: previous, circuits: circuits, shift: shift)
                outcome.slots.append(slot)
                if !shift.isNothing { outcome.shifts.append(shift) }
            }
            if let old {
                let before = unshifted(old)
                for circuit in before.circuits {
                    if let lifetime = circuit.lifetime { circuits[circuit.circuit] = lifetime }
                }
                previous = before
            }
        }
        return outcome
    }

    /// As the slot would be if it had not been repaired, as far as those behind it are concerned.
    private func unshifted(_ slot: Slot) -> Slot {
        guard let shift = waiting[slot.end] else { return slot }
        var slot = slot
        for flow in Flow.allCases { slot.lifetime[flow] = slot.lifetime[flow].map { $0 -| shift.flows[flow] } }
        for index in slot.circuits.indices {
            let number = slot.circuits[index].circuit
            slot.circuits[index].lifetime = slot.circuits[index].lifetime.map { $0 -| (shift.circuits[number] ?? 0) }
        }
        if slot.closingDayEnergy == nil { slot.dayEnergy = slot.dayEnergy.map { $0 -| shift.day } }
        return slot
    }

    /// What is paid for follows the flow that it is.
    private func bill(_ slot: inout Slot) {
        guard slot.billed != nil else { return }
        slot.billed = slot.energy.imported ?? slot.energy.consumed
    }

    private func carryOn(
        _ slot: inout Slot, old: Slot?, previous: Slot?, circuits: [Int32: Millijoules], shift: EnergyShift
    ) {
        for flow in Flow.allCases where slot.energy[flow] != nil {
            let before = old?.lifetime[flow].map { $0 +| shift.flows[flow] }
            slot.lifetime[flow] = before ?? (previous?.lifetime[flow] ?? 0) +| (slot.energy[flow] ?? 0)
        }
        for index in slot.circuits.indices {
            let number = slot.circuits[index].circuit
            guard let energy = slot.circuits[index].energy else { continue }
            let known = old?.circuits.first { $0.circuit == number }?.lifetime
            slot.circuits[index].lifetime =
                known.map { $0 +| (shift.circuits[number] ?? 0) } ?? (circuits[number] ?? 0) +| energy
        }
        guard !rules.hasMeterDay else { return }
        let zone = rules.zone
        let day = zone.startOfDay(containing: slot.end - 1)
        let isLast = zone.nextDayStart(after: slot.end - 1) == slot.end
        let figure: Millijoules
        if let known = isLast ? old?.closingDayEnergy : old?.dayEnergy {
            figure = known +| shift.day
        } else {
            let isSameDay = previous.map { $0.end > day } ?? false
            figure = (isSameDay ? previous?.dayEnergy ?? 0 : 0) +| (slot.energy[slot.dayFlow] ?? 0)
        }
        slot.dayEnergy = isLast ? 0 : figure
        slot.closingDayEnergy = isLast ? figure : nil
    }
}

extension Slot {
    /// What `daily_kwh` counts.
    var dayFlow: Flow { totalIs == .consumption ? .consumed : .imported }
}
