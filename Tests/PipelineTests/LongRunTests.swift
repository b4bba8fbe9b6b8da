import Foundation
import Readings
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Storage

/// Two months of a house with twenty circuits in a row: what is kept, what goes, and what it takes.
@Suite struct LongRunTests {
    private static let interval = 300 * Duration.second
    private static let perDay = 288
    private static let circuits = 20
    private let start = Instant(seconds: 1_767_225_600)

    private let catalog = CircuitCatalog(
        circuits: (0..<circuits).map { CircuitIdentity(id: "\($0)", name: "Circuit \($0)") }, version: 1)

    private func emission(_ instance: Int, at instant: Instant) -> Emission {
        let step = Int(instant.seconds / 300)
        let circuits = (0..<Self.circuits).map { number in
            var sample = CircuitSample(circuit: Int32(number), kind: .load)
            sample.present = .power
            sample.powerW = Double((step * 7919 + number * 104_729) % 4_000_000) / 1000
            return sample
        }
        return Emission(
            instance: instance, timestamp: instant, period: Self.interval, known: [.consumption],
            powers: Powers(consumptionW: Double(step * 7919 % 9_000_000) / 1000), circuits: circuits, catalog: catalog)
    }

    /// Bytes of the store; beside it is a log of some megabytes that does not grow.
    private func size(_ directory: DataDirectory) throws -> Int {
        func bytes(_ suffix: String) throws -> Int {
            let path = directory.path(of: Store.fileName + suffix)
            return try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        }
        #expect(try bytes("-wal") < 6_000_000)
        return try bytes("")
    }

    /// Runs days, `each` called at the end of every one.
    private func run(
        _ host: inout RunningHost, days: Range<Int>, each: (Int, Instant, inout RunningHost) throws -> Void
    ) rethrows {
        for day in days {
            for step in 1...Self.perDay {
                let now = start + Int64(day * Self.perDay + step) * Self.interval
                host.emit(emission(host.instance, at: now))
                host.turn(wall: now + 31 * Duration.second)
            }
            try each(day, start + Int64((day + 1) * Self.perDay) * Self.interval + 40 * Duration.second, &host)
        }
    }

    @Test(arguments: [false, true])
    func `a clock that starts a year ahead makes nothing old, unless something vouches for it`(
        isSynchronised: Bool
    ) throws {
        try withDirectory { directory in
            var host = try RunningHost(directory: directory, zone: .utc, at: start, deliveryIsOn: true)
            run(&host, days: 0..<1) { _, _, _ in }
            host.stop(wall: start + Duration.day)
            let reader = try Reader(directory: directory)
            let count = try Self.ends(reader).count
            #expect(count > 250)

            let wrong = start + 401 * Duration.day
            var ahead = try RunningHost(
                directory: directory, zone: .utc, at: wrong, deliveryIsOn: true, clockIsSynchronised: isSynchronised)
            for minute in 0..<30 { ahead.turn(wall: wrong + Int64(minute) * Duration.minute) }
            #expect(try Self.ends(reader).count == (isSynchronised ? 0 : count))
            #expect(ahead.status.prunedUndelivered == (isSynchronised ? count : 0))
        }
    }

    @Test func `the store levels off, what was delivered goes in time, and nothing else before its own`() throws {
        try withDirectory { directory in
            var host = try RunningHost(
                directory: directory, zone: .utc, at: start, deliveryIsOn: true, history: 10, undelivered: 40)
            let reader = try Reader(directory: directory)
            /// Days 5 and 6 are never answered for.
            let lost = (start + 5 * Duration.day)...(start + 7 * Duration.day)
            var sizes: [Int] = []
            try run(&host, days: 0..<60) { day, now, host in
                var settlement = Settlement()
                for slot in try reader.waitingSlots(points: 100_000).slots where !lost.contains(slot.slot.end) {
                    settlement.slots.append(slot.row)
                }
                host.settle(settlement, wall: now)
                sizes.append(try size(directory))
                let ends = try Self.ends(reader)
                let old = ends.filter { $0 < now - 11 * Duration.day }
                #expect(old.allSatisfy(lost.contains), "day \(day)")
                // Two days of undelivered slots are there until they are 40 days old.
                if (7..<44).contains(day) { #expect(ends.filter(lost.contains).count == 577) }
            }
            #expect(try Self.ends(reader).filter(lost.contains).isEmpty)
            #expect(host.status.prunedUndelivered == 577)
            // From the second month on only quarter hours come on top: 96 a day, of twenty circuits each.
            let growth = (sizes[59] - sizes[29]) / 30
            print("store: day 15 \(sizes[14]), day 30 \(sizes[29]), day 60 \(sizes[59]) bytes; \(growth) a day")
            #expect(growth < 96 * 700)
            #expect(sizes[59] < sizes[14] * 2)

            // Who keeps less gets the space back.
            host.stop(wall: start + 60 * Duration.day + Duration.hour)
            var smaller = try RunningHost(
                directory: directory, zone: .utc, at: start + 60 * Duration.day, deliveryIsOn: true, history: 1,
                undelivered: 40)
            run(&smaller, days: 60..<61) { _, _, _ in }
            let left = try size(directory)
            print("with one day of slots: \(left) bytes")
            #expect(left < sizes[59] * 7 / 10)
        }
    }

    private static func ends(_ reader: Reader) throws -> [Instant] {
        let rows = try reader.database.statement("SELECT end FROM slot ORDER BY end")
        defer { rows.reset() }
        var ends: [Instant] = []
        while try rows.step() { ends.append(Instant(nanoseconds: rows.integer(0))) }
        return ends
    }
}
