public import Readings

/// What a repaired slot adds to the counters of every slot behind it, and to the day's figure of those of its day.
public struct EnergyShift: Hashable, Sendable {
    /// End of the repaired slot.
    public var end: Instant
    public var flows = Flows<Millijoules>(repeating: 0)
    /// In the positive direction, by the circuit's number.
    public var circuits: [Int32: Millijoules] = [:]
    public var day: Millijoules = 0

    public init(end: Instant) {
        self.end = end
    }

    /// - Parameter flow: what the day's figure counts; nil where it is the meter's own.
    init(from old: Slot?, to new: Slot, ofDay flow: Flow?) {
        end = new.end
        for flow in Flow.allCases { flows[flow] = (new.energy[flow] ?? 0) -| (old?.energy[flow] ?? 0) }
        for circuit in new.circuits {
            let before = old?.circuits.first { $0.circuit == circuit.circuit }?.energy ?? 0
            let shift = (circuit.energy ?? 0) -| before
            if shift != 0 { circuits[circuit.circuit] = shift }
        }
        if let flow { day = flows[flow] }
    }

    var isNothing: Bool { day == 0 && circuits.isEmpty && Flow.allCases.allSatisfy { flows[$0] == 0 } }

    mutating func add(_ other: EnergyShift) {
        for flow in Flow.allCases { flows[flow] = flows[flow] +| other.flows[flow] }
        for (number, energy) in other.circuits { circuits[number] = circuits[number] +| energy }
        day = day +| other.day
    }
}

/// Brings the slots behind repaired ones up to date, one after the other in ascending order.
public struct ShiftedSlots {
    private let zone: Zone
    private var waiting: ArraySlice<EnergyShift>
    /// All that was repaired so far.
    public private(set) var sum: EnergyShift
    /// What of it belongs to the local day that began at `day`.
    private var day = Instant(nanoseconds: .min)
    private var ofDay: Millijoules = 0

    /// - Parameter shifts: in any order.
    public init(_ shifts: [EnergyShift], zone: Zone) {
        self.zone = zone
        waiting = shifts.sorted { $0.end < $1.end }[...]
        sum = EnergyShift(end: Instant(nanoseconds: .min))
    }

    /// The slot as it has to be; nil where nothing of it changes.
    public mutating func take(_ slot: Slot) -> Slot? {
        advance(to: slot.end - 1)
        let start = zone.startOfDay(containing: slot.end - 1)
        if start != day {
            day = start
            ofDay = 0
        }
        var shifted = slot
        for flow in Flow.allCases where sum.flows[flow] != 0 {
            shifted.lifetime[flow] = shifted.lifetime[flow].map { $0 +| sum.flows[flow] }
        }
        for index in shifted.circuits.indices {
            let number = shifted.circuits[index].circuit
            shifted.circuits[index].lifetime = shifted.circuits[index].lifetime.map {
                $0 +| (sum.circuits[number] ?? 0)
            }
        }
        if ofDay != 0 {
            if let closing = shifted.closingDayEnergy {
                shifted.closingDayEnergy = closing +| ofDay
            } else {
                shifted.dayEnergy = shifted.dayEnergy.map { $0 +| ofDay }
            }
        }
        return shifted == slot ? nil : shifted
    }

    /// What it comes to for the accounts at `instant`: all that was repaired, and the part of that day.
    public mutating func total(at instant: Instant) -> (sum: EnergyShift, day: Instant, ofDay: Millijoules) {
        advance(to: instant)
        let start = zone.startOfDay(containing: instant)
        return (sum, start, start == day ? ofDay : 0)
    }

    /// What the slots behind `end` have still to get, where those up to there have it: as one shift, and those to come.
    public mutating func rest(behind end: Instant) -> [EnergyShift] {
        advance(to: end)
        var passed = sum
        passed.end = end
        passed.day = zone.startOfDay(containing: end - 1) == day ? ofDay : 0
        return [passed] + waiting
    }

    /// Repaired slots have their own part already: it counts for those behind them.
    private mutating func advance(to instant: Instant) {
        while let next = waiting.first, next.end <= instant {
            waiting = waiting.dropFirst()
            sum.add(next)
            let start = zone.startOfDay(containing: next.end - 1)
            if start != day {
                day = start
                ofDay = 0
            }
            ofDay = ofDay +| next.day
        }
    }
}

extension Carry {
    /// The accounts after a repair of what lies before them. They may not have begun yet: no emission may have come
    /// since with the day, or with a circuit that the repair has found.
    ///
    /// - Parameters:
    ///   - start: first instant of the local day that the repair ends in.
    ///   - ofDay: the part that belongs to it.
    public mutating func shift(_ shifts: EnergyShift, day start: Instant, ofDay: Millijoules) {
        func move(_ account: inout EnergyAccount, _ energy: Millijoules) {
            account.lifetime = account.lifetime +| energy
            if account.reading != nil { account.lifetimeAtReading = account.lifetimeAtReading +| energy }
        }
        for flow in Flow.allCases where shifts.flows[flow] != 0 {
            var account = flows[flow] ?? EnergyAccount()
            move(&account, shifts.flows[flow])
            flows[flow] = account
        }
        for (number, energy) in shifts.circuits where number >= 0 {
            while circuits.count <= Int(number) { circuits.append(CircuitAccount()) }
            move(&circuits[Int(number)].energy, energy)
        }
        if day.dayStart == nil { _ = day.begin(dayAt: start) }
        if day.dayStart == start { day.shift(ofDay) }
    }
}
