import AdapterABI
import FakeHost
import Foundation
import TestSupport
import Testing

/// History through the library and the C interface, with the recorder in the test's hands.
@Suite(.serialized) struct HistoryTests {
    private static let second: Int64 = 1_000_000_000
    private static let now = Recorder.now

    private func instance(
        _ recorder: Recorder, _ settings: [String: String] = [:]
    ) throws -> (FakeHost, InstanceUnderTest) {
        let host = FakeHost(
            settings: ["url": "http://ha:8123", "token": "T0ken"].merging(settings) { $1 }, respond: recorder.answer)
        host.wall = Self.now + 20 * Self.second
        let library = Checkout.product("libsmartmeter-homeassistant.so")
        let instance = try AdapterUnderTest(path: library).create(host)
        try instance.start()
        return (host, instance)
    }

    /// But for rounding.
    private func isNear(_ value: Double?, _ expected: Double) -> Bool {
        value.map { abs($0 - expected) <= 1e-9 * max(1, abs(expected)) } ?? false
    }

    private func walk(
        _ instance: InstanceUnderTest, minutes: Int64 = 30, step: Int64 = 300, maximumRecords: UInt32 = 1000
    ) throws -> HistoryWalk {
        let walk = try HistoryWalk(
            instance, from: Self.now - minutes * 60 * Self.second, to: Self.now, step: step * Self.second,
            maximumRecords: maximumRecords)
        #expect(walk.violations.isEmpty)
        return walk
    }

    @Test func `a record is the mean over its time, whatever the sensors' pace`() throws {
        let recorder = Recorder(
            [
                "sensor.total_power": [
                    (2000, "1"), (1800, "1.5"), (1575, "4.5"), (1500, "2"), (900, "2.5"), (100, "3"),
                ],
                "sensor.power_kitchen": [
                    (1800, "100"), (1650, "400"), (1200, "unavailable"), (1140, "200"), (600, "50"),
                ],
            ], units: ["sensor.total_power": "kW"])
        let (_, instance) = try instance(recorder)
        let walk = try walk(instance)
        #expect(walk.outcomes == [METER_HISTORY_COMPLETE])
        #expect(walk.records.map { ($0.timestamp - Self.now) / Self.second } == [-1500, -1200, -900, -600, -300, 0])
        let expected: [Double] = [2250, 2000, 2000, 2500, 2500, 8000.0 / 3]
        for (record, power) in zip(walk.records, expected) {
            #expect(isNear(record.consumptionPowerW, power))
            #expect(isNear(record.periodConsumptionKWh, power / 12_000))
        }
        let kitchen = walk.records.map { $0.circuits.first?.powerW }
        #expect(kitchen == [250, 400, 200, 200, 50, 50])
        #expect(walk.records.allSatisfy { $0.known == METER_CONSUMPTION_POWER && $0.circuits.count == 1 })
        // Of the third, a fifth was not available: measured is measured, and no more.
        #expect(isNear(walk.records[2].circuits[0].periodEnergyKWh, 48_000 / 3.6e6))
    }

    @Test(arguments: [-3600.0, -8, 90, 86_400])
    func `a clock that differs from ours is seen through`(ahead: Double) throws {
        let recorder = Recorder(
            ["sensor.total_power": [(900, "100"), (450, "200"), (100, "400")]], clockAhead: ahead)
        let (_, instance) = try instance(recorder)
        let records = try walk(instance, minutes: 10).records
        #expect(records.count == 2)
        #expect(isNear(records.first?.consumptionPowerW, 150) && isNear(records.last?.consumptionPowerW, 800.0 / 3))
    }

    @Test(arguments: [1e30, 1e15, 9e9, -1e12, 0])
    func `a clock that shows no time is not believed`(now: Double) throws {
        let recorder = Recorder(
            ["sensor.total_power": [(900, "100"), (450, "200"), (100, "400")]],
            clockAhead: now - Double(Self.now / Self.second) - 20)
        let (_, instance) = try instance(recorder)
        recorder.answerHistory(.answer(status: 200, body: "[]"))
        #expect(try walk(instance, minutes: 10).records.isEmpty)
    }

