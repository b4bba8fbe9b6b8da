import AdapterABI
import FakeHost
import TestSupport
import Testing

/// Readings of an IoTaWatt that is well.
@Suite(.serialized) struct LiveTests {
    private let model = IoTaWattModel.house(now: Rig.noon)

    private func expect(_ value: Double?, _ truth: Double, within tolerance: Double, _ what: String) {
        guard let value else {
            Issue.record("\(what) is not measured")
            return
        }
        #expect(abs(value - truth) <= tolerance, "\(what): \(value), in truth \(truth)")
    }

    @Test func `a poll is one request, and says what the minute was`() throws {
        let rig = try Rig(at: Double(Rig.noon) + 2)
        try rig.instance.start()
        rig.device.forgetRequests()
        let readings = try rig.read()
        #expect(rig.device.requests.count == 1)
        #expect(readings.count == 1)
        let reading = try #require(readings.first)
        #expect(reading.timestamp == Int64(Rig.noon) * Rig.second)
        #expect(reading.period == 60 * Rig.second)
        #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER)
        #expect(reading.quality == METER_QUALITY_MEASURED)
        let grid = model.total(["main_1": 1, "main_2": 1], from: Rig.noon - 60, to: Rig.noon)
        expect(reading.gridPowerW, grid.meanW, within: 0.1, "grid")
        // The clouds pass within the minute: both directions, where the net would be one.
        #expect(grid.positiveKWh > 0.001 && grid.negativeKWh > 0.001)
        expect(reading.periodImportKWh, grid.positiveKWh, within: 2e-6, "import")
        expect(reading.periodExportKWh, grid.negativeKWh, within: 2e-6, "export")
        let solar = model.total(["solar": -1], from: Rig.noon - 60, to: Rig.noon)
        expect(reading.solarPowerW, solar.meanW, within: 0.1, "solar")
        expect(reading.periodProductionKWh, solar.positiveKWh, within: 2e-6, "production")
        #expect(reading.consumptionPowerW == nil)
        expect(reading.voltagesV[0], 121.9, within: 0.051, "voltage")
        #expect(reading.voltagesV[1] == nil)
        expect(reading.frequencyHz, 60.01, within: 0.0051, "frequency")
    }

    @Test func `every input of power is a circuit, with its number as its identity and its power factor`() throws {
        let rig = try Rig()
        try rig.instance.start()
        let circuits = try #require(try rig.read().last).circuits
        #expect(circuits.map(\.id) == (1...14).map { "input_\($0)" })
        #expect(circuits.map(\.name) == model.inputs.dropFirst().map(\.name))
        #expect(circuits.prefix(3).map(\.kind) == [METER_KIND_GRID, METER_KIND_GRID, METER_KIND_SOLAR])
        #expect(circuits.prefix(3).map(\.phase) == [1, 2, 0])
        #expect(circuits.first { $0.name == "heat_pump" }?.kind == METER_KIND_HEATING)
        #expect(circuits.first { $0.name == "ev_charger" }?.kind == METER_KIND_EV)
        for circuit in circuits {
            let isSolar = circuit.name == "solar"
            let truth = model.total([circuit.name: isSolar ? -1 : 1], from: Rig.noon - 60, to: Rig.noon)
            expect(circuit.powerW, truth.meanW, within: 0.1, circuit.name)
            expect(circuit.periodEnergyKWh, truth.positiveKWh, within: 2e-6, circuit.name)
            expect(circuit.periodReturnedKWh, truth.negativeKWh, within: 2e-6, circuit.name)
        }
        let heatPump = try #require(circuits.first { $0.name == "heat_pump" })
        expect(heatPump.powerFactor, 0.9, within: 0.002, "power factor of the heat pump")
        // Both directions within the minute: the mean of the power over the mean of the apparent power.
        #expect(try #require(circuits.first { $0.name == "main_1" }?.powerFactor) < 0.97)
        // The oven is off.
        #expect(circuits.first { $0.name == "oven" }?.powerFactor == nil)
    }

