import Readings

/// How much of something a runner may cost the host: so much at once, and so much a second. Beyond it the runner waits.
struct RunnerBudget: Sendable {
    private let capacity: Int64
    private let perSecond: Int64
    private var left: Int64
    /// Monotonic ns.
    private var filled: Int64

    init(atOnce capacity: Int64, perSecond: Int64, now: Int64) {
        self.capacity = capacity
        self.perSecond = perSecond
        left = capacity
        filled = now
    }

    /// Frames, in their units of cost: a reading of 20 circuits is 70 of them.
    static func frames(now: Int64) -> RunnerBudget { RunnerBudget(atOnce: 200_000, perSecond: 50_000, now: now) }
    /// Bytes of standard output.
    static func output(now: Int64) -> RunnerBudget {
        RunnerBudget(atOnce: 64 << 20, perSecond: 16 << 20, now: now)
    }

    /// Below zero is possible: what has come has come.
    mutating func spend(_ amount: Int) { left -= Int64(amount) }

    /// Nil where there is something left; else when there will be again (monotonic ns).
    mutating func wait(now: Int64) -> Int64? {
        let elapsed = min(now - filled, 60 * Duration.second)
        // Whole units only, so that a look a microsecond later loses nothing.
        let gained = elapsed * perSecond / Duration.second
        left = min(capacity, left + gained)
        filled = left == capacity || elapsed == 60 * Duration.second ? now : filled + gained * Duration.second / perSecond
        return left > 0 ? nil : now + (1 - left) * Duration.second / perSecond
    }
}
