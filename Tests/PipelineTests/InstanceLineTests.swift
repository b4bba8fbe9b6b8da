import Readings
import TestSupport
import Testing

@testable import Analysis
@testable import Pipeline

@Suite struct InstanceLineTests {
    private let interval = 300 * Duration.second
    private let noon = Instant(seconds: 1_780_315_200)

    private func makeLine(base: Carry? = nil, journal: [Emission] = []) -> InstanceLine {
        InstanceLine(
            settings: InstanceLine.Settings(
                identity: InstanceIdentity(meterType: "test"), interval: interval, late: 60 * Duration.second,
                rules: FoldRules(instance: 0, maximumPowerW: 100_000, isHouse: true)),
            base: base, journal: journal)
    }

    private func emission(_ seconds: Double, _ powerW: Double = 1000, sampling: Int64 = 30) -> Emission {
        Emission(
            instance: 0, timestamp: noon + Int64(seconds * 1e9), sampling: sampling * Duration.second,
            known: [.consumption], powers: Powers(consumptionW: powerW))
    }

    private func day(_ instant: Instant) -> DayBounds {
        let start = Instant(nanoseconds: instant.nanoseconds.floorDivided(by: Duration.day) * Duration.day)
        return DayBounds(start: start, end: start + Duration.day)
    }

    private func at(_ seconds: Double) -> Instant { noon + Int64(seconds * 1e9) }

