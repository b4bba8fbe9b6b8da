import Readings
import Testing

@testable import Pipeline

@Suite struct ClockGateTests {
    private let made = Instant(seconds: 1_767_225_600)
    private let now = Instant(seconds: 1_780_315_200)

    private func emission(_ timestamp: Instant) -> Emission { Emission(instance: 0, timestamp: timestamp) }

    private func boot(monotonic: Int64 = 0) -> Instant { Instant(seconds: 20) + monotonic }

    @Test func `with a clock that is set it is open from the start`() {
        var gate = ClockGate(notBefore: made, wall: now, monotonic: 5)
        #expect(gate.deadline == nil)
        #expect(gate.pass([emission(now)], wall: now, monotonic: 6).map(\.timestamp) == [now])
    }

    @Test func `a start in 1970 that is set right a minute later keeps its readings, at their right times`() {
        var gate = ClockGate(notBefore: made, wall: boot(), monotonic: 0)
        let second = Duration.second
        #expect(
            gate.pass([emission(boot(monotonic: second))], wall: boot(monotonic: second), monotonic: second).isEmpty)
        // A meter that knows the time says so.
        let own = now - 30 * second
        #expect(
            gate.pass(
                [emission(boot(monotonic: 30 * second)), emission(own)], wall: boot(monotonic: 30 * second),
                monotonic: 30 * second
            ).isEmpty)
        let passed = gate.pass([], wall: now, monotonic: 60 * second)
        #expect(passed.map(\.timestamp) == [now - 59 * second, now - 30 * second, own])
        #expect(gate.deadline == nil)
        #expect(gate.pass([emission(now)], wall: now, monotonic: 61 * second).count == 1)
    }

    @Test func `nobody sets the clock: after two minutes the readings go on as they are stamped`() {
        var gate = ClockGate(notBefore: made, wall: boot(), monotonic: 0)
        let early = boot(monotonic: Duration.second)
        #expect(gate.pass([emission(early)], wall: early, monotonic: Duration.second).isEmpty)
        #expect(gate.deadline == 2 * Duration.minute)
        let late = boot(monotonic: 2 * Duration.minute)
        #expect(gate.pass([], wall: late, monotonic: 2 * Duration.minute).map(\.timestamp) == [early])
    }
}