    @Test func `polls follow each other without a gap, at any distance`() throws {
        let rig = try Rig(at: Double(Rig.noon) + 2)
        try rig.instance.start()
        var readings = try rig.read()
        for pause in [60.0, 60, 13.7, 47, 61.2, 300, 60, 11, 899] { readings += try rig.read(after: pause) }
        #expect(rig.device.overlaps == 0)
        for (reading, next) in zip(readings, readings.dropFirst()) {
            #expect(next.timestamp - next.period == reading.timestamp)
        }
        for reading in readings {
            #expect(
                (reading.timestamp - 1) / (60 * Rig.second) == (reading.timestamp - reading.period) / (60 * Rig.second))
        }
        let end = Int(try #require(readings.last).timestamp / Rig.second)
        #expect(end >= Int(rig.time) - 5)
        let truth = model.total(["main_1": 1, "main_2": 1], from: Rig.noon - 60, to: end)
        expect(readings.reduce(0) { $0 + ($1.periodImportKWh ?? 0) }, truth.positiveKWh, within: 2e-5, "import")
        expect(readings.reduce(0) { $0 + ($1.periodExportKWh ?? 0) }, truth.negativeKWh, within: 2e-5, "export")
    }

    @Test func `after a restart it says again what it said before, and no part of it`() throws {
        let first = try Rig(at: Double(Rig.noon) + 2)
        try first.instance.start()
        let before = try first.read()
        let second = try Rig(at: Double(Rig.noon) + 32)
        try second.instance.start()
        let after = try second.read()
        #expect(after.map(\.period) == [60 * Rig.second, 30 * Rig.second])
        #expect(after.first?.timestamp == before.last?.timestamp)
        #expect(after.first?.gridPowerW == before.last?.gridPowerW)
    }

    @Test func `what lies further back than a quarter of an hour is left to history`() throws {
        let rig = try Rig(at: Double(Rig.noon) + 2)
        try rig.instance.start()
        _ = try rig.read()
        let readings = try rig.read(after: 3600)
        #expect(readings.count == 1)
        #expect(readings.first?.period == 60 * Rig.second)
    }

    @Test func `a record that is written late comes with the next poll`() throws {
        var late = model
        late.logLagSeconds = 3
        let rig = try Rig(late, at: Double(Rig.noon) + 2)
        try rig.instance.start()
        let first = try rig.read()
        #expect(first.last?.timestamp == Int64(Rig.noon - 5) * Rig.second)
        let second = try rig.read(after: 60)
        #expect(second.map(\.period) == [5 * Rig.second, 55 * Rig.second])
        #expect(second.first?.timestamp == Int64(Rig.noon) * Rig.second)
    }

    @Test func `a reading waits for the record of the moment to be written`() throws {
        let rig = try Rig(at: Double(Rig.noon) + 0.9)
        try rig.instance.start()
        let begin = ContinuousClock.now
        _ = try rig.read()
        #expect(ContinuousClock.now - begin >= .milliseconds(290))
    }

    @Test func `time in which the device was off is not covered`() throws {
        var broken = model
        broken.holes = [Rig.noon - 40..<Rig.noon - 15]
        let rig = try Rig(broken, at: Double(Rig.noon) + 2)
        try rig.instance.start()
        let readings = try rig.read()
        #expect(readings.map(\.period) == [20 * Rig.second, 15 * Rig.second])
        #expect(readings.map(\.timestamp) == [Int64(Rig.noon - 40), Int64(Rig.noon)].map { $0 * Rig.second })
        let truth = broken.total(["solar": -1], from: Rig.noon - 15, to: Rig.noon)
        expect(readings.last?.solarPowerW, truth.meanW, within: 0.1, "solar")
    }

