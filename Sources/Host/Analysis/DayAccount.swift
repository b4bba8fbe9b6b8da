public import Readings

/// `daily_kwh`: energy since local midnight. It is the meter's own day counter where there is one, else the sum of
/// increments; it never falls within a day. The cases stand in `docs/energy.md`.
public struct DayAccount: Hashable, Sendable {
    /// First instant of the local day that the figures belong to; nil before the first slot.
    public var dayStart: Instant?
    /// The figure when the day counter was last read, or 0 at midnight.
    public var settled: Millijoules = 0
    /// Increments since.
    public var pending: Millijoules = 0
    /// The meter's day counter when last read, and when.
    public var reading: Millijoules?
    public var readAt = Instant(nanoseconds: 0)
    /// What is added to the meter's figure: where it began its day later than we did.
    public var offset: Millijoules = 0
    /// Whether the meter's figure is of this day: false from midnight until it has dropped.
    public var isMeterOfToday = false
    /// Whether the newest emission had the day counter, and it was believed.
    public var isAlive = false
    /// A reading that did not follow from the last one, until the next says what it was.
    public var doubt: Doubt?

    public struct Doubt: Hashable, Sendable {
        var reading: Millijoules
        var at: Instant
    }

    /// A meter that begins its day up to this much behind the increments is simply right.
    private static let tolerance: Millijoules = 180_000_000  // 0.05 kWh

    public init() {}

    /// The figure now.
    public var energy: Millijoules { isAlive && isMeterOfToday ? settled : settled +| pending }

    /// Begins the local day that starts at `start`. Answers the old day's final figure.
    mutating func begin(dayAt start: Instant) -> Millijoules? {
        guard dayStart != start else { return nil }
        let closing = dayStart == nil ? nil : energy
        dayStart = start
        settled = 0
        pending = 0
        offset = 0
        isMeterOfToday = false
        isAlive = false
        return closing
    }

    mutating func add(_ increment: Millijoules) {
        pending = pending +| max(0, increment)
    }

    /// Adds what a repair has found earlier in the day, where the figure is not the meter's own.
    mutating func shift(_ energy: Millijoules) {
        if !isMeterOfToday { settled = settled +| energy }
    }

    /// Takes the meter's day counter of an emission; nil = it was not measured. A value that does not follow from the last
    /// one is not believed before the next one follows from it: one wild value would stand until midnight.
    mutating func read(_ counter: Millijoules?, at instant: Instant, maximumPowerW: Double) {
        guard let counter else {
            isAlive = false
            return
        }
        let sinceMidnight = CounterRule.possible(
            in: dayStart.map { instant - $0 } ?? .max, maximumPowerW: maximumPowerW)
        if !isMeterOfToday, isOfToday(counter, at: instant, possible: sinceMidnight) {
            isMeterOfToday = true
            let behind = energy -| counter
            offset = behind > Self.tolerance ? behind : 0
        } else if let reading, !follows(counter, Doubt(reading: reading, at: readAt), at: instant, maximumPowerW) {
            guard let doubt, follows(counter, doubt, at: instant, maximumPowerW) else {
                doubt = Doubt(reading: counter, at: instant)
                isAlive = false
                return
            }
            if counter < reading {
                // It dropped in the middle of our day (its midnight is not ours): counting goes on from here.
                if isMeterOfToday { offset = energy -| counter }
            } else if counter > sinceMidnight {
                // It is still yesterday's: what seemed to be its drop was none.
                isMeterOfToday = false
            }
        }
        doubt = nil
        reading = counter
        readAt = instant
        guard isMeterOfToday else {
            isAlive = false
            return
        }
        settled = max(energy, counter +| offset)
        pending = 0
        isAlive = true
    }

    /// Whether the counter can have come from an earlier value: it has risen by a possible energy, or jittered.
    private func follows(
        _ counter: Millijoules, _ earlier: Doubt, at instant: Instant, _ maximumPowerW: Double
    ) -> Bool {
        let rise = counter -| earlier.reading
        return rise >= -CounterRule.jitter
            && rise <= CounterRule.possible(in: instant - earlier.at, maximumPowerW: maximumPowerW)
    }

    /// Whether the counter, not yet of today, has begun the day: on the first reading of all it is taken as it stands,
    /// later once it has dropped (by more than jitter, or to less than half) to what today can have, or where the meter's
    /// midnight passed while nobody looked.
    private func isOfToday(_ counter: Millijoules, at instant: Instant, possible: Millijoules) -> Bool {
        guard let reading else { return true }
        let hasDropped = counter < reading -| CounterRule.jitter || counter < reading / 2
        if hasDropped, counter <= possible { return true }
        guard let dayStart else { return false }
        return readAt < dayStart - Duration.hour && instant > dayStart + Duration.hour
    }
}
