import Readings
import Testing

@testable import Pipeline

@Suite struct ClockGateTests {
    private let made = Instant(seconds: 1_767_225_600)
    private let now = Instant(seconds: 1_780_315_200)

    private func emission(_ timestamp: Instant, received: Int64 = 0) -> Emission {
        Emission(instance: 0, timestamp: timestamp, receivedMonotonic: received)
    }

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
            gate.pass(
                [emission(boot(monotonic: second), received: second)], wall: boot(monotonic: second), monotonic: second
            ).isEmpty)
        // A meter that knows the time says so.
        let own = now - 30 * second
        #expect(
            gate.pass(
                [
                    // Of two seconds before it was received.
                    emission(boot(monotonic: 30 * second), received: 32 * second), emission(own, received: 32 * second),
                ], wall: boot(monotonic: 32 * second), monotonic: 32 * second
            ).isEmpty)
        let passed = gate.pass([], wall: now, monotonic: 60 * second)
        #expect(passed.map(\.timestamp) == [now - 59 * second, now - 30 * second, own])
        #expect(gate.deadline == nil)
        #expect(gate.pass([emission(now)], wall: now, monotonic: 61 * second).count == 1)
    }

    @Test func `a clock that moves before it is set does not move readings to a time of its own`() {
        let second = Duration.second
        var gate = ClockGate(notBefore: made, wall: boot(), monotonic: 0)
        // As with a clock that is kept in a file: it says a year ago, and then the truth.
        let yearAgo = made - 365 * Duration.day
        #expect(
            gate.pass([emission(yearAgo, received: 10 * second)], wall: yearAgo, monotonic: 10 * second).isEmpty)
        #expect(gate.pass([], wall: now, monotonic: 40 * second).map(\.timestamp) == [now - 30 * second])
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