    @Test func `a device without records of now says so, and is read again once it has some`() throws {
        var off = model
        off.holes = [Rig.noon - 120..<Rig.noon + 60]
        let rig = try Rig(off, at: Double(Rig.noon) + 2)
        try rig.instance.start()
        let failure = #expect(throws: AdapterFailure.self) { try rig.read() }
        #expect(failure?.code == METER_NO_DATA)
        #expect(failure?.message.contains("nothing of the last 60 s") == true)
        let readings = try rig.read(after: 120)
        #expect(readings.last?.timestamp == Int64(Rig.noon + 120) * Rig.second)
    }

    @Test(arguments: [-4000.0, -63, 47, 90_000])
    func `a device whose clock is wrong is read by its own time and stamped with ours`(ahead: Double) throws {
        let time = Double(Rig.noon) + 2
        let deviceTime = Int(time + ahead)
        let rig = try Rig(.house(now: deviceTime), at: time, deviceAhead: ahead)
        try rig.instance.start()
        #expect(rig.host.logs.contains { $0.contains("the device's clock is") })
        let reading = try #require(try rig.read().last)
        #expect(abs(reading.timestamp - Int64(Rig.noon) * Rig.second) <= 5 * Rig.second)
        let next = try rig.read(after: 60)
        #expect(try #require(next.first).timestamp - next[0].period == reading.timestamp)
    }

    @Test func `older firmware's forms read the same`() throws {
        var old = model
        old.padsWatts = true
        old.keepsTrailingDots = true
        old.sendsTextJSON = true
        old.version = "02_06_00"
        let rigs = [try Rig(model), try Rig(old)]
        let readings = try rigs.map { rig in
            try rig.instance.start()
            return try #require(try rig.read().last)
        }
        #expect(readings[0].gridPowerW == readings[1].gridPowerW)
        #expect(readings[0].circuits.map(\.powerW) == readings[1].circuits.map(\.powerW))
        #expect(readings[0].voltagesV == readings[1].voltagesV)
    }

    @Test func `a renamed input is asked for by its new name and stays the same circuit`() throws {
        let rig = try Rig()
        try rig.instance.start()
        _ = try rig.read()
        var renamed = model
        renamed.inputs[4].name = "Wärmepumpe"
        renamed.inputs[1].name = "old_main"
        rig.device.setModel(renamed)
        let failure = #expect(throws: AdapterFailure.self) { try rig.read(after: 60) }
        #expect(failure?.code == METER_BAD_DATA)
        #expect(failure?.message.contains("Invalid series: main_1") == true)
        let reading = try #require(try rig.read(after: 60).last)
        #expect(reading.circuits.first { $0.id == "input_4" }?.name == "Wärmepumpe")
        // What is known is of the whole run; the half of the mains that is left is the grid now.
        #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER)
    }

    @Test func `once an hour the set-up is looked at, and no poll takes more than two requests`() throws {
        let rig = try Rig()
        try rig.instance.start()
        #expect(rig.device.requests.map(\.path) == ["/status", "/query", "/query"])
        var most = 0
        for minute in 1...130 {
            rig.device.forgetRequests()
            rig.host.advanceMonotonic(60 * Rig.second)
            _ = try rig.read(after: 60)
            #expect(rig.device.requests.count == (minute == 60 || minute == 120 ? 2 : 1), "minute \(minute)")
            most = max(most, rig.device.requests.map(\.answerBytes).max() ?? 0)
        }
        #expect(most < 4096)
    }

    @Test func `an input that is added is seen within the hour`() throws {
        let rig = try Rig()
        try rig.instance.start()
        _ = try rig.read()
        var more = model
        more.inputs.append(.init(15, "sauna", .power(watts: { _ in 6000 }, powerFactor: 1, voltage: 0)))
        rig.device.setModel(more)
        #expect(try rig.read(after: 60).last?.circuits.count == 14)
        rig.host.advanceMonotonic(3600 * Rig.second)
        #expect(try rig.read(after: 60).last?.circuits.last?.name == "sauna")
    }
}