    @Test func `the question is the smallest that has the answer`() throws {
        let recorder = Recorder(
            [
                "sensor.total_power": [(4000, "100")], "sensor.power_a": [(4000, "5")],
                "sensor.temperature": [(4000, "20")],
            ], units: ["sensor.temperature": "°C"])
        let (_, instance) = try instance(recorder)
        _ = try walk(instance)
        let target = try #require(recorder.targets.first)
        #expect(recorder.targets.count == 1)
        #expect(target.contains("filter_entity_id=sensor.power_a,sensor.total_power&"))
        #expect(target.contains("&minimal_response&no_attributes&significant_changes_only=0"))
        // A quarter of an hour earlier than the first record begins: how old its state is has to be seen.
        #expect(target.contains("/api/history/period/2025-12-31T23:15:00Z?"))
    }

    @Test func `import and export, solar and battery keep their directions`() throws {
        let recorder = Recorder(
            [
                "sensor.in": [(400, "600"), (250, "0")], "sensor.out": [(400, "0"), (200, "300")],
                "sensor.pv": [(300, "-1.2")], "sensor.bat": [(400, "-200"), (150, "200")],
                "sensor.imported": [(500, "1000"), (10, "1001")], "sensor.daily_energy": [(500, "12.5")],
            ], units: ["sensor.pv": "kW", "sensor.imported": "kWh", "sensor.daily_energy": "kWh"])
        let (_, instance) = try instance(
            recorder,
            [
                "grid_import": "sensor.in", "grid_export": "sensor.out", "solar": "sensor.pv", "solar_invert": "1",
                "battery": "sensor.bat", "import_energy": "sensor.imported",
            ])
        let record = try #require(try walk(instance, minutes: 5).records.last)
        #expect(record.known == METER_GRID_POWER | METER_SOLAR_POWER | METER_BATTERY_POWER)
        #expect(record.gridPowerW == -100)
        #expect(isNear(record.periodImportKWh, 30_000 / 3.6e6))
        #expect(isNear(record.periodExportKWh, 60_000 / 3.6e6))
        #expect(record.solarPowerW == 1200)
        #expect(record.batteryPowerW == 0)
        #expect(isNear(record.periodChargeKWh, 30_000 / 3.6e6))
        #expect(record.periodChargeKWh == record.periodDischargeKWh)
        #expect(record.totalImportKWh == 1001 && record.dayEnergyKWh == 12.5)
    }

    @Test func `a state that nothing followed for a quarter of an hour is not measured, but zero is`() throws {
        // Down from 2 h ago to 1 h ago: whatever was there last holds in the recorder's eyes.
        let recorder = Recorder([
            "sensor.total_power": [
                (7500, "900"), (7300, "1000"), (3600, "2000"), (3000, "1500"), (2300, "1800"),
                (1500, "1700"), (700, "1600"),
            ],
            "sensor.power_a": [(7400, "5"), (3600, "6")], "sensor.power_b": [(7400, "0"), (3600, "0")],
        ])
        let (_, instance) = try instance(recorder)
        let records = try walk(instance, minutes: 120).records
        func record(_ end: Int64) -> EmittedReading? { records.first { $0.timestamp == Self.now + end * Self.second } }
        func power(_ end: Int64, _ name: String) -> Double? {
            record(end)?.circuits.first { $0.id == "sensor.power_\(name)" }?.powerW
        }
        #expect(record(-6900)?.consumptionPowerW == 1000)
        #expect(record(-6600)?.consumptionPowerW == 1000)
        #expect(record(-5400) != nil && record(-5400)?.consumptionPowerW == nil)
        #expect(power(-6600, "a") == 5 && power(-5400, "a") == nil && power(-5400, "b") == 0)
        #expect(record(-3300)?.consumptionPowerW == 2000)
        // The plug has not changed for an hour, but the house has: it is what it was.
        #expect(power(0, "a") == 6)
    }

    @Test func `the circuits are summed where the setting says so`() throws {
        let recorder = Recorder([
            "sensor.power_a": [(2000, "100"), (450, "300")], "sensor.power_b": [(2000, "50"), (500, "60")],
        ])
        let (_, instance) = try instance(recorder, ["total": "sum", "stale_seconds": "3000"])
        let records = try walk(instance, minutes: 10).records
        #expect(isNear(records.first?.consumptionPowerW, 770.0 / 3))
        #expect(records.last?.consumptionPowerW == 360)
    }

