import Foundation
import Platform
import Readings
import TestSupport
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Storage

/// Energies at the ends of 64 bits, as a store may hold them, on the whole way that they can take: a trap would end the
/// host, and end it again with each start.
@Suite struct ExtremeEnergyTests {
    private static let interval = 300 * Duration.second
    private let start = Instant(seconds: 1_780_315_200)
    private static let catalog = CircuitCatalog(circuits: [CircuitIdentity(id: "a", name: "A")], version: 1)

    private func emission(_ instance: Int, _ end: Instant, _ energy: Millijoules) -> Emission {
        var sample = CircuitSample(circuit: 0, kind: .load)
        sample.present = [.power, .periodEnergy, .periodReturned]
        sample.powerW = 100
        sample.periodEnergy = energy
        sample.periodReturned = energy
        return Emission(
            instance: instance, timestamp: end, period: Self.interval, known: [.grid, .solar],
            powers: Powers(gridW: 100, solarW: 100), periodEnergy: Flows(repeating: energy), dayEnergy: energy,
            circuits: [sample], catalog: Self.catalog)
    }

    private func buckets(_ directory: DataDirectory, _ instance: Int) throws -> [Bucket] {
        var buckets: [Bucket] = []
        _ = try Reader(directory: directory).forEachBucket(
            of: instance, from: Instant(seconds: 0), to: Instant(nanoseconds: .max), takesCircuits: true
        ) {
            buckets.append($0)
            return true
        }
        return buckets
    }

    private func sumsUp(_ buckets: [Bucket]) -> Bool {
        var local = LocalSums(by: .day, in: .utc)
        var history = HistorySums(series: [.total, .unmonitored, .circuit(0)], isTopLevel: [true])
        for var bucket in buckets {
            bucket.billed = bucket.energy.imported
            local.add(bucket)
            bucket.importPrice = 1e12
            bucket.exportPrice = -1e12
            bucket.fixedPrice = 1e12
            local.add(bucket)
            _ = history.add(bucket) { LocalPeriod.month.bounds(containing: bucket.start, in: .utc) }
        }
        let days = local.periods()
        return !days.isEmpty && days.allSatisfy { $0.cost != nil } && history.finish() != nil
    }

    @Test func `the host lives whatever energies it folds, stores, repairs and adds up`() throws {
        let path = "/dev/shm/smart-meter-extreme-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(locking: path)
        let limits = HistoryLimits(step: 5 * Duration.second, reach: 0, backfill: 0)
        var now = start
        var instance = 0
        for _ in 0..<2 {
            // What a host before this one stored is there again at the next start.
            var host = try RunningHost(directory: directory, zone: .utc, at: now, log: limits)
            instance = host.instance
            for index in 0..<60 {
                now = now + Self.interval
                if !(20..<40).contains(index) { host.emit(emission(instance, now, .max - Int64(index))) }
                host.turn(wall: now + 31 * Duration.second)
            }
            while let question = try host.question(wall: now + Duration.minute) {
                var records: [Emission] = []
                var end = (question.from + 1).slotEnd(interval: Self.interval)
                while end <= question.to {
                    var record = emission(instance, end, .max)
                    record.quality = .backfilled
                    records.append(record)
                    end = end + Self.interval
                }
                try host.answer(
                    HistoryAnswer(records: records, outcome: .complete, coveredTo: question.to), to: question,
                    wall: now + Duration.minute)
            }
            host.stop(wall: now + Duration.minute)
        }
        let buckets = try buckets(directory, instance)
        #expect(buckets.count >= 40)
        #expect(buckets.contains { $0.energy.imported == .max })
        #expect(sumsUp(buckets))
    }
}
