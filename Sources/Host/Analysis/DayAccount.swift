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
    /// Whether the newest emission had the day counter.
    public var isAlive = false

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

    /// Takes the meter's day counter of an emission; nil = it was not measured.
    mutating func read(_ counter: Millijoules?, at instant: Instant) {
        guard let counter else {
            isAlive = false
            return
        }
        if !isMeterOfToday, isOfToday(counter, at: instant) {
            isMeterOfToday = true
            let behind = energy -| counter
            offset = behind > Self.tolerance ? behind : 0
        } else if isMeterOfToday, let reading, counter < reading -| CounterRule.jitter {
            // It dropped in the middle of our day (its midnight is not ours): counting goes on from here.
            offset = energy -| counter
        }
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

    /// Whether the counter, not yet of today, has begun the day: on the first reading of all it is taken as it stands,
    /// later once it has dropped, or where the meter's midnight passed while nobody looked.
    private func isOfToday(_ counter: Millijoules, at instant: Instant) -> Bool {
        guard let reading else { return true }
        if counter < reading { return true }
        guard let dayStart else { return false }
        return readAt < dayStart - Duration.hour && instant > dayStart + Duration.hour
    }
}
