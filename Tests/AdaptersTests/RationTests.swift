import Readings
import Testing

@testable import Adapters

@Suite struct RationTests {
    private let noon = Instant(seconds: 1_780_315_200)

    @Test func `the day's ration holds across restarts and comes back hour by hour`() {
        var ration = Ration(limit: 10)
        let spent = [
            ration.spend(6, at: noon), ration.spend(4, at: noon + 2 * Duration.hour),
            ration.spend(1, at: noon + 3 * Duration.hour),
        ]
        #expect(spent == [true, true, false])
        let stored = ration.encoded(at: noon + 3 * Duration.hour)
        var restarted = Ration(limit: 10, stored: stored)
        let isRefused = !restarted.spend(1, at: noon + 23 * Duration.hour)
        #expect(isRefused)
        #expect(restarted.left(at: noon + 24 * Duration.hour) == 6)
        let isAllowed = restarted.spend(6, at: noon + 24 * Duration.hour)
        #expect(isAllowed)
        #expect(Ration(limit: nil).left(at: noon) == nil)
        #expect(Ration(limit: 5, stored: [1, 2, 3]).left(at: noon) == 5)
    }

    @Test func `what was counted while the clock stood far ahead does not use up the ration for good`() {
        var ration = Ration(limit: 2)
        let isSpent = ration.spend(2, at: noon + 400 * Duration.day)
        #expect(isSpent)
        #expect(ration.left(at: noon) == 2)
        let stored = ration.encoded(at: noon)
        #expect(Ration(limit: 2, stored: stored).left(at: noon) == 2)
    }

    @Test func `setting the clock back by hours gives no second ration`() {
        var ration = Ration(limit: 2)
        let isSpent = ration.spend(2, at: noon)
        #expect(isSpent)
        #expect(ration.left(at: noon - 3 * Duration.hour) == 0)
    }

    /// A meter that is read once a minute, every read costing some requests.
    private struct Reading {
        var ration: Ration
        let cost: Int
        var now: Instant
        var reads: [Instant] = []
        var refused = 0
        var history = 0
        private var due: Instant

        init(_ ration: Ration, cost: Int, from start: Instant) {
            self.ration = ration
            self.cost = cost
            now = start
            due = start
        }

        /// Minute by minute, history as often as it is allowed.
        mutating func live(hours: Int64, wantsHistory: Bool) {
            let end = now + hours * Duration.hour
            while now < end {
                if now >= due {
                    ration.noteRead()
                    if ration.spend(cost, at: now) { reads.append(now) } else { refused += 1 }
                    due = now + max(Duration.minute, ration.pace(at: now))
                }
                for _ in 0..<10 where wantsHistory && ration.spend(1, for: .history, at: now) { history += 1 }
                now = now + Duration.minute
            }
        }

        /// The most reads of any hour.
        var busiest: Int {
            reads.indices.map { first in
                reads[first...].prefix { $0 < reads[first] + Duration.hour }.count
            }.max() ?? 0
        }
    }

    @Test(arguments: [0, 17, 59] as [Int64]) func `history takes what live reading leaves over, and never a read`(
        _ minute: Int64
    ) {
        var meter = Reading(
            Ration(limit: 1900, sampling: Duration.minute), cost: 1, from: noon + minute * Duration.minute)
        meter.live(hours: 72, wantsHistory: true)
        #expect(meter.refused == 0)
        #expect(meter.reads.count == 72 * 60)
        // 1,900 - a twentieth - 1,440 a day.
        #expect((3 * 365 - 10...3 * 365 + 365).contains(meter.history), "\(meter.history)")
    }

    @Test func `where reads cost more than one request, history learns to take less`() {
        var meter = Reading(Ration(limit: 4000, sampling: Duration.minute), cost: 2, from: noon)
        meter.live(hours: 48, wantsHistory: true)
        #expect(meter.refused == 0)
        #expect(meter.reads.count >= 48 * 60 - 30)
    }

