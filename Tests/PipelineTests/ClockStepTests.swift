import Foundation
import Readings
import TestSupport
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Storage

/// A clock that the kernel holds for synchronised and that is set back, with a meter that has a log.
@Suite struct ClockStepTests {
    private static let interval = 60 * Duration.second
    private let noon = Instant(seconds: 1_780_315_200)

    /// Every ten seconds; the wall is ahead of the time that passes.
    private func run(_ host: inout RunningHost, seconds: Range<Int64>, ahead: Int64) {
        for second in stride(from: seconds.lowerBound + 10, through: seconds.upperBound, by: 10) {
            let wall = noon + (second + ahead) * Duration.second
            host.emit(
                Emission(
                    instance: host.instance, timestamp: wall, sampling: 10 * Duration.second, known: [.grid],
                    powers: Powers(gridW: 1000)))
            host.turn(wall: wall + 3 * Duration.second)
        }
    }

    private func slots(_ directory: DataDirectory) throws -> [Slot] {
        var slots: [Slot] = []
        try Reader(directory: directory).forEachSlot(
            from: Instant(seconds: 0), to: Instant(nanoseconds: .max), onlyWaiting: false
        ) { slots.append($0.slot) }
        return slots.filter { !$0.isFirstLight }
    }

    @Test(arguments: [1170, 1190, 1200] as [Int64], [1, 4, 13, 30, 35, 59, 64, 100, 599, 1000] as [Int64])
    func `nothing is wiped or counted twice, and the log is asked for nothing`(moment: Int64, step: Int64) throws {
        try withDirectory { directory in
            var host = try RunningHost(
                directory: directory, zone: .utc, at: noon, interval: Self.interval,
                log: HistoryLimits(step: Duration.minute, reach: 0, backfill: 0))
            host.isSynchronised = true
            run(&host, seconds: 0..<moment, ahead: step)
            let before = try slots(directory)
            run(&host, seconds: moment..<3600, ahead: 0)
            #expect(try host.question(wall: noon + 3605 * Duration.second) == nil)
            let after = try slots(directory)
            #expect(zip(after, after.dropFirst()).allSatisfy { $0.end == $1.start })
            #expect(try Reader(directory: directory).findings().isEmpty)
            for slot in before {
                let coverage = after.first { $0.end == slot.end }?.coverage ?? 0
                #expect(coverage >= min(slot.coverage, Repair.fullCoverage), "\((slot.end - noon) / Duration.second)")
            }
            // A kilowatt for as long as time has passed, but for the first sample and what came too late.
            let lost = 3600 - (try #require(host.view?.lifetime.imported)) / 1_000_000
            #expect(lost >= 0 && lost <= 10 + 2 * 60, "\(lost) s")
        }
    }
}
