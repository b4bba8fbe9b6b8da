import Analysis
import Readings

/// The way of one instance's emissions to its slots: keeps the emissions of slots that may still change, closes slots
/// as time passes, and folds a closed one again when something that belongs to it comes late.
struct InstanceLine {
    struct Settings {
        var identity: InstanceIdentity
        /// Length of a slot in nanoseconds; divides 15 minutes.
        var interval: Int64
        /// How late an emission may come and still change a closed slot.
        var late: Int64
        var rules: FoldRules
    }

    enum Acceptance: Hashable {
        case taken
        /// At or before what is final: counted and left out.
        case tooLate
    }

    /// Silence is folded slot by slot up to here; what a counter tells of a longer one is spread over the end of it.
    private static let longestSilence = 40 * Duration.day

    let settings: Settings
    /// The accounts at the end of the newest final slot; nil before the first emission.
    private(set) var base: Carry?
    /// The newest emission at or before `base.at`.
    private var previous: Emission?
    /// What came after, by timestamp.
    private var pending: [Emission] = []
    /// End of the newest closed slot; before the first, where the first begins.
    private var closedEnd = Instant(nanoseconds: .min)
    /// End of the newest slot that time has closed; nil before there is one.
    private(set) var newestSlot: Instant?
    /// The accounts at the ends of the closed slots that may still change, oldest first.
    private var closed: [Carry] = []
    /// From here on slots have to be folded (again).
    private var dirtyFrom: Instant?
    /// The house's accounts at the newest emission; nil where something came out of order and they are to be made anew.
    private var live: Carry?
    /// Closed slots that may still change, as they were last given out.
    private var given: [Instant: Slot] = [:]

    /// - Parameters:
    ///   - base: what `base` was, from the store.
    ///   - journal: the emissions that the store kept, by timestamp.
    init(settings: Settings, base: Carry?, journal: [Emission]) {
        self.settings = settings
        self.base = base
        guard let base else {
            for emission in journal { _ = accept(emission) }
            return
        }
        previous = journal.last { $0.timestamp <= base.at }
        pending = journal.filter { $0.timestamp > base.at }
        closedEnd = base.at
        newestSlot = base.at
        dirtyFrom = base.at
    }

    /// How long after its end a slot waits for the sample that is just being taken.
    private var grace: Int64 { min(2 * Duration.second, settings.interval / 10) }

    /// Takes an emission in any order.
    mutating func accept(_ emission: Emission) -> Acceptance {
        if base == nil {
            let start = emission.timestamp.slotEnd(interval: settings.interval) - settings.interval
            base = Carry(at: start)
            closedEnd = start
        }
        guard let base, emission.timestamp > base.at else { return .tooLate }
        let place = pending.lastIndex { $0.timestamp <= emission.timestamp }
        if let place, pending[place].timestamp == emission.timestamp {
            pending[place] = emission
            live = nil
        } else {
            let index = place.map { $0 + 1 } ?? 0
            if index < pending.count { live = nil }
            pending.insert(emission, at: index)
        }
        markDirty(from: firstChange(by: emission))
        return .taken
    }

    /// The accounts of the house, as of the newest emission.
    mutating func dayNow(day: (Instant) -> DayBounds) -> (carry: Carry, at: Instant)? {
        guard let newest = pending.last, var start = trusted(upTo: newest.timestamp) else { return nil }
        // What lies behind the base is not there any more: accounts from before it cannot be gone on from.
        if let live, live.at > start.at { start = live }
        let carry = accounts(from: start, at: newest.timestamp, day: day, takesCircuits: false)
        live = carry
        return (carry, newest.timestamp)
    }

    /// Whether the meter has a day counter of its own, as far as its readings have shown.
    var hasDayCounter: Bool { base?.day.reading != nil || pending.contains { $0.dayEnergy != nil } }

    /// The accounts of circuits, as of the last slot.
    var circuitAccounts: [CircuitAccount] { (closed.last ?? base)?.circuits ?? [] }

    /// The newest accounts at the end of a slot that nothing has changed since.
    private func trusted(upTo limit: Instant = .max) -> Carry? {
        let limit = min(limit, dirtyFrom ?? .max)
        return closed.last { $0.at <= limit } ?? base
    }

    /// A step ends at a midnight, where the day's account begins anew.
    private func accounts(
        from start: Carry, at instant: Instant, day: (Instant) -> DayBounds, takesCircuits: Bool
    ) -> Carry {
        var carry = start
        while carry.at < instant {
            carry = fold(carry, to: min(instant, day(carry.at).end), day: day, takesCircuits: takesCircuits).carry
        }
        return carry
    }

    /// Closes what has ended, and folds again what has changed. Answers the slots that are new or different.
    mutating func close(now: Instant, day: (Instant) -> DayBounds) -> [Slot] {
        guard hasWork(now), let newest = pending.last ?? previous, var carry = trusted() else { return [] }
        // Silence is not folded: it waits for the emission that ends it.
        let reach = newest.timestamp.slotEnd(interval: settings.interval)
        let first = dirtyFrom ?? closedEnd
        closed.removeAll { $0.at > carry.at }
        var changed: [Slot] = []
        while let next = nextEnd(after: carry.at), next <= reach, next + grace <= now {
            let result = fold(carry, to: next, day: day, takesCircuits: true)
            carry = result.carry
            closed.append(carry)
            if let slot = result.slot, slot.length <= settings.interval, given[next] != slot {
                given[next] = slot
                changed.append(slot)
            }
            closedEnd = max(closedEnd, next)
            newestSlot = closedEnd
        }
        if carry.at >= first { dirtyFrom = nil }
        return changed
    }

