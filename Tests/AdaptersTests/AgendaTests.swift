import Readings
import Testing

@testable import Adapters

/// A run's attempts while the wall clock is set, readings are asked for, and attempts fail.
@Suite struct AgendaTests {
    private let noon = Instant(seconds: 1_780_315_200)
    private let schedule = Schedule(sampling: 30 * Duration.second, minimum: 5 * Duration.second, name: "meter")

    /// - Parameter set: seconds by which the wall clock was set since the beginning.
    private func at(_ seconds: Double, set: Double = 0) -> Moment {
        Moment(wall: noon + Int64((seconds + set) * 1e9), monotonic: Int64(seconds * 1e9))
    }

    private func seconds(_ agenda: Agenda) -> Double? { agenda.due.map { Double($0) / 1e9 } }

    private func agenda() -> Agenda { Agenda(schedule, lastAttempt: nil, uncleanEnd: false, now: at(0)) }

    /// One that has read once at `start` and keeps to the grid.
    private func settled(at start: Double = 0) -> Agenda {
        var agenda = agenda()
        agenda.begin(at(start))
        agenda.succeed(at(start))
        return agenda
    }

    private let unreachable = AdapterFailure(code: 1, message: "nobody is there")
    private let refused = AdapterFailure(code: 101, message: "refused")

    @Test func `the first attempt is due at once, the next on the grid`() {
        #expect(seconds(agenda()) == 0)
        let offset = Double(schedule.offset) / 1e9
        #expect(abs((seconds(settled(at: 7)) ?? 0) - 30 - offset) < 1e-6)
        #expect(settled(at: 7).nextRun(at(7)) == noon + 30 * Duration.second + schedule.offset)
    }

    @Test(arguments: [(0, 30), (29, 30), (40, 60), (60, 60), (100, 120), (86_400, 86_400)] as [(Double, Double)])
    func `a ration that has to last puts attempts off, on the grid`(pace: Double, expected: Double) throws {
        var agenda = agenda()
        let offset = Double(schedule.offset) / 1e9
        agenda.begin(at(offset + 0.1))
        agenda.succeed(at(offset + 1), pace: Int64(pace * 1e9))
        #expect(abs(try #require(seconds(agenda)) - expected - offset) < 1e-6)
        // Setting the clock brings none of them before its time.
        agenda.clockChanged(at(offset + 2, set: 600))
        #expect(try #require(seconds(agenda)) >= offset + pace - 3)
        agenda.begin(at(expected))
        agenda.fail(unreachable, random: 0, pace: Int64(pace * 1e9), at(expected))
        #expect(try #require(seconds(agenda)) >= expected + (pace > 30 ? pace : 0))
    }

    @Test(arguments: [-86_400.0, -3600, 3600, 40_000_000])
    func `after the clock was set the next sample lies on its grid, within one sampling`(set: Double) throws {
        var agenda = settled()
        agenda.clockChanged(at(10, set: set))
        let due = try #require(seconds(agenda))
        #expect(due > 10 && due <= 41)
        let next = try #require(agenda.nextRun(at(10, set: set)))
        #expect((next - schedule.offset).nanoseconds % (30 * Duration.second) == 0)
    }

    @Test func `a clock that was set brings no attempt before the minimum`() throws {
        var agenda = settled(at: 29)
        agenda.clockChanged(at(29.1, set: 86_400))
        #expect(try #require(seconds(agenda)) >= 34)
        agenda.bringForward(at(29.2, set: 86_400))
        #expect(seconds(agenda) == 34)
    }

    @Test func `a pause after failures stays as it is when the clock is set`() {
        var agenda = settled()
        for _ in 0..<6 { agenda.fail(unreachable, random: 1, at(100)) }
        #expect(seconds(agenda) == 1000)
        agenda.clockChanged(at(200, set: -7200))
        #expect(seconds(agenda) == 1000)
        agenda.begin(at(1000, set: -7200))
        agenda.succeed(at(1000, set: -7200))
        #expect(agenda.failures == 0)
        #expect((seconds(agenda) ?? 0) <= 1031)
    }

    @Test func `a reading that is asked for comes as soon as the minimum allows`() {
        var agenda = settled()
        agenda.bringForward(at(2))
        #expect(seconds(agenda) == 5)
        agenda.bringForward(at(9))
        #expect(seconds(agenda) == 9)
    }

    @Test func `what needs a person waits for one, whatever else is asked`() {
        var agenda = settled()
        agenda.fail(refused, random: 0, at(30))
        #expect(agenda.due == nil)
        #expect(agenda.nextRun(at(31)) == nil)
        agenda.bringForward(at(31))
        agenda.clockChanged(at(32, set: 3600))
        #expect(agenda.due == nil)
        agenda.retry(at(33))
        #expect(seconds(agenda) == 33)
    }

    @Test func `an attempt that the run before noted in the future does not count`() {
        let agenda = Agenda(schedule, lastAttempt: noon + Duration.day, uncleanEnd: false, now: at(0))
        #expect(seconds(agenda) == 0)
    }
}