    @Test(arguments: [1, 3]) func `a ration that is too small slows live reading down, evenly`(_ cost: Int) {
        var meter = Reading(Ration(limit: 600, sampling: Duration.minute), cost: cost, from: noon)
        meter.live(hours: 72, wantsHistory: true)
        #expect(meter.history == 0)
        // All of it is used, none in bursts, and hardly an attempt in vain.
        #expect(meter.reads.count * cost >= 3 * 600 * 8 / 10, "\(meter.reads.count)")
        #expect(meter.busiest <= 600 / 24 / cost * 2 + 5, "\(meter.busiest)")
        #expect(meter.refused <= 3, "\(meter.refused)")
    }

    @Test func `a reading is taken for as far apart from the next as the ration makes it, up to a quarter hour`() {
        var ration = Ration(limit: 1440, sampling: Duration.minute)
        var reads = 0
        func read(_ cost: Int) {
            ration.noteRead()
            _ = ration.spend(cost, at: noon + Int64(reads) * Duration.minute)
            reads += 1
        }
        #expect(ration.plannedSampling(at: noon) == Duration.minute)
        for _ in 0..<60 { read(5) }
        let slowed = ration.plannedSampling(at: noon + Duration.hour)
        #expect(slowed == ration.pace(at: noon + Duration.hour))
        #expect((4 * Duration.minute...8 * Duration.minute).contains(slowed), "\(slowed)")
        // A day on it is as if nothing had been.
        let renewed = ration.plannedSampling(at: noon + 30 * Duration.hour)
        #expect(renewed == ration.pace(at: noon + 30 * Duration.hour) && renewed < slowed)
        // Somebody uses all of it up: that is no plan any more.
        _ = ration.spend(1140, at: noon + Duration.hour)
        #expect(ration.left(at: noon + Duration.hour) == 0)
        #expect(ration.pace(at: noon + Duration.hour) > 20 * Duration.hour)
        #expect(ration.plannedSampling(at: noon + Duration.hour) == 15 * Duration.minute)
        // Who is read every hour by setting is read every hour.
        #expect(Ration(limit: 24, sampling: Duration.hour).plannedSampling(at: noon) == Duration.hour)
        // What pushes is not held back by a ration.
        #expect(Ration(limit: 24).plannedSampling(at: noon) == 0)
    }

    @Test func `after a ration was used up it is said when it goes on, and the rest is not spent at once`() throws {
        var ration = Ration(limit: 240, sampling: Duration.minute)
        for hour in 0..<10 { _ = ration.spend(24, at: noon + Int64(hour) * Duration.hour) }
        let now = noon + 10 * Duration.hour + 10 * Duration.minute
        #expect(ration.left(at: now) == 0)
        // The first 24 come back a day after they were used.
        #expect(ration.pause(at: now) == 14 * Duration.hour - 10 * Duration.minute)
        var meter = Reading(ration, cost: 1, from: noon + 24 * Duration.hour)
        meter.live(hours: 9, wantsHistory: false)
        #expect(meter.refused <= 1)
        #expect(meter.busiest <= 30, "\(meter.busiest)")
    }

    @Test func `a request is durable before it is made, or was written down as used already`() {
        var small = Ration(limit: 1900, sampling: Duration.minute)
        for used in 1...50 {
            _ = small.spend(1, at: noon)
            let stored = small.secured(at: noon)
            #expect(stored.map { Ration(limit: 1900, stored: $0).left(at: noon) } == 1900 - used)
        }
        var large = Ration(limit: 100_000, sampling: Duration.second)
        var durable = Ration(limit: 100_000)
        var writes = 0
        for used in 1...1000 {
            _ = large.spend(1, at: noon)
            if let stored = large.secured(at: noon) {
                durable = Ration(limit: 100_000, stored: stored)
                writes += 1
            }
            let left = durable.left(at: noon) ?? 0
            #expect(left <= 100_000 - used && left >= 100_000 - used - 50)
        }
        #expect(writes == 20)
    }

    @Test func `what was spent on history and on live readings stays apart over a restart`() {
        var ration = Ration(limit: 1900, sampling: Duration.minute)
        for _ in 0..<100 {
            ration.noteRead()
            _ = ration.spend(1, at: noon)
        }
        _ = ration.spend(300, for: .history, at: noon)
        let restarted = Ration(limit: 1900, sampling: Duration.minute, stored: ration.encoded(at: noon))
        #expect(restarted.left(at: noon) == 1500)
        #expect(restarted.left(for: .history, at: noon) == 1900 - 95 - 1440 - 300)
    }
}
