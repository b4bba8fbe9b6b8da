import Readings
import TestSupport
import Testing

@testable import Analysis

/// What holds of a fold whatever the meter says. Each run takes new seeds beside the fixed ones; a failure names its.
@Suite struct FoldPropertyTests {
    static let seeds: [UInt64] = Array(1...20) + (0..<20).map { _ in UInt64.random(in: 1000...UInt64.max) }

    private static let slots = 5

    /// Emissions as meters send them: in bursts and after silence, instantaneous or of a period, with parts missing.
    private func emissions(_ house: House, _ random: inout SeededRandom, hasCounters: Bool = false) -> [Emission] {
        var time = 0.0
        var emissions: [Emission] = []
        var counters = Flows<Millijoules>(repeating: kWh(500))
        while time < Double(Self.slots) * 300 {
            let isAbsent = UInt8.random(in: 0..<10, using: &random) == 0
            let powers = Powers(
                gridW: Double.random(in: -3000...3000, using: &random),
                solarW: isAbsent ? nil : Double.random(in: 0...4000, using: &random),
                batteryW: Double.random(in: -2000...2000, using: &random))
            var emission = house.emission(
                at: time, powers, period: UInt8.random(in: 0..<4, using: &random) == 0 ? 20 : 0)
            if hasCounters {
                for flow in [Flow.imported, .exported] {
                    counters[flow] += Int64.random(in: 0...30_000_000, using: &random)
                    switch UInt8.random(in: 0..<40, using: &random) {
                    case 0: counters[flow] = 0  // a reset
                    case 1: counters[flow] -= min(counters[flow], 100_000_000)  // jitter
                    case 2: counters[flow] = kWh(9000)  // another meter
                    default: break
                    }
                    emission.counters[flow] = UInt8.random(in: 0..<8, using: &random) == 0 ? nil : counters[flow]
                }
            }
            emissions.append(emission)
            switch UInt8.random(in: 0..<12, using: &random) {
            case 0: time += Double.random(in: 100...700, using: &random)
            case 1, 2: time += Double.random(in: 0.01...0.2, using: &random)
            default: time += Double.random(in: 5...70, using: &random)
            }
        }
        return emissions
    }

    private func sum(_ slots: [Slot?], _ flow: Flow) -> Millijoules {
        slots.compactMap { $0?.energy[flow] }.reduce(0, +)
    }

    @Test(arguments: seeds) func `order of arrival, splits and restarts change nothing`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let house = House(known: [.grid, .solar, .battery])
        let emissions = emissions(house, &random, hasCounters: seed % 2 == 0)
        var carry = Carry(at: .noon)
        let whole = house.fold(emissions, slots: Self.slots, carry: &carry)
        #expect(house.fold(emissions.shuffled(using: &random), slots: Self.slots) == whole, "seed \(seed)")

