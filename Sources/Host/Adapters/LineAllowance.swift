import Readings

/// How many lines an adapter may log: one that talks without end must not drown the others' lines.
struct LineAllowance: Sendable {
    enum Answer: Hashable, Sendable {
        /// - Parameter leftOut: lines held back in the window before.
        case pass(leftOut: Int)
        case holdBack
    }

    private static let window = 10 * Duration.second
    private static let lines = 100
    private var end: Int64 = 0
    private var taken = 0

    /// - Parameter now: monotonic ns.
    mutating func take(now: Int64) -> Answer {
        var leftOut = 0
        if now >= end {
            leftOut = max(0, taken - Self.lines)
            taken = 0
            end = now + Self.window
        }
        taken += 1
        return taken > Self.lines ? .holdBack : .pass(leftOut: leftOut)
    }
}
