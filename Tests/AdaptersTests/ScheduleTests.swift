import Readings
import Testing

@testable import Adapters

@Suite struct ScheduleTests {
    private let noon = Instant(seconds: 1_780_315_200)
    private func at(_ seconds: Double) -> Instant { noon + Int64(seconds * 1e9) }

    private func schedule(sampling: Double = 30, minimum: Double = 5) -> Schedule {
        Schedule(sampling: Int64(sampling * 1e9), minimum: Int64(minimum * 1e9), name: "meter@house")
    }

    @Test func `samples lie on the grid of the wall clock, a little beside it`() {
        let schedule = schedule()
        #expect(schedule.offset >= 0 && schedule.offset < Duration.second)
        let first = schedule.next(after: at(3), lastAttempt: nil)
        #expect(first == at(30) + schedule.offset || first == at(0) + schedule.offset)
        let second = schedule.next(after: first, lastAttempt: first)
        #expect(second - first == 30 * Duration.second)
    }

    @Test func `a slow read skips what it missed`() {
        let schedule = schedule()
        let next = schedule.next(after: at(95), lastAttempt: at(1))
        #expect(next == at(120) + schedule.offset)
    }

    @Test func `the first sample comes at once, but never sooner than the minimum after the last attempt`() {
        let schedule = schedule()
        #expect(schedule.first(now: at(10), lastAttempt: nil, uncleanEnd: false) == at(10))
        #expect(schedule.first(now: at(10), lastAttempt: at(8), uncleanEnd: false) == at(13))
        #expect(schedule.first(now: at(10), lastAttempt: at(500), uncleanEnd: false) == at(10))
        let rationed = self.schedule(sampling: 60, minimum: 60)
        #expect(rationed.first(now: at(10), lastAttempt: at(-600), uncleanEnd: true) == at(70))
        #expect(rationed.first(now: at(10), lastAttempt: at(-600), uncleanEnd: false) == at(10))
    }

    @Test(arguments: [(1, 30.0), (2, 60.0), (3, 120.0), (5, 480.0), (6, 900.0), (50, 900.0)])
    func `pauses double up to a quarter of an hour`(failures: Int, longest: Double) {
        let schedule = schedule()
        let most = schedule.pause(failures: failures, retryAfter: 0, random: 1)
        #expect(most == Int64(longest * 1e9))
        let least = schedule.pause(failures: failures, retryAfter: 0, random: 0)
        #expect(least >= 5 * Duration.second)
        #expect(least < most)
    }

    @Test func `what the server asks for is kept`() {
        let pause = schedule().pause(failures: 9, retryAfter: 77 * Duration.second, random: 1)
        #expect(pause == 77 * Duration.second)
    }
}
