import AdapterABI
import FakeHost
import TestSupport
import Testing

@Suite("History of Shelly meters", .serialized)
struct HistoryTests {
    private static let second: Int64 = 1_000_000_000
    private static let noon = Village.noon
    private static let begin = noon - 6 * 3600

    /// An adapter and one device that has measured since six o'clock, but for half an hour after nine.
    private final class LogRig {
        let rig: Rig
        let device: ShellyDevice

        init(_ profile: ShellyGen2.Profile, _ loads: [ShellyLoad], mains: String, recordsPerAnswer: Int = 50) throws {
            var meter = ShellyGen2("shellypro-1", profile, loads, at: begin)
            meter.advance(to: noon - 3 * 3600)
            meter.sleep(until: noon - 3 * 3600 + 1800)
            meter.advance(to: noon)
            meter.log.recordsPerAnswer = recordsPerAnswer
            rig = try Rig(["devices": "shellypro-1", "mains": mains], at: Int64(noon) * second)
            device = try ShellyDevice(.gen2(meter), at: rig.broker.port)
            try rig.start()
            try waitUntil("the first reading; \(rig.host.conditions)", within: 20) { !rig.host.emissions.isEmpty }
        }

        func walk(from: Int = begin, to: Int = noon, step: Int64, most: UInt32 = 1000) throws -> HistoryWalk {
            try HistoryWalk(
                rig.instance, from: Int64(from) * second, to: Int64(to) * second, step: step * second,
                maximumRecords: most)
        }
    }

    @Test(
        "Every minute and every five minutes is what flowed, across answers in pieces and a power cut",
        arguments: [60, 300])
    func energies(_ step: Int) throws {
        let loads = [
            ShellyLoad.switching(300, 1800, on: 70, period: 400), .switching(-400, 1000, on: 1200, period: 2700),
        ]
        let rig = try LogRig(.single, loads, mains: "em1:0")
        let walk = try rig.walk(step: Int64(step), most: 37)
        #expect(walk.violations == [])
        // Half an hour is in no log, and the last minutes are not written down yet.
        let records = walk.records
        #expect(records.count == (6 * 3600 - 1800) / step - (step == 60 ? 2 : 1))
        let gap = noonRange(-3 * 3600, -3 * 3600 + 1800)
        #expect(!records.contains { gap.contains(Int($0.timestamp / Self.second) - 1) })
        for record in records {
            let end = Int(record.timestamp / Self.second)
            let truth = loads[0].energy(from: end - step, to: end)
            #expect(abs((record.periodImportKWh ?? .nan) * 1000 - truth.forwardWh) < 0.01)
            #expect(record.periodExportKWh == 0)
            #expect(abs((record.gridPowerW ?? .nan) - truth.forwardWh * 3600 / Double(step)) < 0.1)
            let other = loads[1].energy(from: end - step, to: end)
            #expect(abs((record.circuits[1].periodReturnedKWh ?? .nan) * 1000 - other.returnedWh) < 0.01)
        }
        #expect(walk.outcomes.last == METER_HISTORY_NOT_YET)
    }

    private func noonRange(_ from: Int, _ to: Int) -> Range<Int> { Self.noon + from..<Self.noon + to }

    @Test("Three phases are netted minute by minute; their total is what the utility counts")
    func threePhases() throws {
        let loads = [ShellyLoad.constant(900), .constant(400), .switching(-2000, 2500, on: 600, period: 1200)]
        let rig = try LogRig(.threePhase, loads, mains: "em:0", recordsPerAnswer: 25)
        let walk = try rig.walk(from: Self.noon - 2 * 3600, to: Self.noon - 600, step: 300)
        #expect(walk.violations == [])
        #expect(walk.records.count == 22)
        for record in walk.records {
            let end = Int(record.timestamp / Self.second)
            let net = ShellyLoad { second in loads.reduce(0) { $0 + $1.watts(second) } }.energy(
                from: end - 300, to: end)
            #expect(abs((record.periodImportKWh ?? .nan) * 1000 - net.forwardWh) < 0.1)
            #expect(abs((record.periodExportKWh ?? .nan) * 1000 - net.returnedWh) < 0.1)
            #expect(record.circuits.map(\.phase) == [1, 2, 3])
        }
        #expect(walk.outcomes.last == METER_HISTORY_COMPLETE)
    }

    @Test("Before the log begins there is nothing, and it is said from when on there is something")
    func beginning() throws {
        let rig = try LogRig(.single, [.constant(500)], mains: "em1:0")
        let walk = try rig.walk(from: Self.begin - 7200, to: Self.begin + 600, step: 60)
        #expect(walk.violations == [])
        #expect(walk.noneBefore == Int64(Self.begin) * Self.second)
        #expect(walk.records.count == 10)
    }

    @Test("An answer that does not come is a timeout, within the deadline, and an offline device is said to be so")
    func silence() throws {
        let rig = try LogRig(.single, [.constant(500)], mains: "em1:0")
        rig.device.isSilent = true
        let start = ContinuousClock.now
        let failure = #expect(throws: AdapterFailure.self) {
            try rig.rig.instance.history(
                from: Int64(Self.noon - 3600) * Self.second, to: Int64(Self.noon) * Self.second, step: 60 * Self.second,
                withinSeconds: 1)
        }
        #expect(failure?.code == METER_TIMEOUT)
        #expect(ContinuousClock.now - start < .seconds(2.5))
        rig.device.vanish()
        try rig.rig.waitForCondition("it is offline") { $0.message.contains("offline") }
        let other = #expect(throws: AdapterFailure.self) { try rig.walk(step: 60) }
        #expect(other?.code == METER_UNREACHABLE)
    }

    @Test("A call that waits for a device ends when the host says so")
    func cancellation() throws {
        let rig = try LogRig(.single, [.constant(500)], mains: "em1:0")
        rig.device.isSilent = true
        let host = rig.rig.host
        let start = ContinuousClock.now
        host.cancel(afterSeconds: 0.2)
        let failure = #expect(throws: AdapterFailure.self) { try rig.walk(step: 60) }
        #expect(failure?.code == METER_CANCELLED)
        #expect(ContinuousClock.now - start < .seconds(1.5))
    }

    @Test("Meters of the first generation keep no log that can be asked for")
    func firstGeneration() throws {
        let rig = try Rig(["devices": "shellyem-1", "mains": "emeter/0"])
        let device = try ShellyDevice(
            .gen1(ShellyGen1("shellyem-1", [.constant(5), .constant(6)], at: Rig.second)), at: rig.broker.port)
        try rig.start()
        try rig.waitForReading("a reading", of: [device])
        let failure = #expect(throws: AdapterFailure.self) {
            try rig.instance.history(from: 0, to: Rig.now, step: 60 * Self.second)
        }
        #expect(failure?.code == METER_UNSUPPORTED)
    }

    @Test("Questions are asked one after another, and only for what is wanted")
    func manners() throws {
        let rig = try LogRig(.single, [.constant(500), .constant(20)], mains: "em1:0")
        let before = rig.device.questions.count
        _ = try rig.walk(from: Self.noon - 3600, to: Self.noon - 600, step: 300)
        let asked = rig.device.questions.dropFirst(before)
        #expect(asked.filter { $0 == "EM1Data.GetRecords" }.count == 2)
        // 50 minutes of two channels, 50 records an answer and one that reaches into them.
        #expect(asked.filter { $0 == "EM1Data.GetData" }.count <= 4, "\(asked)")
    }
}
