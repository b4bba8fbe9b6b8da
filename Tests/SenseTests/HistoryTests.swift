import AdapterABI
import FakeHost
import TestSupport
import Testing

/// What the cloud knows of the past: hours of the monitor's own days.
@Suite(.serialized) struct HistoryTests {
    private func started(_ model: SenseModel, at time: Double) throws -> Rig {
        let rig = try Rig([model], clock: SimulatedClock(time))
        try rig.instance.start()
        return rig
    }

    private func at(_ seconds: Int) -> Int64 { Int64(seconds) * Rig.second }

    private func expect(_ record: EmittedReading, is model: SenseModel, hours: Int = 1) {
        let end = Int(record.timestamp / Rig.second)
        let truth = model.energy(from: end - hours * 3600, to: end)
        let perHour = 1000 / Double(hours)
        if model.solar != nil {
            #expect(abs((record.gridPowerW ?? .nan) - (truth.used - truth.made) * perHour) < 1e-6)
            #expect(abs((record.solarPowerW ?? .nan) - truth.made * perHour) < 1e-6)
            #expect(abs((record.periodProductionKWh ?? .nan) - truth.made) < 1e-9)
            let net = (record.periodImportKWh ?? .nan) - (record.periodExportKWh ?? .nan)
            #expect(abs(net - (truth.used - truth.made)) < 1e-9)
        } else {
            #expect(abs((record.consumptionPowerW ?? .nan) - truth.used * perHour) < 1e-6)
            #expect(abs((record.periodConsumptionKWh ?? .nan) - truth.used) < 1e-9)
        }
        for (device, energy) in zip(model.devices, truth.devices) {
            let circuit = record.circuits.first { $0.id == device.id }
            guard !SenseModel.unlisted.contains(device.id) else {
                #expect(circuit == nil, "\(device.id)")
                continue
            }
            #expect(abs((circuit?.powerW ?? .nan) - energy * perHour) < 1e-6, "\(device.name)")
            #expect(abs((circuit?.periodEnergyKWh ?? .nan) - energy) < 1e-9, "\(device.name)")
        }
    }

    @Test(arguments: [true, false])
    func `each hour is what was counted in it`(withSolar: Bool) throws {
        let model = SenseModel.house(withSolar: withSolar)
        let rig = try started(model, at: Rig.afternoon + 900)
        let live = try rig.read()
        let noon = Int(Rig.afternoon) / 3600 * 3600
        let walk = try HistoryWalk(rig.instance, from: at(noon - 50 * 3600), to: at(noon), step: Rig.hour)
        #expect(walk.violations.isEmpty, "\(walk.violations)")
        #expect(walk.records.count == 50)
        for record in walk.records {
            expect(record, is: model)
            #expect(record.known == live.known && record.period == Rig.hour)
        }
        // Circuits join those that are read.
        let names = Dictionary(uniqueKeysWithValues: live.circuits.map { ($0.id, $0.name) })
        for circuit in walk.records[0].circuits where names[circuit.id] != nil {
            #expect(circuit.name == names[circuit.id])
        }
    }

    /// Spring and autumn of 2026 in New York: days of 23 and 25 hours.
    @Test(arguments: [(1_772_956_800, 23), (1_793_448_000 + 48 * 3600, 25)])
    func `a day has as many hours as the clock gives it`(seconds: Int, hours: Int) throws {
        let model = SenseModel.house()
        var day = try model.day(of: Double(seconds))
        for offset in -3...3 where day.hours != hours {
            day = try model.day(of: Double(seconds + offset * 86_400))
        }
        #expect(day.hours == hours)
        let end = day.start + hours * 3600
        let rig = try started(model, at: Double(end) + 40_000)
        let walk = try HistoryWalk(
            rig.instance, from: at(day.start - 3600), to: at(end + 3600), step: Rig.hour)
        #expect(walk.violations.isEmpty, "\(walk.violations)")
        #expect(walk.records.count == hours + 2)
        for record in walk.records { expect(record, is: model) }
    }

    @Test func `import and export of a day are the cloud's, to the watt hour`() throws {
        let model = SenseModel.house()
        let rig = try started(model, at: Rig.afternoon)
        let day = try model.day(of: Rig.afternoon - 86_400)
        let end = day.start + day.hours * 3600
        let walk = try HistoryWalk(rig.instance, from: at(day.start), to: at(end), step: Rig.hour)
        let truth = model.energy(from: day.start, to: end)
        let imported = walk.records.reduce(0) { $0 + ($1.periodImportKWh ?? .nan) }
        let exported = walk.records.reduce(0) { $0 + ($1.periodExportKWh ?? .nan) }
        #expect(abs(imported - truth.fromGrid) < 1e-6 && abs(exported - truth.toGrid) < 1e-6)
        // Within hours it goes both ways: the difference alone would be less.
        let differences = walk.records.reduce(0) { $0 + max(0, $1.gridPowerW ?? .nan) / 1000 }
        #expect(imported > differences + 0.1)
        for record in walk.records {
            #expect((record.periodExportKWh ?? .nan) <= (record.periodProductionKWh ?? .nan) + 1e-9)
        }
    }

