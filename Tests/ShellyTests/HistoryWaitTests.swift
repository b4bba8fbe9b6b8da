import AdapterABI
import FakeHost
import TestSupport
import Testing

@Suite("History waits for meters that have not been heard of yet", .serialized)
struct HistoryWaitTests {
    private static let second: Int64 = 1_000_000_000
    private static let week: Int64 = 7 * 86_400 * second
    private static let end = Village.noon

    /// A meter that has written down its last hour.
    private static func meter(
        _ id: String, _ profile: ShellyGen2.Profile = .single, watts: Double
    ) -> ShellyDevice.Model {
        let count = if case .single = profile { 1 } else { 3 }
        var meter = ShellyGen2(id, profile, (0..<count).map { _ in .constant(watts) }, at: end - 3600)
        meter.advance(to: end)
        return .gen2(meter)
    }

    private static func rig(_ settings: [String: String] = [:], kept: [String: String] = [:]) throws -> Rig {
        try Rig(settings, at: Int64(end) * second, kept: kept)
    }

    private static func history(_ rig: Rig) throws -> HistoryAnswer {
        try rig.instance.history(
            from: Int64(end - 3600) * second, to: Int64(end - 1800) * second, step: 60 * second)
    }

    /// The first answer that is one, within half a minute.
    private static func records(_ rig: Rig) throws -> [EmittedReading] {
        try waitFor("records; \(rig.host.conditions)", within: 30) {
            let answer = try? history(rig)
            return answer?.outcome == METER_HISTORY_COMPLETE ? answer?.records : nil
        }
    }

    /// What is said while somebody is missing, once the house has been looked for.
    private static func refusal(_ rig: Rig) throws -> AdapterFailure {
        rig.host.advanceMonotonic(4 * second)
        return try waitFor("a refusal", within: 20) {
            do { _ = try history(rig) } catch let failure as AdapterFailure { return failure } catch {}
            return nil
        }
    }

    private static func waitForFirstReading(_ rig: Rig) throws {
        try waitUntil("the first reading; \(rig.host.conditions)", within: 20) { !rig.host.emissions.isEmpty }
    }

    @Test("History waits for the mains that a setting names and nobody has heard yet")
    func namedMains() throws {
        let rig = try Self.rig(["mains": "shellyproem50-2/em1:0"])
        let first = try ShellyDevice(Self.meter("shellyproem50-1", watts: 300), at: rig.broker.port)
        try rig.start()
        try Self.waitForFirstReading(rig)
        let failure = try Self.refusal(rig)
        #expect(failure.code == METER_NO_DATA)
        #expect(failure.message.contains("shellyproem50-2/em1:0"), "\(failure.message)")
        let mains = try ShellyDevice(Self.meter("shellyproem50-2", watts: 900), at: rig.broker.port)
        let records = try Self.records(rig)
        #expect(records.map(\.gridPowerW) == records.map { _ in 900 })
        #expect(records.count == 30)
        #expect(records.allSatisfy { $0.circuits.map(\.powerW) == [300, 900] })
        withExtendedLifetime((first, mains)) {}
    }

    @Test("History waits for the remembered mains, and no other meter takes their place meanwhile")
    func rememberedMains() throws {
        let rig = try Self.rig(kept: ["mains": "shellypro3em-2"])
        let heatPump = try ShellyDevice(Self.meter("shellypro3em-1", .threePhase, watts: 100), at: rig.broker.port)
        try rig.start()
        try Self.waitForFirstReading(rig)
        let failure = try Self.refusal(rig)
        #expect(failure.code == METER_NO_DATA)
        #expect(failure.message.contains("shellypro3em-2"), "\(failure.message)")
        #expect(rig.host.emissions.allSatisfy { $0.gridPowerW == nil })
        let mains = try ShellyDevice(Self.meter("shellypro3em-2", .threePhase, watts: 500), at: rig.broker.port)
        let records = try Self.records(rig)
        #expect(records.count == 30)
        #expect(records.allSatisfy { abs(($0.gridPowerW ?? .nan) - 1500) < 0.1 })
        #expect(String(decoding: rig.host.values["mains"] ?? [], as: UTF8.self) == "shellypro3em-2")
        withExtendedLifetime((heatPump, mains)) {}
    }

    @Test("A meter with a log is remembered, and waited for after a restart, a week long")
    func rememberedLogs() throws {
        let rig = try Self.rig(["mains": "shellyproem50-1/em1:0"])
        let devices = try ["shellyproem50-1", "shellyproem50-2"].map {
            try ShellyDevice(Self.meter($0, watts: 300), at: rig.broker.port)
        }
        try rig.start()
        let kept = "[\"shellyproem50-1\",\"shellyproem50-2\"]"
        try waitUntil("the logs are remembered; \(rig.host.values)", within: 20) {
            rig.host.values["logs"].map { String(decoding: $0, as: UTF8.self) } == kept
        }
        rig.stop()
        devices[1].vanish()
        let again = try Rig(
            ["mains": "shellyproem50-1/em1:0"], broker: rig.broker, at: Int64(Self.end) * Self.second,
            kept: ["logs": kept])
        try again.start()
        try Self.waitForFirstReading(again)
        let failure = try Self.refusal(again)
        #expect(failure.code == METER_NO_DATA)
        #expect(failure.message.contains("shellyproem50-2"), "\(failure.message)")
        again.host.advanceMonotonic(Self.week)
        devices[0].say(at: Self.end)
        let records = try Self.records(again)
        #expect(records.count == 30)
        #expect(records.allSatisfy { $0.gridPowerW == 300 })
        try waitUntil("it is remembered no more", within: 20) {
            again.host.values["logs"].map { String(decoding: $0, as: UTF8.self) } == "[\"shellyproem50-1\"]"
        }
    }

    @Test("A meter that has been offline for a week does not hold up the history of the others")
    func goneForGood() throws {
        let rig = try Self.rig(["mains": "shellyproem50-1/em1:0"])
        let devices = try ["shellyproem50-1", "shellyproem50-2"].map {
            try ShellyDevice(Self.meter($0, watts: 300), at: rig.broker.port)
        }
        try rig.start()
        try waitUntil("both; \(rig.host.conditions)", within: 20) { rig.host.emissions.last?.circuits.count == 2 }
        devices[1].vanish()
        try rig.waitForCondition("it is offline") { $0.message.contains("shellyproem50-2 is offline") }
        let failure = try Self.refusal(rig)
        #expect(failure.code == METER_UNREACHABLE)
        rig.host.advanceMonotonic(Self.week)
        devices[0].say(at: Self.end)
        #expect(try Self.records(rig).count == 30)
    }

    @Test("Where only meters without a log are here, a later one may have one for ten minutes")
    func lateLog() throws {
        let rig = try Self.rig(["mains": "emeter/0"])
        let model = ShellyGen1("shellyem-1", [.constant(5), .constant(6)], at: Self.end)
        let device = try ShellyDevice(.gen1(model), at: rig.broker.port)
        try rig.start()
        try Self.waitForFirstReading(rig)
        rig.host.advanceMonotonic(4 * Self.second)
        #expect(try Self.history(rig).outcome == METER_HISTORY_NOT_YET)
        rig.host.advanceMonotonic(600 * Self.second)
        #expect(try Self.refusal(rig).code == METER_UNSUPPORTED)
        withExtendedLifetime(device) {}
    }
}
