import Foundation
import Platform
import Readings
import TestSupport
import Testing

@testable import Analysis
@testable import Observability
@testable import Pipeline
@testable import Storage

/// A year of a house with solar, sampled every five minutes, with what a year brings: two nights on which clocks are
/// changed, restarts in and out of order, outages, counters that begin anew, a clock that is set every month.
@Suite struct SimulatedYearTests {
    private static let interval = 300 * Duration.second
    private static let berlin = "Europe/Berlin"

    /// What is true, whatever the meter says of it.
    private struct Truth {
        private let seed: UInt64

        init(seed: UInt64) { self.seed = seed }

        /// Watts of consumption and of production within the five minutes that end at `end`.
        func powers(_ end: Instant) -> (use: Double, solar: Double) {
            var random = SeededRandom(seed: seed ^ UInt64(bitPattern: end.nanoseconds / SimulatedYearTests.interval))
            let hour = Double(end.seconds % 86_400) / 3600
            let day = Double(end.seconds / 86_400 % 365)
            let season = 0.55 - 0.45 * cos(2 * .pi * (day + 10) / 365)
            let sun = max(0, sin(.pi * (hour - 6) / 13)) * season
            let isCooking = hour > 17 && hour < 19 && UInt8.random(in: 0..<3, using: &random) == 0
            let use = 180 + Double.random(in: 0...240, using: &random) + (isCooking ? 2600 : 0)
            return (use.rounded(), (6000 * sun * Double.random(in: 0.2...1, using: &random)).rounded())
        }

        /// Millijoules of five minutes.
        func energies(_ end: Instant) -> Flows<Millijoules> {
            let (use, solar) = powers(end)
            var flows = Flows<Millijoules>(repeating: 0)
            flows.imported = Int64(max(0, use - solar) * 300_000)
            flows.exported = Int64(max(0, solar - use) * 300_000)
            flows.produced = Int64(solar * 300_000)
            flows.consumed = Int64(use * 300_000)
            return flows
        }
    }

    /// What happens to the host and its meter in a year, as numbers of five-minute steps.
    private struct Events {
        var restarts: Set<Int> = []
        var kills: Set<Int> = []
        var outages: [Range<Int>] = []
        var resets: Set<Int> = []
        /// Nanoseconds by which the clock goes wrong, or is set right.
        var clockSteps: [Int: Int64] = [:]

        init(steps: Int, seed: UInt64) {
            var random = SeededRandom(seed: seed)
            func moment() -> Int { Int.random(in: 1000..<(steps - 1000), using: &random) }
            while restarts.count < 30 { restarts.insert(moment()) }
            while kills.count < 10 { kills.insert(moment()) }
            // Up to two hours: what power alone cannot know of ten of them is 0.2 % of the year.
            while outages.count < 10 {
                let start = moment()
                outages.append(start..<(start + Int.random(in: 6...24, using: &random)))
            }
            while resets.count < 5 { resets.insert(moment()) }
            // A month's step forth is taken back in the next.
            for month in 0..<12 {
                clockSteps[(month * 2 + 1) * steps / 25] = month % 2 == 0 ? Duration.hour : -Duration.hour
            }
        }

        func isOut(_ step: Int) -> Bool { outages.contains { $0.contains(step) } }
    }

    private struct Outcome {
        var buckets: [Bucket] = []
        var truth = Flows<Millijoules>(repeating: 0)
        /// What was used between a counter's last reading and its reset: no counter tells of it any more.
        var untold = Flows<Millijoules>(repeating: 0)
        var lifetime = Flows<Millijoules?>(repeating: nil)
        var days: [EnergyPeriod] = []
        var hours: [EnergyPeriod] = []
        var months: [EnergyPeriod] = []
        /// `daily_kwh` at the end of each local day.
        var closings: [Millijoules] = []
    }