    @Test func `what the recorder may not have written yet is not answered`() throws {
        let recorder = Recorder(["sensor.total_power": [(700, "100"), (200, "200")]])
        let (host, instance) = try instance(recorder)
        let from = Self.now - 600 * Self.second
        let walk = try HistoryWalk(instance, from: from, to: Self.now + 900 * Self.second, step: 300 * Self.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.outcomes == [METER_HISTORY_NOT_YET])
        #expect(walk.coveredTo == Self.now && walk.records.count == 2)
        host.wall = Self.now + 309 * Self.second
        let early = try instance.history(from: Self.now, to: Self.now + 300 * Self.second, step: 300 * Self.second)
        #expect(early.outcome == METER_HISTORY_NOT_YET && early.coveredTo == Self.now)
        #expect(early.retryAfter == 2 * Self.second)
        host.wall = Self.now + 311 * Self.second
        let later = try instance.history(from: Self.now, to: Self.now + 300 * Self.second, step: 300 * Self.second)
        #expect(later.outcome == METER_HISTORY_COMPLETE && later.records.count == 1)
    }

    @Test func `a span of which the recorder has nothing is answered with nothing`() throws {
        let (_, instance) = try instance(Recorder(["sensor.total_power": [(600, "100")]]))
        let answer = try instance.history(
            from: Self.now - 3 * 86_400 * Self.second, to: Self.now - 2 * 86_400 * Self.second, step: 300 * Self.second)
        #expect(answer.records.isEmpty)
        #expect([METER_HISTORY_MORE, METER_HISTORY_COMPLETE].contains(answer.outcome))
        let walk = try walk(instance, minutes: 3 * 1440)
        #expect(walk.records.count == 2)
    }

    @Test func `pieces give what the whole gives`() throws {
        var random = SeededRandom(seed: 7)
        let states = (0..<400).map { index in
            (
                age: Double(index) * 30 + Double.random(in: 0..<25, using: &random),
                state: "\(Int.random(in: 1...3000, using: &random))"
            )
        }
        let recorder = Recorder(["sensor.total_power": states, "sensor.power_a": states.map { ($0.age / 2, $0.state) }])
        let (_, instance) = try instance(recorder)
        let whole = try walk(instance, minutes: 180)
        let pieces = try walk(instance, minutes: 180, maximumRecords: 5)
        #expect(whole.records.count == 36)
        #expect(pieces.records.map(\.timestamp) == whole.records.map(\.timestamp))
        for (one, other) in zip(pieces.records, whole.records) {
            #expect(isNear(one.consumptionPowerW, other.consumptionPowerW ?? .nan))
            #expect(one.circuits.map(\.powerW).count == other.circuits.count)
        }
    }

    @Test func `many sensors are asked for in requests that a server takes`() throws {
        let names = (0..<600).map { "sensor.power_of_the_device_in_room_number_\($0)" }
        let states = Dictionary(uniqueKeysWithValues: names.map { ($0, [(age: 500.0, state: "5")]) })
        let recorder = Recorder(states.merging(["sensor.total_power": [(500, "3000")]]) { $1 })
        let (_, instance) = try instance(recorder)
        let record = try #require(try walk(instance, minutes: 5).records.last)
        #expect(record.circuits.count == 600 && record.circuits.allSatisfy { $0.powerW == 5 })
        #expect(recorder.targets.count == 5)
        #expect(recorder.targets.allSatisfy { $0.utf8.count < 8000 })
    }

    // MARK: Hostile

    private static let head = #"[[{"entity_id":"sensor.total_power","attributes":{},"#

