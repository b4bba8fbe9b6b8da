import Foundation
import Readings
import TestSupport
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Storage

/// A restart with slots of another length.
@Suite struct IntervalTests {
    private let noon = Instant(seconds: 1_780_315_200)

    @Test(arguments: [30, 90, 300] as [Int64])
    func `slots of another length take the place of those that were not final, and nothing counts twice`(
        late: Int64
    ) throws {
        try withDirectory { directory in
            var time = noon
            // Minutes at which slots become longer, shorter, and longer again.
            for (interval, until) in [(60, 19), (300, 41), (60, 64), (300, 78), (900, 121), (60, 151)]
                as [(Int64, Int64)]
            {
                var host = try RunningHost(
                    directory: directory, zone: .utc, at: time, interval: interval * Duration.second,
                    late: late * Duration.second)
                while time < noon + until * Duration.minute {
                    time = time + 20 * Duration.second
                    host.emit(
                        Emission(
                            instance: host.instance, timestamp: time, period: 20 * Duration.second, known: [.grid],
                            powers: Powers(gridW: Double(time.seconds / 20 * 7919 % 4000))))
                    host.turn(wall: time + 3 * Duration.second)
                }
                host.stop(wall: time + 4 * Duration.second)
            }
            let reader = try Reader(directory: directory)
            #expect(try reader.findings().isEmpty)
            var slots: [Slot] = []
            try reader.forEachSlot(from: noon, to: time, onlyWaiting: false) { slots.append($0.slot) }
            slots.removeAll(where: \.isFirstLight)
            #expect(zip(slots, slots.dropFirst()).allSatisfy { $0.end == $1.start }, "without overlap or hole")
            let last = try #require(slots.last)
            let sum = slots.reduce(0) { $0 + ($1.energy.imported ?? 0) }
            #expect(sum == last.lifetime.imported)
            let buckets = try reader.database.number("SELECT sum(imported_mj) FROM bucket")
            #expect(buckets == sum)
            let measured = stride(from: noon.seconds + 20, through: last.end.seconds, by: 20).reduce(0) {
                $0 + $1 / 20 * 7919 % 4000 * 20_000
            }
            #expect(sum == measured)
        }
    }
}
