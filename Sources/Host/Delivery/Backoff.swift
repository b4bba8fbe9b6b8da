import Readings

/// Pauses after failures in a row.
enum Backoff {
    private static let shortest = 100 * Duration.millisecond

    /// Doubling from one second, with full jitter (`random` is 0 to 1): many clients of one server that was away do not
    /// come back as one.
    static func pause(afterFailures failures: Int, longest: Int64, random: Double) -> Int64 {
        let limit = min(longest, Duration.second << Int64(min(max(failures - 1, 0), 12)))
        return max(Int64(Double(limit) * random), shortest)
    }
}
