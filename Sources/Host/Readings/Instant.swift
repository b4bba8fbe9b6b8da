/// A point of wall time: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// `seconds` saturates at the ends of what 64 bits of nanoseconds hold (the years 1677 and 2262).
    @inlinable
    public init(seconds: Int64) {
        let (value, overflow) = seconds.multipliedReportingOverflow(by: Duration.second)
        self.nanoseconds = overflow ? (seconds < 0 ? .min : .max) : value
    }

    /// Whole seconds, rounded down.
    @inlinable public var seconds: Int64 { nanoseconds.floorDivided(by: Duration.second) }

    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturating.
    @inlinable
    public static func + (instant: Instant, nanoseconds: Int64) -> Instant {
        let (value, overflow) = instant.nanoseconds.addingReportingOverflow(nanoseconds)
        return Instant(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : value)
    }

    @inlinable
    public static func - (instant: Instant, nanoseconds: Int64) -> Instant {
        let (value, overflow) = instant.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return Instant(nanoseconds: overflow ? (nanoseconds < 0 ? .max : .min) : value)
    }

    /// Nanoseconds from `right` to `left`, saturating.
    @inlinable
    public static func - (left: Instant, right: Instant) -> Int64 {
        let (value, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return overflow ? (left < right ? .min : .max) : value
    }

    /// The end of the slot of the epoch grid that this instant belongs to: slots are (end - interval, end].
    @inlinable
    public func slotEnd(interval: Int64) -> Instant {
        let start = (nanoseconds &- 1).floorDivided(by: interval)
        return Instant(nanoseconds: start &* interval &+ interval)
    }
}

/// Lengths of time in nanoseconds.
public enum Duration {
    public static let millisecond: Int64 = 1_000_000
    public static let second: Int64 = 1_000_000_000
    public static let minute: Int64 = 60 * second
    public static let hour: Int64 = 3600 * second
    public static let day: Int64 = 24 * hour
}

extension Int64 {
    @inlinable
    public func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient
    }
}