    @Test func `a slot closes shortly after its end and not before`() {
        var line = makeLine()
        for index in 1...10 { #expect(line.accept(emission(Double(index) * 30)) == .taken) }
        #expect(line.close(now: at(300), day: day).isEmpty)
        #expect(line.nextClose == at(302))
        let slots = line.close(now: at(302), day: day)
        #expect(slots.map(\.end) == [at(300)])
        #expect(slots.first?.totalPowerW == 1000)
        #expect(line.close(now: at(310), day: day).isEmpty)
    }

    @Test func `what comes late but in time makes the next revision, and later than that is left out`() {
        var line = makeLine()
        for index in 1...20 where index != 5 { _ = line.accept(emission(Double(index) * 30)) }
        #expect(line.close(now: at(302), day: day).count == 1)
        #expect(line.accept(emission(150, 4000)) == .taken)
        let revised = line.close(now: at(330), day: day)
        #expect(revised.map(\.end) == [at(300)])
        #expect(revised.first?.maximumPowerW == 4000)
        #expect(line.finalise(now: at(359)) == nil)
        #expect(line.finalise(now: at(361))?.base.at == at(300))
        #expect(line.accept(emission(160, 4000)) == .tooLate)
    }

    @Test(arguments: 1...20) func `the day's energy is the same, however slots were closed meanwhile`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        // Days of half an hour, so that some of them end.
        let day = { (instant: Instant) in
            let length = 30 * Duration.minute
            let start = Instant(nanoseconds: instant.nanoseconds.floorDivided(by: length) * length)
            return DayBounds(start: start, end: start + length)
        }
        var line = makeLine()
        var kept: [Emission] = []
        var time = 0.0
        for _ in 0..<40 {
            // A burst, as after a pause or a leap of the clock; now and then one of them comes late.
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                time += Double.random(in: 5...60, using: &random)
                let late = Int.random(in: 0..<10, using: &random) == 0 ? 40.0 : 0
                let emission = emission(time - late, Double.random(in: 0...3000, using: &random))
                if line.accept(emission) == .taken { kept.append(emission) }
            }
            _ = line.close(now: at(time + 2), day: day)
            _ = line.finalise(now: at(time + 2))
            guard Bool.random(using: &random) else { continue }
            var whole = makeLine()
            for emission in kept { _ = whole.accept(emission) }
            let expected = whole.dayNow(day: day)
            let figure = line.dayNow(day: day)
            #expect(
                figure?.carry.day.energy == expected?.carry.day.energy && figure?.at == expected?.at,
                "seed \(seed) at \(time)")
        }
    }

    /// Readings, and how often they were to come when each was taken.
    private static let plans: [[(seconds: Double, sampling: Int64)]] = [
        (1...40).map { (Double($0) * 25, 30) },
        // A ration has to last, then it is renewed.
        (1...9).map { (Double($0) * 30, 30) } + [(300, 100), (400, 200), (600, 200), (800, 200), (1000, 30)],
    ]

    @Test(arguments: plans) func `a restart in the middle of a slot changes nothing`(
        _ plan: [(seconds: Double, sampling: Int64)]
    ) throws {
        let emissions = plan.map {
            emission($0.seconds, $0.seconds.remainder(dividingBy: 700) + 700, sampling: $0.sampling)
        }
        var whole = makeLine()
        var expected: [Slot] = []
        for emission in emissions {
            _ = whole.accept(emission)
            expected += whole.close(now: emission.timestamp + 1, day: day)
        }
        var line = makeLine()
        var slots: [Slot] = []
        var journal: [Emission] = []
        var base: Carry?
        for (index, emission) in emissions.enumerated() {
            _ = line.accept(emission)
            journal.append(emission)
            slots += line.close(now: emission.timestamp + 1, day: day)
            if let final = line.finalise(now: emission.timestamp + 1) {
                base = Carry(decoding: final.base.encoded())
                journal.removeAll { $0.timestamp < final.keepFrom }
            }
            if index % 7 == 3 || index > 10 { line = makeLine(base: base, journal: journal) }
        }
        // A restarted line gives closed slots again; what is stored is the same.
        let stored = Dictionary(slots.map { ($0.end, $0) }, uniquingKeysWith: { $1 })
        let wanted = Dictionary(expected.map { ($0.end, $0) }, uniquingKeysWith: { $1 })
        #expect(stored == wanted)
        #expect(wanted.count == 3)
        #expect(wanted.values.filter { $0.start > at(0) }.allSatisfy { $0.coverage == 1 })
    }

    @Test func `silence makes no slots, and the emission that ends it goes on`() {
        var line = makeLine()
        for index in 1...10 { _ = line.accept(emission(Double(index) * 30)) }
        #expect(line.close(now: at(302), day: day).count == 1)
        #expect(line.close(now: at(4000), day: day).isEmpty)
        #expect(line.nextClose == nil)
        _ = line.accept(emission(7230))
        let slots = line.close(now: at(7502), day: day)
        // The last sample before the silence counted on for 75 s into the second slot.
        #expect(slots.map(\.end) == [at(600), at(7500)])
        #expect(slots.first?.coverage == 0.25)
    }

    @Test func `what a wrong clock put into the future is overwritten as time reaches it`() throws {
        var line = makeLine()
        for index in 1...20 { _ = line.accept(emission(Double(index) * 30)) }
        // The clock was an hour ahead: two slots lie there.
        let ahead = line.close(now: at(602), day: day)
        #expect(ahead.map(\.end) == [at(300), at(600)])
        #expect(line.newestSlot == at(600))

        let now = at(-3000)
        #expect(line.isAhead(of: now))
        let rewound = line.rewind(to: now, day: day)
        let base = try #require(rewound)
        #expect(base.at == now)
        #expect(base.flows.consumed?.lifetime == ahead.last?.lifetime.consumed)
        #expect(line.newestSlot == now)
        #expect(!line.isAhead(of: now))
        for index in 1...130 { #expect(line.accept(emission(-3000 + Double(index) * 30, 500)) == .taken) }
        let slots = line.close(now: at(902), day: day)
        let again = try #require(slots.first { $0.end == at(300) })
        #expect(again.totalPowerW == 500)
        // What was counted stays counted, and nothing counts twice.
        let last = try #require(slots.last)
        let before = try #require(ahead.last?.lifetime.consumed)
        #expect(last.lifetime.consumed == before + slots.reduce(0) { $0 + ($1.energy.consumed ?? 0) })
    }

    @Test func `a step back by seconds leaves the slot that has just closed alone`() {
        var line = makeLine()
        for index in 1...20 { _ = line.accept(emission(Double(index) * 30)) }
        #expect(line.close(now: at(602), day: day).map(\.coverage) == [0.9, 1])
        for back in [602.0, 599, 590, 301] { #expect(!line.isAhead(of: at(back))) }
        #expect(line.isAhead(of: at(300)))
        // What was read before the step, and is read again, changes nothing of it but what it says.
        for index in 0..<10 { #expect(line.accept(emission(595 + Double(index) * 30)) == .taken) }
        let slots = line.close(now: at(902), day: day)
        #expect(slots.allSatisfy { $0.coverage == 1 && $0.totalPowerW == 1000 })
        #expect(slots.last?.lifetime.consumed == Energy.millijoules(kWh: 1.0 / 3600 * 870))
    }

    @Test func `a step back within a slot that is far from its end keeps that slot`() throws {
        var line = makeLine()
        for index in 1...40 { _ = line.accept(emission(Double(index) * 30)) }
        let whole = line.close(now: at(1202), day: day)
        #expect(whole.map(\.end) == [at(300), at(600), at(900), at(1200)])
        let rewound = line.rewind(to: at(400), day: day)
        let base = try #require(rewound)
        #expect(base.at == at(600))
        #expect(line.accept(emission(430)) == .tooLate)
        for index in 1...20 { #expect(line.accept(emission(600 + Double(index) * 30, 2000)) == .taken) }
        let again = line.close(now: at(1202), day: day)
        #expect(again.map(\.end) == [at(900), at(1200)])
        let sum = again.reduce(0) { $0 + ($1.energy.consumed ?? 0) }
        #expect(again.last?.lifetime.consumed == (whole.last?.lifetime.consumed ?? 0) + sum)
    }

    @Test func `a clock that goes back leaves out what comes again, and a counter makes up for it`() {
        func counted(_ seconds: Double, _ energy: Double) -> Emission {
            var emission = emission(seconds)
            emission.counters.consumed = Energy.millijoules(kWh: 100 + energy)
            return emission
        }
        var line = makeLine()
        for index in 0...40 { _ = line.accept(counted(Double(index) * 30 + 1, Double(index) * 0.01)) }
        var slots = line.close(now: at(1202), day: day)
        _ = line.finalise(now: at(1300))
        // Ten minutes back: what comes now was stamped before.
        for index in 1...19 {
            #expect(line.accept(counted(601 + Double(index) * 30, 0.4 + Double(index) * 0.01)) == .tooLate)
        }
        for index in 20...40 {
            #expect(line.accept(counted(601 + Double(index) * 30, 0.4 + Double(index) * 0.01)) == .taken)
        }
        slots += line.close(now: at(1802), day: day)
        let sum = Dictionary(slots.map { ($0.end, $0.energy.consumed ?? 0) }, uniquingKeysWith: { $1 }).values.reduce(
            0, +)
        #expect(sum == slots.last?.lifetime.consumed)
        #expect(abs(Energy.kWh(sum) - (0.4 + 0.39)) < 0.011)
    }
}