        var split = Carry(at: .noon)
        var pieces: [Slot?] = []
        for _ in 0..<Self.slots {
            pieces += house.fold(emissions, slots: 1, carry: &split)
            split = try #require(Carry(decoding: split.encoded()))
        }
        #expect(pieces == whole, "seed \(seed)")
        #expect(split == carry, "seed \(seed)")
    }

    @Test(arguments: seeds) func `finer slots add up to the same energies, to the millijoule`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let house = House(known: [.grid, .solar, .battery])
        let emissions = emissions(house, &random)
        let whole = house.fold(emissions, slots: Self.slots)
        var fine = house
        fine.interval = 60 * Duration.second
        let parts = fine.fold(emissions, slots: Self.slots * 5)
        for flow in Flow.allCases { #expect(sum(parts, flow) == sum(whole, flow), "seed \(seed) \(flow)") }
    }

    @Test(arguments: seeds) func `import less export is the net, and nothing is invented over silence`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let house = House(known: [.grid, .solar, .battery])
        let emissions = emissions(house, &random)
        let slots = house.fold(emissions, slots: Self.slots)

        // What the powers say, step by step, by their own definition: a sample holds for at most 2.5 periods and never
        // into the period of the next one; a period counts for itself.
        var net = 0.0
        var covered = 0.0
        let end = Double(Self.slots) * 300
        func seconds(_ emission: Emission) -> Double { Double(emission.timestamp - .noon) / 1e9 }
        for (index, emission) in emissions.enumerated() {
            let at = seconds(emission)
            let power = emission.powers.gridW ?? 0
            let before = index > 0 ? seconds(emissions[index - 1]) : -1e9
            if emission.period > 0 {
                let from = max(0, before, at - Double(emission.period) / 1e9)
                let length = max(0, min(at, end) - from)
                net += power * length
                covered += length
            } else {
                var until = min(at + 75, end)
                if index + 1 < emissions.count {
                    let next = emissions[index + 1]
                    until = min(until, max(at, seconds(next) - Double(next.period) / 1e9))
                }
                net += power * max(0, until - at)
                covered += max(0, until - at)
            }
        }
        let sum = Double(sum(slots, .imported) - sum(slots, .exported)) / 1000
        // Half a millijoule a step, and the steps that a slot's border cuts.
        #expect(abs(sum - net) < 0.001 * Double(emissions.count + Self.slots), "seed \(seed)")
        // Coverage is of the total, so it is at most what the grid's samples cover.
        let coverage = slots.reduce(0) { $0 + ($1?.coverage ?? 0) * 300 }
        #expect(coverage <= covered + 1, "seed \(seed)")
        for slot in slots.compactMap(\.self) {
            for flow in Flow.allCases { #expect((slot.energy[flow] ?? 0) >= 0, "seed \(seed) \(flow)") }
        }
    }

    @Test(arguments: seeds) func `whichever parts are silent, consumption is the balance of the counters at the end`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let house = House(known: [.grid, .solar, .battery])
        let end = Double(Self.slots) * 300
        func most(_ energy: Millijoules) -> Millijoules { Int64.random(in: 0...energy, using: &random) }
        var counters = Flows<Millijoules>(repeating: kWh(500))
        var emissions: [Emission] = []
        /// What was used up to each emission, from the one on that the counters are first read at.
        var used: [Millijoules] = []
        var time = 0.0
        while time < end {
            if emissions.count > 1 {
                let step = Flows(
                    imported: most(20_000_000), exported: 0, produced: most(20_000_000), consumed: 0, charged: 0,
                    discharged: most(20_000_000))
                let gain = step.imported + step.produced + step.discharged
                let consumed = most(gain)
                let charged = most(gain - consumed)
                counters.imported += step.imported
                counters.produced += step.produced
                counters.discharged += step.discharged
                counters.charged += charged
                counters.exported += gain - consumed - charged
                counters.consumed += consumed
            }
            var emission = house.emission(at: time)
            for flow in Flow.allCases where flow != .consumed {
                let isSilent = emissions.count > 1 && UInt8.random(in: 0..<5, using: &random) == 0
                emission.counters[flow] = isSilent ? nil : counters[flow]
            }
            emissions.append(emission)
            used.append(counters.consumed - kWh(500))
            time += Double.random(in: 5...70, using: &random)
        }
        var last = house.emission(at: end)
        for flow in Flow.allCases where flow != .consumed { last.counters[flow] = counters[flow] }
        emissions.append(last)
        used.append(used[used.count - 1])

        var carry = Carry(at: .noon)
        var sum: Millijoules = 0
        for number in 1...Self.slots {
            let slots = house.fold(emissions, slots: 1, carry: &carry)
            carry = try #require(Carry(decoding: carry.encoded()))
            sum += self.sum(slots, .consumed)
            // Never more than there was when the step over the border ended.
            let next = emissions.firstIndex { $0.timestamp >= .noon + Int64(number) * house.interval }
            #expect(sum <= used[try #require(next)], "seed \(seed)")
        }
        #expect(sum == used[used.count - 1], "seed \(seed)")
    }

    /// At the ends of what an emission and a stored account can hold; a trap would end the host.
    @Test(arguments: seeds) func `no energy is too much: nothing falls, nothing is below zero and nothing traps`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var house = House(known: [.grid, .solar, .battery])
        house.dayStart = .noon + 600 * Duration.second - Duration.day
        func energy() -> Millijoules? {
            [nil, 0, 1, kWh(1e8), .max / 2, .max - 1, .max].randomElement(using: &random) ?? nil
        }
        func flows() -> Flows<Millijoules?> {
            Flows(
                imported: energy(), exported: energy(), produced: energy(), consumed: nil, charged: energy(),
                discharged: energy())
        }
        let emissions = (0...40).map { index in
            var emission = house.emission(
                at: Double(index) * 37, Powers(gridW: 1e8, solarW: 1e8, batteryW: -1e8),
                period: Bool.random(using: &random) ? 20 : 0, counters: flows())
            emission.periodEnergy = flows()
            emission.dayEnergy = energy()
            var sample = CircuitSample(circuit: 0, kind: .load)
            sample.present = [.periodEnergy, .totalEnergy, .totalReturned]
            sample.periodEnergy = energy() ?? 5
            sample.totalEnergy = energy() ?? 5
            sample.totalReturned = energy() ?? 5
            emission.circuits = [sample]
            return emission
        }
        var carry = Carry(at: .noon)
        var lifetimes = Flows<Millijoules>(repeating: 0)
        for _ in 0..<Self.slots {
            for slot in house.fold(emissions, slots: 1, carry: &carry).compactMap(\.self) {
                #expect(slot.dayEnergy ?? 0 >= 0, "seed \(seed)")
                for flow in Flow.allCases {
                    #expect(slot.energy[flow] ?? 0 >= 0, "seed \(seed) \(flow)")
                    #expect(slot.lifetime[flow] ?? 0 >= lifetimes[flow], "seed \(seed) \(flow)")
                    lifetimes[flow] = slot.lifetime[flow] ?? lifetimes[flow]
                }
            }
            carry = try #require(Carry(decoding: carry.encoded()))
        }
    }

    @Test(arguments: seeds) func `with counters that reset, jitter and are swapped nothing falls or counts twice`(
        seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        let house = House(known: [.grid, .solar, .battery])
        let slots = house.fold(emissions(house, &random, hasCounters: true), slots: Self.slots).compactMap(\.self)
        for flow in Flow.allCases {
            var lifetime: Millijoules = 0
            for slot in slots {
                #expect((slot.energy[flow] ?? 0) >= 0, "seed \(seed) \(flow)")
                if let now = slot.lifetime[flow] {
                    #expect(now >= lifetime, "seed \(seed) \(flow)")
                    lifetime = now
                }
            }
            // The lifetime is the sum of what the slots say: every millijoule once.
            #expect(slots.reduce(0) { $0 + ($1.energy[flow] ?? 0) } == lifetime, "seed \(seed) \(flow)")
            #expect(Double(lifetime) / 1000 < 100_000 * 1500, "seed \(seed) \(flow)")
        }
    }
}
