import AdapterABI
import Readings
import Testing

@testable import Adapters

/// When a meter's log is asked again.
@Suite struct GapAgendaTests {
    private func at(_ seconds: Int64) -> Moment {
        Moment(wall: Instant(seconds: 1_780_315_200 + seconds), monotonic: seconds * Duration.second)
    }

    /// How many seconds after each failure in a row it is asked again.
    private func pauses(_ code: Int32, count: Int) -> [Int64] {
        var agenda = GapAgenda(now: 0)
        var now: Int64 = 0
        return (0..<count).map { _ in
            agenda.fail(AdapterFailure(code: code, message: "no"), at(now))
            defer { now = agenda.due / Duration.second }
            return agenda.due / Duration.second - now
        }
    }

    @Test func `a log that fails is asked again after minutes`() {
        #expect(pauses(METER_UNAVAILABLE, count: 6) == [60, 120, 240, 480, 900, 900])
    }

    @Test func `unsupported is asked again later`() {
        #expect(pauses(METER_UNSUPPORTED, count: 7) == [900, 1800, 3600, 7200, 14_400, 21_600, 21_600])
        #expect(pauses(METER_UNSUPPORTED, count: 100).last == 21_600)
    }

    @Test func `an answer ends the pauses`() {
        var agenda = GapAgenda(now: 0)
        for _ in 0..<5 { agenda.fail(AdapterFailure(code: METER_UNSUPPORTED, message: "no"), at(0)) }
        agenda.succeed(at(10))
        #expect(agenda.due == 10 * Duration.second)
        agenda.fail(AdapterFailure(code: METER_UNSUPPORTED, message: "no"), at(10))
        #expect(agenda.due == 910 * Duration.second)
    }
}