    @Test(
        arguments: [
            (
                #""state":"100","last_changed":"2025-12-31T23:50:00+00:00"},{"state":5,"last_changed":"2025-12-31T23:56:00Z"}]]"#,
                100
            ),
            (#""state":"100","last_changed":"2025-12-31T23:50:00+00:00"},17,null,{},[],"x"]]"#, 100),
            (
                #""state":"100","last_changed":"2025-12-31T23:50:00+00:00"},{"state":"900","last_changed":"yesterday"}]]"#,
                100
            ),
            (#""state":"100","last_changed":"2025-12-31T23:50:00+00:00"}],7,"x",{},[],[3],[{"state":"5"}]]"#, 100),
            (
                #""state":"300","last_changed":"2025-12-31T23:57:30Z"},{"state":"100","last_changed":"2025-12-31T23:50:00Z"}]]"#,
                200
            ),
            (
                #""state":"100","last_changed":"2025-12-31T23:50:00+00:00"},{"state":"1e999","last_changed":"2025-12-31T23:50:01Z"}]]"#,
                nil
            ),
            (
                #""state":"100","last_changed":"2025-12-31T23:50:00+00:00"},{"state":"nan","last_changed":"2025-12-31T23:50:01Z"}]]"#,
                nil
            ),
        ] as [(String, Double?)])
    func `states that make no sense are left out, the rest is used`(body: String, power: Double?) throws {
        let recorder = Recorder(["sensor.total_power": [(600, "1")]])
        let (_, instance) = try instance(recorder)
        recorder.answerHistory(.answer(status: 200, body: Self.head + body))
        let answer = try instance.history(
            from: Self.now - 300 * Self.second, to: Self.now, step: 300 * Self.second)
        #expect(answer.records.last?.consumptionPowerW == power)
    }

    @Test func `65,536 states of one moment, and as many sensors that nobody asked for, do no harm`() throws {
        let recorder = Recorder(["sensor.total_power": [(600, "1")]])
        let (_, instance) = try instance(recorder)
        let state = #"{"state":"700","last_changed":"2025-12-31T23:50:00.000000+00:00"}"#
        let others = (0..<65_536).map {
            #"[{"entity_id":"sensor.x\#($0)","state":"1","last_changed":"2025-12-31T23:50:00Z"}]"#
        }
        let states = [String](repeating: state, count: 65_536).joined(separator: ",\r\n")
        recorder.answerHistory(
            .answer(
                status: 200,
                body: Self.head
                    + #""state":"700","last_changed":"2025-12-31T23:49:00Z"},\#(states)],\#(others.joined(separator: ","))]"#
            ))
        let answer = try instance.history(
            from: Self.now - 300 * Self.second, to: Self.now, step: 300 * Self.second, withinSeconds: 60)
        #expect(answer.records.last?.consumptionPowerW == 700)
    }

    @Test(
        arguments: [
            (200, "", METER_BAD_DATA), (200, "{}", METER_BAD_DATA),
            (200, "[[{\"entity_id\":\"sensor.to", METER_BAD_DATA),
            (200, "<html>", METER_BAD_DATA), (400, "{\"message\":\"Invalid datetime\"}", METER_BAD_DATA),
            (401, "401: Unauthorized", METER_UNAUTHORIZED), (404, "404: Not Found", METER_UNAVAILABLE),
            (429, "", METER_RATE_LIMITED), (500, "", METER_UNAVAILABLE), (503, "", METER_UNAVAILABLE),
        ] as [(Int32, String, Int32)])
    func `an answer that is none is an error, and reads go on`(status: Int32, body: String, code: Int32) throws {
        let recorder = Recorder(["sensor.total_power": [(600, "1")]])
        let (_, instance) = try instance(recorder)
        recorder.answerHistory(.answer(status: status, body: body))
        let failure = #expect(throws: AdapterFailure.self) {
            try instance.history(from: Self.now - 300 * Self.second, to: Self.now, step: 300 * Self.second)
        }
        #expect(failure?.code == code)
        #expect(failure?.message.contains("T0ken") == false)
        #expect(try instance.read().consumptionPowerW == 1)
    }

    @Test func `a recorder that is still loading is asked again`() throws {
        let recorder = Recorder(["sensor.total_power": [(600, "100")]])
        let (_, instance) = try instance(recorder)
        func ask() throws -> [EmittedReading] {
            try instance.history(from: Self.now - 300 * Self.second, to: Self.now, step: 300 * Self.second).records
        }
        recorder.answerHistory(.answer(status: 404, body: "404: Not Found"))
        let loading = #expect(throws: AdapterFailure.self) { try ask() }
        #expect(loading.map { $0.code < METER_MISCONFIGURED } == true)
        #expect(loading?.message.contains("'history:'") == true)
        recorder.answerHistory(nil)
        #expect(try ask().count == 1)
        // It is restarted.
        recorder.answerHistory(.answer(status: 404, body: "404: Not Found"))
        #expect(#expect(throws: AdapterFailure.self) { try ask() }?.code == METER_UNAVAILABLE)
    }

    @Test func `too much at once is asked for in smaller portions`() throws {
        let recorder = Recorder(["sensor.total_power": [(90_000, "1")]])
        let (_, instance) = try instance(recorder)
        recorder.answerHistory(.failure(code: METER_TOO_LARGE, message: "more than 16 MB"))
        let from = Self.now - 6 * 3600 * Self.second
        for _ in 0..<6 {
            _ = try? instance.history(from: from, to: Self.now, step: 300 * Self.second)
        }
        func span(_ target: String) throws -> Int {
            let end = try #require(target.components(separatedBy: "end_time=").last?.prefix(20))
            return try Int(Date(String(end), strategy: .iso8601).timeIntervalSince1970) - Int(from / Self.second)
        }
        #expect(try recorder.targets.map(span) == [3601, 1801, 901, 301, 301, 301])
    }
}