    /// Makes final what can no longer change. Answers the new base and the oldest emission that is still needed; nil
    /// where nothing has moved.
    mutating func finalise(now: Instant) -> (base: Carry, keepFrom: Instant)? {
        guard dirtyFrom == nil, let newest = pending.last else { return nil }
        // The slot of the newest emission stays open: what ends a silence has to find it.
        let limit = min(now - settings.late, newest.timestamp.slotEnd(interval: settings.interval) - settings.interval)
        let count = closed.firstIndex { $0.at > limit } ?? closed.endIndex
        guard count > 0 else { return nil }
        let final = closed[count - 1]
        for carry in closed[..<count] { given[carry.at] = nil }
        closed.removeFirst(count)
        base = final
        let split = pending.firstIndex { $0.timestamp > final.at } ?? pending.endIndex
        if split > 0 { previous = pending[split - 1] }
        pending.removeFirst(split)
        return (final, previous?.timestamp ?? final.at)
    }

    /// Takes what a repair of final slots adds to the accounts behind them.
    mutating func shift(_ sum: EnergyShift, day: Instant, ofDay: Millijoules) {
        base?.shift(sum, day: day, ofDay: ofDay)
        live?.shift(sum, day: day, ofDay: ofDay)
        for index in closed.indices { closed[index].shift(sum, day: day, ofDay: ofDay) }
        if let base { markDirty(from: base.at + 1) }
    }

    /// Whether a whole slot lies in the future: the clock was set back since it was made. A step by seconds, as clocks make
    /// them, crosses only the end of the newest.
    func isAhead(of now: Instant) -> Bool {
        newestSlot.map { $0 - settings.interval >= now } ?? false
    }

    /// Goes back to the end of the slot that contains `now`: those after it were made by a clock that was wrong, and are
    /// overwritten as time reaches them; that one stays, since what comes for it now is only a part. What was counted stays
    /// counted. Answers the new base; every emission that was kept is to be forgotten.
    mutating func rewind(to now: Instant, day: (Instant) -> DayBounds) -> Carry? {
        guard let start = trusted() else { return nil }
        var carry = accounts(from: start, at: pending.last?.timestamp ?? start.at, day: day, takesCircuits: true)
        carry.at = now.slotEnd(interval: settings.interval)
        carry.forgetReadingTimes(after: now)
        previous = nil
        pending = []
        closed = []
        given = [:]
        dirtyFrom = nil
        live = nil
        base = carry
        closedEnd = carry.at
        newestSlot = carry.at
        return carry
    }

    /// When `close` has something to do next, by wall time.
    var nextClose: Instant? {
        guard let newest = pending.last ?? previous, let next = nextEnd(after: closedEnd) else { return nil }
        return next <= newest.timestamp.slotEnd(interval: settings.interval) ? next + grace : nil
    }

    /// Whether a closed slot has to be folded again, or an open one has ended.
    private func hasWork(_ now: Instant) -> Bool {
        if let dirtyFrom, dirtyFrom < closedEnd { return true }
        return nextClose.map { $0 <= now } ?? false
    }

    private func fold(
        _ carry: Carry, to end: Instant, day: (Instant) -> DayBounds, takesCircuits: Bool
    ) -> (slot: Slot?, carry: Carry) {
        let first = pending.firstIndex { $0.timestamp > carry.at } ?? pending.endIndex
        let before = first > 0 ? pending[first - 1] : previous
        let bounds = day(carry.at)
        return Fold.slot(
            after: carry, previous: before, emissions: pending[first...], end: end, dayStart: bounds.start,
            nextDayStart: bounds.end, rules: settings.rules, takesCircuits: takesCircuits)
    }

    /// The end of the slot that begins at `start`; after a change of interval a slot may be shorter than the others. A
    /// silence of months is one step.
    private func nextEnd(after start: Instant) -> Instant? {
        let end = (start + 1).slotEnd(interval: settings.interval)
        guard let newest = pending.last, newest.timestamp - end > Self.longestSilence, isSilent(from: start) else {
            return end
        }
        return (newest.timestamp - Self.longestSilence).slotEnd(interval: settings.interval)
    }

    private func isSilent(from start: Instant) -> Bool {
        guard let next = pending.first(where: { $0.timestamp > start }) else { return true }
        return next.timestamp - start > Self.longestSilence
    }

    /// The earliest instant whose slot an emission can change: the beginning of its period, or of the silence that it
    /// ends where a counter may tell of it.
    private func firstChange(by emission: Emission) -> Instant {
        let before = pending.last { $0.timestamp < emission.timestamp } ?? previous
        return min(before?.timestamp ?? emission.timestamp, emission.timestamp - emission.period)
    }

    private mutating func markDirty(from instant: Instant) {
        let start = instant.slotEnd(interval: settings.interval) - settings.interval
        dirtyFrom = min(dirtyFrom ?? start, start)
    }
}

/// A local day: from its first instant to the next one's.
struct DayBounds {
    var start: Instant
    var end: Instant
}

extension Instant {
    fileprivate static let max = Instant(nanoseconds: .max)
}