    @Test func `the host's portions of six hours cost a day's requests once`() throws {
        let rig = try started(.house(), at: Rig.afternoon)
        let day = try SenseModel.house().day(of: Rig.afternoon - 86_400)
        rig.cloud.forgetRequests()
        for end in stride(from: day.start + 86_400, to: day.start, by: -6 * 3600) {
            let walk = try HistoryWalk(rig.instance, from: at(end - 6 * 3600), to: at(end), step: Rig.hour)
            #expect(walk.violations.isEmpty && walk.records.count == 6)
        }
        #expect(
            rig.cloud.paths == ["app/monitors/12345/history/usage", "app/monitors/12345/history/usage/solar"])
    }

    @Test func `a call asks for one day, and leaves the rest for another`() throws {
        let rig = try started(.house(), at: Rig.afternoon)
        let noon = Int(Rig.afternoon) / 3600 * 3600
        rig.cloud.forgetRequests()
        let answer = try rig.instance.history(from: at(noon - 72 * 3600), to: at(noon), step: Rig.hour)
        #expect(answer.outcome == METER_HISTORY_MORE && rig.cloud.requests.count == 2)
    }

    @Test func `an hour is not there before it is counted`() throws {
        let hour = Int(Rig.afternoon) / 3600 * 3600
        let rig = try started(.house(), at: Double(hour + 300))
        let early = try rig.instance.history(from: at(hour - 7200), to: at(hour), step: Rig.hour)
        #expect(early.outcome == METER_HISTORY_NOT_YET && early.records.count == 1)
        #expect(early.coveredTo == at(hour - 3600) && early.retryAfter == 600 * Rig.second)
        rig.goOn(600)
        let late = try rig.instance.history(from: at(hour - 3600), to: at(hour), step: Rig.hour)
        #expect(late.outcome == METER_HISTORY_COMPLETE && late.records.count == 1)
    }

    @Test func `an hour of nothing is one that was not counted, and waited for only a while`() throws {
        var model = SenseModel.house()
        let hour = Int(Rig.afternoon) / 3600 * 3600
        model.isDayStuck = true
        let rig = try started(model, at: Rig.afternoon + 3600)
        let stuck = try rig.instance.history(from: at(hour - 3600), to: at(hour), step: Rig.hour)
        #expect(stuck.outcome == METER_HISTORY_NOT_YET && stuck.records.isEmpty)
        #expect(stuck.retryAfter == 1800 * Rig.second)
        model.isDayStuck = false
        rig.cloud.setMonitors([model])
        rig.goOn(1800)
        let counted = try rig.instance.history(from: at(hour - 3600), to: at(hour), step: Rig.hour)
        #expect(counted.outcome == METER_HISTORY_COMPLETE && counted.records.count == 1)

        model.isDayStuck = true
        rig.cloud.setMonitors([model])
        rig.goOn(6 * 3600)
        let again = try rig.restarted()
        try again.instance.start()
        let given = try again.instance.history(from: at(hour - 3600), to: at(hour), step: Rig.hour)
        #expect(given.outcome == METER_HISTORY_COMPLETE && given.records.isEmpty)
    }

    @Test func `days before the monitor are answered with nothing`() throws {
        var model = SenseModel.house()
        model.devices = model.devices.map { device in
            var device = device
            let watts = device.watts
            device.watts = { $0 < Int(Rig.afternoon) / 3600 * 3600 - 24 * 3600 ? 0 : watts($0) }
            return device
        }
        let rig = try started(model, at: Rig.afternoon + 900)
        let noon = Int(Rig.afternoon) / 3600 * 3600
        let walk = try HistoryWalk(rig.instance, from: at(noon - 72 * 3600), to: at(noon), step: Rig.hour)
        #expect(walk.violations.isEmpty, "\(walk.violations)")
        #expect(walk.records.count == 24 && walk.coveredTo == at(noon))
    }

    @Test func `longer records are sums of hours`() throws {
        let model = SenseModel.house()
        let rig = try started(model, at: Rig.afternoon)
        let end = Int(Rig.afternoon) / 86_400 * 86_400
        for hours in [2, 24] {
            let walk = try HistoryWalk(
                rig.instance, from: at(end - 4 * 86_400), to: at(end), step: Int64(hours) * Rig.hour)
            #expect(walk.violations.isEmpty, "\(walk.violations)")
            #expect(walk.records.count == 96 / hours)
            for record in walk.records { expect(record, is: model, hours: hours) }
        }
        // Finer than an hour there is nothing.
        let walk = try HistoryWalk(
            rig.instance, from: at(end - 7200), to: at(end), step: 1800 * Rig.second)
        #expect(walk.violations.isEmpty && walk.records.map(\.period) == [Rig.hour, Rig.hour])
        let failure = #expect(throws: AdapterFailure.self) {
            try rig.instance.history(from: 0, to: at(end), step: 48 * Rig.hour)
        }
        #expect(failure?.code == METER_INVALID)
    }

    @Test func `a stop, a limit, and the same span again`() throws {
        let rig = try started(.house(), at: Rig.afternoon + 900)
        let noon = Int(Rig.afternoon) / 3600 * 3600
        let stopped = try rig.instance.history(
            from: at(noon - 4 * 3600), to: at(noon), step: Rig.hour, stopAfter: 2)
        #expect(stopped.outcome == METER_HISTORY_MORE && stopped.records.count == 2 && stopped.putsAfterStop == 0)
        #expect(stopped.coveredTo == at(noon - 2 * 3600))
        let limited = try HistoryWalk(
            rig.instance, from: at(noon - 9 * 3600), to: at(noon), step: Rig.hour, maximumRecords: 2)
        #expect(limited.violations.isEmpty && limited.records.count == 9)
        let again = try HistoryWalk(rig.instance, from: at(noon - 9 * 3600), to: at(noon), step: Rig.hour)
        #expect(again.records.map(\.gridPowerW) == limited.records.map(\.gridPowerW))
    }

    @Test func `where hours begin at the half hour there is no history`() throws {
        var model = SenseModel.house()
        model.zone = "America/St_Johns"
        let rig = try started(model, at: Rig.afternoon)
        let noon = Int(Rig.afternoon) / 3600 * 3600
        let failure = #expect(throws: AdapterFailure.self) {
            try rig.instance.history(from: at(noon - 7200), to: at(noon), step: Rig.hour)
        }
        #expect(failure?.code == METER_UNSUPPORTED && failure?.message.contains("America/St_Johns") == true)
        #expect(try rig.read().gridPowerW != nil)
    }

    @Test(arguments: [
        "{}", "[", #"{"start":"x","consumption":{"usage_breakdown_kwh":[]}}"#,
        #"{"start":"2020-01-01T00:00:00.000Z","consumption":{"usage_breakdown_kwh":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}}"#,
        #"{"start":"2026-01-05T05:00:00.000Z","consumption":{"usage_breakdown_kwh":[1,2]}}"#,
    ])
    func `a history that is none is bad data`(body: String) throws {
        let rig = try started(.house(), at: Rig.afternoon)
        rig.cloud.setFault { $0.path.contains("history") ? .reply(.json(200, body)) : nil }
        let noon = Int(Rig.afternoon) / 3600 * 3600
        let failure = #expect(throws: AdapterFailure.self) {
            try rig.instance.history(from: at(noon - 7200), to: at(noon), step: Rig.hour)
        }
        #expect(failure?.code == METER_BAD_DATA)
    }

    @Test func `numbers that make no sense are not measured`() throws {
        let rig = try started(.house(withSolar: false), at: Rig.afternoon)
        let hours = (["1", "null", "-1", "\"x\"", "1e999", "{}", "0"] + Array(repeating: "2", count: 17))
            .joined(separator: ",")
        rig.cloud.setFault { request in
            request.path.contains("history")
                ? .reply(
                    .json(
                        200,
                        #"{"start":"2026-01-04T05:00:00.000Z","consumption":{"usage_breakdown_kwh":[\#(hours)]},"#
                            + #""device_breakdown":[7,{"id":"x"},{"id":"y","consumption":{"usage_breakdown_kwh":[3,null]}}]}"#
                    ))
                : nil
        }
        let start = try SenseModel.house().day(of: Rig.afternoon - 86_400).start
        let walk = try HistoryWalk(
            rig.instance, from: at(start), to: at(start + 24 * 3600), step: Rig.hour)
        #expect(walk.violations.isEmpty, "\(walk.violations)")
        #expect(walk.records.map { Int($0.timestamp / Rig.second) - start } == [3600] + (8...24).map { $0 * 3600 })
        #expect(walk.records[0].circuits.map(\.id) == ["y"] && walk.records[1].circuits.isEmpty)
    }
}
