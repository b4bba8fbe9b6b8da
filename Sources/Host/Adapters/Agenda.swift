import Platform
import Readings

/// A moment on both clocks.
struct Moment: Sendable {
    let wall: Instant
    /// Nanoseconds.
    let monotonic: Int64

    static var now: Moment { Moment(wall: Instant(nanoseconds: Clock.wall()), monotonic: Clock.monotonic()) }
}

/// When an instance's next attempt is due. The schedule speaks of wall time; the agenda keeps it on the monotonic
/// clock, so that setting the wall clock neither puts an attempt off for hours nor brings one before the minimum.
struct Agenda: Sendable {
    /// Monotonic ns; nil = not before a person has done something.
    private(set) var due: Int64?
    /// In a row.
    private(set) var failures = 0
    private let schedule: Schedule
    private var lastAttempt: Int64?
    /// Ns that attempts have to lie apart, beside what the schedule says.
    private var pace: Int64 = 0

    /// - Parameters:
    ///   - lastAttempt: of the run before.
    ///   - uncleanEnd: whether that run may have ended without noting its last attempt.
    init(_ schedule: Schedule, lastAttempt: Instant?, uncleanEnd: Bool, now: Moment) {
        self.schedule = schedule
        let first = schedule.first(now: now.wall, lastAttempt: lastAttempt, uncleanEnd: uncleanEnd)
        due = now.monotonic + (first - now.wall)
        // One in the future is a clock that was wrong.
        if let lastAttempt, lastAttempt <= now.wall { self.lastAttempt = now.monotonic - (now.wall - lastAttempt) }
    }

    /// For people; nil = not before a person has done something.
    func nextRun(_ now: Moment) -> Instant? { due.map { now.wall + ($0 - now.monotonic) } }

    mutating func begin(_ now: Moment) { lastAttempt = now.monotonic }

    mutating func succeed(_ now: Moment, pace: Int64 = 0) {
        failures = 0
        self.pace = pace
        align(now)
    }

    /// Answers the failure.
    /// - Parameter random: 0 to 1.
    @discardableResult
    mutating func fail(_ failure: AdapterFailure, random: Double, pace: Int64 = 0, _ now: Moment) -> AdapterFailure {
        failures += 1
        self.pace = pace
        let pause = schedule.pause(failures: failures, retryAfter: failure.retryAfter, random: random)
        due = failure.needsPerson ? nil : now.monotonic + (pace > schedule.sampling ? max(pause, pace) : pause)
        return failure
    }

    /// A reading was asked for: as soon as the minimum allows, but not where an attempt may do harm.
    mutating func bringForward(_ now: Moment) {
        if due != nil { retry(now) }
    }

    /// A person has done something: as soon as the minimum allows.
    mutating func retry(_ now: Moment) {
        let first = schedule.first(now: now.wall, lastAttempt: lastAttempt(now), uncleanEnd: false)
        due = now.monotonic + (first - now.wall)
    }

    /// The wall clock was set: back onto its grid. A pause after failures stays as long as it is.
    mutating func clockChanged(_ now: Moment) {
        if failures == 0 { align(now) }
    }

    private mutating func align(_ now: Moment) {
        let lastAttempt = lastAttempt(now)
        // The beat before, if that is almost as late.
        let earliest = lastAttempt.map { $0 + pace - schedule.sampling / 10 } ?? now.wall
        due = now.monotonic + (schedule.next(after: max(now.wall, earliest), lastAttempt: lastAttempt) - now.wall)
    }

    private func lastAttempt(_ now: Moment) -> Instant? { lastAttempt.map { now.wall - (now.monotonic - $0) } }
}
