import Readings

/// When an instance is read: on a grid of the wall clock, a little beside that of its neighbours, never sooner after
/// an attempt than the adapter's minimum, and after failures with growing pauses.
struct Schedule: Sendable {
    /// Nanoseconds.
    let sampling: Int64
    let minimum: Int64
    let offset: Int64

    /// The longest pause after failures.
    static let longestPause = 15 * Duration.minute
    private static let longestRead = 15 * Duration.second
    private static let shortestRead = Duration.second

    init(sampling: Int64, minimum: Int64, name: String) {
        self.sampling = max(sampling, minimum, Duration.millisecond)
        self.minimum = minimum
        // FNV-1a: the same offset in every run.
        let hash = name.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let span = min(Duration.second, self.sampling / 10)
        offset = span > 0 ? Int64(hash % UInt64(span)) : 0
    }

    /// The next sample after `now`; skips what was missed.
    func next(after now: Instant, lastAttempt: Instant?) -> Instant {
        let beat = ((now - offset).nanoseconds.floorDivided(by: sampling) + 1) * sampling
        return notBefore(lastAttempt, Instant(nanoseconds: beat) + offset)
    }

    /// The first sample of a run: at once, unless the last attempt was a moment ago; `uncleanEnd`: attempts of the last
    /// seconds before a crash may not have been noted.
    func first(now: Instant, lastAttempt: Instant?, uncleanEnd: Bool) -> Instant {
        if uncleanEnd, lastAttempt != nil, minimum > 10 * Duration.second { return now + minimum }
        return notBefore(lastAttempt, now)
    }

    /// Nanoseconds until the attempt after `failures` failures in a row. `random` is 0 to 1.
    func pause(failures: Int, retryAfter: Int64, random: Double) -> Int64 {
        if retryAfter > 0 { return max(retryAfter, minimum) }
        let base = max(sampling, Duration.second)
        let doubled = failures >= 20 ? Self.longestPause : base << Int64(max(0, failures - 1))
        let longest = min(Self.longestPause, max(base, doubled))
        return max(minimum, longest / 10, Int64(Double(longest) * random))
    }

    /// How long a read may take.
    var readTime: Int64 { max(Self.shortestRead, min(sampling, Self.longestRead)) }

    private func notBefore(_ lastAttempt: Instant?, _ wanted: Instant) -> Instant {
        // An attempt in the future is a clock that was wrong.
        guard let lastAttempt, lastAttempt <= wanted else { return wanted }
        return max(wanted, lastAttempt + minimum)
    }
}
