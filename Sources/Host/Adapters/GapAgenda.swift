import AdapterABI
import Platform
import Readings

/// When an instance's log is asked next. On the monotonic clock, like the agenda of its reads, which go before.
struct GapAgenda: Sendable {
    /// Monotonic ns.
    private(set) var due: Int64
    private var failures = 0

    /// How often gaps are looked for where there was none.
    private static let pause = 15 * Duration.second
    private static let failurePauses = Duration.minute...15 * Duration.minute
    /// What cannot be asked now may be later: a recorder that was loading, a firmware that is updated.
    private static let unsupportedPauses = 15 * Duration.minute...6 * Duration.hour
    /// A call needs so much time at least to be worth making, and ends so long before the next read.
    static let shortest = 200 * Duration.millisecond
    static let margin = 50 * Duration.millisecond
    static let longest = 5 * Duration.second

    /// - Parameter now: monotonic ns.
    init(now: Int64) { due = now }

    mutating func lookNow(_ now: Int64) {
        failures = 0
        due = now
    }

    /// There is nothing to ask before `wake` (wall time; nil = until something is missing).
    mutating func rest(until wake: Instant?, _ now: Moment) {
        failures = 0
        due = now.monotonic + min(max(wake.map { $0 - now.wall } ?? Self.pause, Duration.second), Self.pause)
    }

    /// The next read comes before: look again behind it.
    mutating func standBack(until deadline: Int64) { due = deadline + 1 }

    mutating func succeed(_ now: Moment) {
        failures = 0
        due = now.monotonic
    }

    /// - Parameter failure: nil = the host itself could not take it.
    mutating func fail(_ failure: AdapterFailure?, _ now: Moment) {
        failures += 1
        let pauses = failure?.code == METER_UNSUPPORTED ? Self.unsupportedPauses : Self.failurePauses
        let pause = min(pauses.lowerBound << Int64(min(failures - 1, 5)), pauses.upperBound)
        due = now.monotonic + max(pause, failure?.retryAfter ?? 0)
    }

    /// The first failure is news, the hundredth is not.
    var isNews: Bool { failures == 1 || failures.isMultiple(of: 20) }
}
