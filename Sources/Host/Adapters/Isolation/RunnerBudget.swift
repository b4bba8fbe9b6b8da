import Readings

/// How much of something a runner may cost the host: so much at once, and so much a second. Beyond it the runner waits.
struct RunnerBudget: Sendable {
    private let capacity: Int64
    private let perSecond: Int64
    private var left: Int64
    /// Monotonic ns.
    private var filled: Int64
    /// Once it is used up nothing goes on before there is this much of it again: many short waits cost as well.
    private var portion: Int64 { capacity / 100 }
    private var isUsedUp = false

    init(atOnce capacity: Int64, perSecond: Int64, now: Int64) {
        self.capacity = capacity
        self.perSecond = perSecond
        left = capacity
        filled = now
    }

    /// Frames, by what they cost: 840 readings of 20 circuits a second, or 110 of 300.
    static func frames(now: Int64) -> RunnerBudget { RunnerBudget(atOnce: 100_000, perSecond: 100_000, now: now) }

    /// Bytes of standard output.
    static func output(now: Int64) -> RunnerBudget {
        RunnerBudget(atOnce: 64 << 20, perSecond: 16 << 20, now: now)
    }

    /// Below zero is possible: what has come has come.
    mutating func spend(_ amount: Int64) { left -= amount }

    /// Nil where there is something left; else when there will be again (monotonic ns).
    mutating func wait(now: Int64) -> Int64? {
        // More than a minute fills it anyway, and would not fit the product.
        let elapsed = min(now - filled, Duration.minute)
        let gained = elapsed * perSecond / Duration.second
        if gained > 0 {
            left = min(capacity, left + gained)
            // Whole units only, so that a look a microsecond later loses nothing.
            filled = elapsed == Duration.minute ? now : filled + gained * Duration.second / perSecond
        }
        isUsedUp = left <= (isUsedUp ? portion : 0)
        return isUsedUp ? now + (portion - left + 1) * Duration.second / perSecond : nil
    }
}
