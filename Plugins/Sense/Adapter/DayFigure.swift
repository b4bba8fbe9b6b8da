import AdapterKit

/// Today's kWh, which the cloud brings up to date once an hour: asked for after each full hour, and where it has not moved
/// every 5 minutes.
struct DayFigure: Sendable {
    /// Wall time; nil = at once.
    private var due: Int64?
    /// Monotonic.
    private var askedAt: Int64?
    /// The figure that was taken last, and the day that it is of.
    private var last: (start: Int64, kWh: Double)?

    private static let pause = 300 * Time.second
    /// After a full hour: the cloud takes its time.
    private static let settling = 180 * Time.second
    /// A figure that is a little smaller than before was corrected.
    private static let correctionKWh = 0.2
    private static let longestDay = 25 * Time.hour

    mutating func isDue(wall: Int64, monotonic: Int64) -> Bool {
        if let askedAt, monotonic - askedAt < Self.pause { return false }
        // Further ahead than ever is a clock that was set back.
        if let due, wall < due, due - wall <= Time.hour + Self.settling { return false }
        askedAt = monotonic
        return true
    }

    /// - Parameter usage: what `history/usage` answers for a day.
    /// - Returns: the figure, where it is one: of today, counted, and no less than before. Evenings are known in which the
    ///   cloud says 0.
    mutating func take(_ usage: JSON, at now: Int64) -> Double? {
        due = now + Self.pause
        guard let start = usage["start"]?.text.flatMap(ISOTime.nanoseconds), start <= now,
            now - start < Self.longestDay,
            let kWh = usage["consumption"]?["usage_total_kwh"]?.number, kWh > 0
        else { return nil }
        if let last, last.start == start {
            guard kWh >= last.kWh - Self.correctionKWh else { return nil }
            guard kWh != last.kWh else { return kWh }
        }
        last = (start, kWh)
        due = now - now % Time.hour + Time.hour + Self.settling
        return kWh
    }

    mutating func fail(_ error: AdapterError, at now: Int64) {
        let pause = max(Double(Self.pause), min(error.retryAfterSeconds, 3600) * Double(Time.second))
        due = now + (Int64(exactly: pause.rounded()) ?? Self.pause)
    }
}
