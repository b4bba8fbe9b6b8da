import AdapterABI
import FakeHost
import Synchronization
import Testing

/// Adapters in Swift, driven through the C interface.
@Suite(.serialized) struct InstanceTests {
    private func scripted(_ host: FakeHost) throws -> InstanceUnderTest {
        try unsafe AdapterUnderTest(ScriptedLibrary.enter()).create(host)
    }

    @Test("What create throws is its code and message")
    func refused() throws {
        let failure = try #require(throws: AdapterFailure.self) {
            _ = try scripted(FakeHost(settings: ["script": "refuse"]))
        }
        #expect(failure == AdapterFailure(code: METER_MISCONFIGURED, message: "SCRIPTED_SCRIPT refuses"))
    }

    @Test("Destroy frees the instance")
    func freed() throws {
        var instance: InstanceUnderTest? = try scripted(FakeHost(settings: ["script": "counted"]))
        #expect(instance != nil)
        #expect(ScriptedAdapter.alive.load(ordering: .relaxed) == 1)
        instance = nil
        #expect(ScriptedAdapter.alive.load(ordering: .relaxed) == 0)
    }

    @Test("A message that is too long is cut before a character, and the pause crosses in nanoseconds")
    func longMessage() throws {
        let instance = try scripted(FakeHost(settings: ["script": "start fails"]))
        let failure = try #require(throws: AdapterFailure.self) { try instance.start() }
        #expect(failure.code == METER_CREDENTIALS_REFUSED)
        #expect(failure.message == String(repeating: "\u{00E4}", count: 244))
        #expect(failure.retryAfter == 1_500_000_000)
    }

    @Test("Settings arrive by kind, and a log line arrives whole")
    func settings() throws {
        let host = FakeHost(settings: ["names": " a , b,, ", "factor": "2.5"])
        try scripted(host).start()
        #expect(host.logs == ["2 started [\"a\", \"b\"] 2.5 true"])
    }

    @Test("A reading of which nothing is measured has no bit set")
    func empty() throws {
        let reading = try scripted(FakeHost()).read()
        #expect(reading.known == 0)
        #expect(reading.present == 0)
        #expect(reading.timestamp == 0)
        #expect(reading.circuits.isEmpty)
        #expect(Int(reading.structSize) == MemoryLayout<Int>.size * 28)
    }

    @Test("Every number of a reading arrives with its bit, and an absent one without")
    func full() throws {
        let reading = try scripted(FakeHost(settings: ["script": "full"])).read()
        #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER)
        #expect(reading.quality == METER_QUALITY_ESTIMATED)
        #expect(reading.timestamp == 1_000)
        #expect(reading.period == 500)
        #expect(reading.gridPowerW == -250.5)
        #expect(reading.solarPowerW == 0)
        #expect(reading.batteryPowerW == nil)
        #expect(reading.consumptionPowerW == nil)
        #expect(reading.periodImportKWh == 0.25)
        #expect(reading.totalImportKWh == 1234.5)
        #expect(reading.totalExportKWh == 0)
        #expect(reading.totalConsumptionKWh == nil)
        #expect(reading.dayEnergyKWh == 3)
        #expect(reading.voltagesV == [230, nil, 231])
        #expect(reading.frequencyHz == 50)
        let car = try #require(reading.circuits.last)
        #expect(reading.circuits.count == 2)
        #expect(reading.circuits[0].powerW == nil)
        #expect(car.id == "car")
        #expect(car.name == "Elektroauto \u{1F697}")
        #expect(car.parentID == "garage")
        #expect(car.kind == METER_KIND_EV)
        #expect(car.phase == 2)
        #expect(car.powerW == 7200)
        #expect(car.totalEnergyKWh == 12)
        #expect(car.voltageV == 229)
        #expect(car.currentA == 31)
        #expect(car.powerFactor == -1)
    }

    @Test func `a name of 300 bytes is cut, and the reading goes through`() throws {
        let reading = try scripted(FakeHost(settings: ["script": "long texts"])).read()
        #expect(reading.consumptionPowerW == 5)
        #expect(reading.circuits.map(\.id) == ["letters", "families", "one sign", String(repeating: "i", count: 255)])
        #expect(reading.circuits[0].name == String(repeating: "n", count: 255))
        #expect(reading.circuits[0].parentID == "")
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}"
        #expect(reading.circuits[1].name == String(repeating: family, count: 10))
        // One character of 401 bytes: better in part than not at all.
        #expect(reading.circuits[2].name == "a" + String(repeating: "\u{301}", count: 127))
        #expect(reading.circuits[3].name == "Just right")
    }

    @Test("A reading that the host refuses fails the read; a closed instance does not")
    func refusedReading() throws {
        let host = FakeHost()
        let instance = try scripted(host)
        host.emitResult = METER_EMIT_INVALID
        let failure = try #require(throws: AdapterFailure.self) { try instance.read() }
        #expect(failure.code == METER_BAD_DATA)
        host.emitResult = METER_EMIT_CLOSED
        let closed = try #require(throws: AdapterFailure.self) { try instance.read() }
        #expect(closed.code == METER_NO_DATA, "the driver's own: the call succeeded and emitted nothing")
    }

    @Test("History goes to the sink, never to emit, with its outcome")
    func history() throws {
        let host = FakeHost()
        let answer = try scripted(host).history(from: 100, to: 1_000, step: 10, maximumRecords: 5)
        #expect(answer.records.map(\.timestamp) == [1_000])
        #expect(answer.outcome == METER_HISTORY_MORE)
        #expect(answer.coveredTo == 107)
        #expect(host.emissions.isEmpty)
    }

    @Test("A push adapter emits, spends and states its condition from start")
    func push() throws {
        let host = FakeHost()
        try unsafe AdapterUnderTest(ScriptedLibrary.enter(), index: 1).create(host).start()
        #expect(host.emissions.map(\.gridPowerW) == [5])
        #expect(host.spent == 3)
        #expect(host.conditions.map(\.code) == [METER_UNREACHABLE, METER_OK])
        #expect(host.conditions.first?.message == "no broker")
        #expect(host.conditions.first?.retryAfter == 2_000_000_000)
        #expect(host.logs == ["3 emit queued"])
    }
}