    /// Runs the year through the pipeline's own work and a real store.
    private func run(seed: UInt64, zone: Zone) throws -> Outcome {
        // In memory: a year has 100,000 commits, and how a disk keeps them is not the question here.
        let path = "/dev/shm/smart-meter-year-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(locking: path)
        let start = zone.start(of: CalendarDate(year: 2026, month: 1, day: 1))
        let end = zone.start(of: CalendarDate(year: 2027, month: 1, day: 1))
        let steps = Int((end - start) / Self.interval)
        let truth = Truth(seed: seed)
        let events = Events(steps: steps, seed: seed)
        var outcome = Outcome()

        var host = try RunningHost(directory: directory, zone: zone, at: start)
        var counters = Flows<Millijoules>(repeating: 7_000_000_000_000)
        /// Since the newest reading that was kept.
        var unread = Flows<Millijoules>(repeating: 0)
        var newestRead = start
        var clockError: Int64 = 0
        for step in 1...steps {
            let now = start + Int64(step) * Self.interval
            let energies = truth.energies(now)
            for flow in Flow.allCases {
                outcome.truth[flow] += energies[flow]
                counters[flow] += energies[flow]
                unread[flow] += energies[flow]
            }
            if events.resets.contains(step) {
                counters = Flows(repeating: 0)
                for flow in Flow.allCases { outcome.untold[flow] += unread[flow] }
                unread = Flows(repeating: 0)
            }
            clockError += events.clockSteps[step] ?? 0
            let wall = now + clockError
            if !events.isOut(step) {
                let powers = truth.powers(now)
                var emission = Emission(
                    instance: host.instance, timestamp: wall, period: Self.interval, known: [.grid, .solar],
                    powers: Powers(gridW: powers.use - powers.solar, solarW: powers.solar))
                emission.counters.imported = counters.imported
                emission.counters.exported = counters.exported
                host.emit(emission)
                // A clock that is behind has its readings left out.
                if wall > newestRead, !events.kills.contains(step) {
                    newestRead = wall
                    unread = Flows(repeating: 0)
                }
            }
            // A kill comes before the commit: the last emission is gone.
            if events.kills.contains(step) {
                host = try RunningHost(directory: directory, zone: zone, at: wall)
                continue
            }
            host.turn(wall: wall + 31 * Duration.second)
            if events.restarts.contains(step) {
                host.stop(wall: wall + 32 * Duration.second)
                host = try RunningHost(directory: directory, zone: zone, at: wall + 40 * Duration.second)
            }
        }
        host.stop(wall: end + Duration.hour)
        try collect(directory, host.instance, zone, &outcome)
        return outcome
    }

    private func collect(
        _ directory: DataDirectory, _ instance: Int, _ zone: Zone, _ outcome: inout Outcome
    ) throws {
        let reader = try Reader(directory: directory)
        var sums = LocalPeriod.allCases.map { LocalSums(by: $0, in: zone) }
        var buckets: [Bucket] = []
        _ = try reader.forEachBucket(
            of: instance, from: Instant(seconds: 0), to: Instant(nanoseconds: .max), takesCircuits: true
        ) {
            buckets.append($0)
            for index in sums.indices { sums[index].add($0) }
            return true
        }
        outcome.buckets = buckets
        outcome.hours = sums[1].periods()
        outcome.days = sums[2].periods()
        outcome.months = sums[3].periods()
        try reader.forEachSlot(from: Instant(seconds: 0), to: Instant(nanoseconds: .max), onlyWaiting: false) { row in
            outcome.lifetime = row.slot.lifetime
            if let closing = row.slot.closingDayEnergy { outcome.closings.append(closing) }
        }
    }

    private func check(_ outcome: Outcome, seed: UInt64) {
        let comment = Comment(rawValue: "seed \(seed)")
        for flow in [Flow.imported, .exported, .produced, .consumed] {
            let sum = outcome.buckets.reduce(0) { $0 + ($1.energy[flow] ?? 0) }
            // A counter knows what an outage hid, but for what it lost itself.
            let isCounted = flow == .imported || flow == .exported
            let truth = outcome.truth[flow] - (isCounted ? outcome.untold[flow] : 0)
            let tolerance = isCounted ? 0.0001 : 0.005
            let difference = abs(Double(sum - truth)) / Double(truth)
            print("\(flow): \(difference * 100) % beside the truth; \(Energy.kWh(outcome.untold[flow])) kWh untold")
            #expect(difference < tolerance, "\(flow) \(comment)")
            #expect(sum == outcome.lifetime[flow], "\(flow) \(comment)")
            // Nothing is negative, nothing above what is possible: 6 kW of sun, 3.1 kW of use.
            for day in outcome.days {
                let energy = day.energy[flow] ?? 0
                let most = 6000 * Double(day.end - day.start) / 1e6
                #expect(energy >= 0 && Double(energy) < most, "\(flow) \(comment)")
            }
            #expect(outcome.hours.reduce(0) { $0 + ($1.energy[flow] ?? 0) } == sum, comment)
            #expect(outcome.days.reduce(0) { $0 + ($1.energy[flow] ?? 0) } == sum, comment)
            #expect(outcome.months.reduce(0) { $0 + ($1.energy[flow] ?? 0) } == sum, comment)
        }
        #expect(outcome.days.count == 365, comment)
        #expect(outcome.months.count == 12, comment)
        // A clock that goes over midnight and back closes a day twice, or never.
        #expect((360...366).contains(outcome.closings.count), comment)
        #expect(outcome.closings.allSatisfy { $0 > 0 }, comment)
    }

    @Test func `a year's energies are right, to half a percent by power and a hundredth by counters`() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        print("seed \(seed)")
        check(try run(seed: seed, zone: try Zone(named: Self.berlin)), seed: seed)
    }
}
