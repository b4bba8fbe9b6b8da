import Readings
import Testing

@testable import Analysis

@Suite struct PhantomLoadTests {
    private let start = Instant.noon
    private let rules = PhantomLoad.Rules(thresholdW: 200, excluded: [3])

    /// Slots of five minutes from the beginning of the hour on.
    private func slots(_ powers: [Double?], circuits: [(Int32, CircuitKind, Double?)] = []) -> [Slot] {
        powers.enumerated().map { index, power in
            var slot = Slot(
                instance: 0, start: start + Int64(index) * 300 * Duration.second,
                end: start + Int64(index + 1) * 300 * Duration.second, isHouse: true, totalIs: .consumption)
            slot.powers.consumptionW = power
            slot.coverage = power == nil ? 0 : 1
            slot.circuits = circuits.map { number, kind, power in
                var circuit = CircuitSlot(circuit: number, kind: kind)
                circuit.powerW = power
                return circuit
            }
            return slot
        }
    }

    private func night(
        _ slots: [Slot], hours: Int64 = 1, known: PowerSet = [.consumption]
    ) -> PhantomLoad.Night {
        PhantomLoad.night(
            slots: slots, spans: [start..<(start + hours * Duration.hour)], known: known, rules: rules)
    }

    @Test func `it is the tenth percentile, by nearest rank`() {
        let night = night(slots([900, 250, 240, 800, 260, 270, 280, 290, 300, 310, 320, 330]))
        #expect(night.powerW == 250)
        #expect(night.coverage == 1)
    }

    @Test func `a charging car and excluded circuits do not count, the others are named`() {
        let night = night(
            slots(
                [Double?](repeating: 8_000, count: 12),
                circuits: [(0, .load, 90), (1, .ev, 7_200), (2, .heating, 120), (3, .load, 400)]))
        #expect(night.powerW == 400)
        #expect(night.circuits.map(\.circuit) == [2, 0])
        #expect(night.circuits.map(\.powerW) == [120, 90])
    }

    @Test func `less than half of the hour is unknown`() {
        let night = night(slots([200, 200, 200, 200, 200] + [Double?](repeating: nil, count: 7)))
        #expect(night.powerW == nil)
        #expect(night.reason != nil)
    }

    @Test func `a car that is not measured makes the time unknown, not the load larger`() {
        let night = night(slots([Double?](repeating: 300, count: 12), circuits: [(1, .ev, nil)]))
        #expect(night.powerW == nil)
    }

    @Test func `a grid meter alone does not know the load of a house with solar or battery`() {
        var slots = slots([Double?](repeating: nil, count: 12), circuits: [(1, .battery, 50)])
        for index in slots.indices {
            slots[index].powers = Powers(gridW: 150)
            slots[index].coverage = 1
        }
        #expect(night(slots, known: [.grid]).powerW == nil)
        for index in slots.indices { slots[index].circuits = [] }
        #expect(night(slots, known: [.grid]).powerW == 150)
    }

    @Test func `a doubled hour counts both of its hours`() {
        let night = night(slots([Double?](repeating: 220, count: 24)), hours: 2)
        #expect(night.powerW == 220)
        #expect(night.coverage == 1)
    }

    @Test func `slots of another time and first light are ignored`() {
        var others = slots([Double?](repeating: 10, count: 24))
        others.removeFirst(12)
        var light = Slot(instance: 0, start: start + 1, end: start + 1, isHouse: true, totalIs: .consumption)
        light.powers.consumptionW = 1
        light.coverage = 1
        let night = night(slots([Double?](repeating: 220, count: 12)) + others + [light])
        #expect(night.powerW == 220)
    }
}
