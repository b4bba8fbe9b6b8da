import AdapterABI
import FakeHost
import TestSupport
import Testing

/// Readings of a monitor that is well, and of one that is not.
@Suite(.serialized) struct LiveTests {
    private func started(
        _ model: SenseModel = .house(), settings: [String: String] = [:]
    ) throws -> Rig {
        let rig = try Rig([model], settings: settings)
        try rig.instance.start()
        return rig
    }

    private func expect(_ value: Double?, _ truth: Double?, _ what: String) {
        switch (value, truth) {
        case (nil, nil): return
        case (let value?, let truth?): #expect(abs(value - truth) < 1e-6, "\(what): \(value), in truth \(truth)")
        default: Issue.record("\(what): \(value as Any), in truth \(truth as Any)")
        }
    }

    @Test func `with a roof, grid and sun are apart`() throws {
        let model = SenseModel.house()
        let rig = try started(model)
        let reading = try rig.read()
        let used = model.consumptionW(at: rig.time)
        let made = try #require(model.solarW(at: rig.time))
        #expect(made > 100)
        #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER)
        #expect(reading.quality == METER_QUALITY_MEASURED && reading.period == 0)
        #expect(reading.timestamp == rig.host.wall)
        expect(reading.gridPowerW, used - made, "grid")
        expect(reading.solarPowerW, made, "solar")
        #expect(reading.consumptionPowerW == nil)
        #expect(reading.voltagesV == [122.46, 122.23, nil])
        #expect(reading.frequencyHz == 60.0001)
        let solar = try #require(reading.circuits.first)
        #expect(solar.id == "solar" && solar.kind == METER_KIND_SOLAR && solar.quality == METER_QUALITY_UNKNOWN)
        expect(solar.powerW, made, "the roof")
    }

    @Test func `what the roof has beyond the house is export`() throws {
        var model = SenseModel.house()
        model.solar = { _ in 90_000 }
        let reading = try started(model).read()
        expect(reading.gridPowerW, model.consumptionW(at: Rig.afternoon) - 90_000, "grid")
        #expect((reading.gridPowerW ?? 0) < -50_000)
    }

    @Test func `at night the roof makes nothing, which is measured`() throws {
        let rig = try started()
        let reading = try rig.read(after: 12 * 3600)
        #expect(reading.solarPowerW == 0)
        #expect(reading.circuits.first?.powerW == 0)
    }

    @Test func `without a roof it is consumption`() throws {
        let model = SenseModel.house(withSolar: false)
        let reading = try started(model).read()
        #expect(reading.known == METER_CONSUMPTION_POWER)
        expect(reading.consumptionPowerW, model.consumptionW(at: Rig.afternoon), "consumption")
        #expect(reading.gridPowerW == nil && reading.solarPowerW == nil)
        #expect(!reading.circuits.contains { $0.id == "solar" })
    }

    @Test func `every device is a circuit, estimated, and one that is not listed as on is off`() throws {
        let model = SenseModel.house()
        let rig = try started(model)
        var offs = 0
        for _ in 0..<40 {
            let reading = try rig.read(after: 900)
            let circuits = Dictionary(uniqueKeysWithValues: reading.circuits.map { ($0.id, $0) })
            for device in model.devices where !SenseModel.unlisted.contains(device.id) {
                let circuit = try #require(circuits[device.id])
                expect(circuit.powerW, model.watts(device, at: rig.time), device.name)
                #expect(circuit.quality == METER_QUALITY_ESTIMATED && circuit.name == device.name)
                offs += circuit.powerW == 0 ? 1 : 0
            }
            #expect(circuits.count == 7)
            let sum = reading.circuits.dropFirst().reduce(0) { $0 + ($1.powerW ?? .nan) }
            expect(sum, model.consumptionW(at: rig.time), "the sum of all devices")
        }
        #expect(offs > 40)
    }

    @Test func `kinds are guessed, and a device always consumes`() throws {
        var model = SenseModel.house()
        model.devices.append(.init("lamp", "Solar lamp battery") { _ in 12 })
        let circuits = try started(model).read().circuits
        let kinds = Dictionary(uniqueKeysWithValues: circuits.map { ($0.id, $0.kind) })
        #expect(kinds["rQRVn4X5"] == METER_KIND_HEATING)
        #expect(kinds["Tn7qU2aa"] == METER_KIND_EV)
        #expect(kinds["lamp"] == METER_KIND_LOAD)
        #expect(kinds["always_on"] == METER_KIND_OTHER && kinds["unknown"] == METER_KIND_OTHER)
    }

    @Test func `a device that is new is there at once, off when it is off, and looked up within the hour`() throws {
        var model = SenseModel.house()
        let rig = try started(model)
        _ = try rig.read()
        model.devices.append(.init("new00001", "Dryer", icon: "dryer") { $0 / 900 % 2 == 0 ? 4000 : 0 })
        rig.cloud.setMonitors([model])
        var powers: [Double?] = []
        for _ in 0..<6 { powers.append(try rig.read(after: 900).circuits.first { $0.id == "new00001" }?.powerW) }
        #expect(powers.first == 0 || powers.first == 4000 || powers.first == .some(nil))
        #expect(Set(powers.compactMap { $0 }) == [0, 4000])
        let lists = rig.cloud.paths.filter { $0.hasSuffix("devices/overview") }
        #expect(lists.count == 2)
        model.devices.removeAll { $0.id == "new00001" }
        rig.cloud.setMonitors([model])
        _ = try rig.read(after: 86_400)
        _ = try rig.read(after: 60)
        let reading = try rig.read(after: 60)
        #expect(!reading.circuits.contains { $0.id == "new00001" })
    }

    @Test func `a device that the list hides is no circuit, though it is on, and costs no further lists`() throws {
        var model = SenseModel.house()
        let place = try #require(model.devices.firstIndex { $0.id == "hidden01" })
        model.devices[place].watts = { _ in 50 }
        let rig = try started(model)
        rig.cloud.forgetRequests()
        for _ in 0..<5 {
            let reading = try rig.read(after: 3601)
            #expect(reading.circuits.count == 7 && !reading.circuits.contains { $0.id == "hidden01" })
        }
        #expect(!rig.cloud.paths.contains { $0.hasSuffix("devices/overview") })
        let end = rig.host.wall / Rig.hour * Rig.hour - 24 * Rig.hour
        let past = try rig.instance.history(from: end - 2 * Rig.hour, to: end, step: Rig.hour).records
        #expect(past.count == 2 && past.allSatisfy { !$0.circuits.contains { $0.id == "hidden01" } })
    }

    @Test func `an answer without devices says nothing of them`() throws {
        let rig = try started()
        for devices in ["", #","devices":[]"#, #","devices":null"#] {
            rig.cloud.setFault { request in
                request.path.hasSuffix("realtime_update")
                    ? .reply(.json(200, #"{"w":500,"solar_w":100,"grid_w":400\#(devices)}"#)) : nil
            }
            let reading = try rig.read(after: 60)
            #expect(reading.circuits.map(\.id) == ["solar"])
            #expect(reading.gridPowerW == 400)
        }
    }

    @Test func `a roof that is not heard of is missing, and not dark`() throws {
        let rig = try started()
        rig.cloud.setFault { request in
            request.path.hasSuffix("realtime_update") ? .reply(.json(200, #"{"w":500,"grid_w":120}"#)) : nil
        }
        let reading = try rig.read()
        #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER)
        #expect(reading.solarPowerW == nil && reading.gridPowerW == 120)
        #expect(reading.circuits.first?.powerW == nil)
    }

    // MARK: How often

    @Test func `an hour of polls is an hour of requests, and one for the day's figure`() throws {
        let rig = try started()
        _ = try rig.read()
        rig.cloud.forgetRequests()
        for _ in 0..<59 { _ = try rig.read(after: 60) }
        let paths = rig.cloud.paths.filter { $0 != "renew" }
        #expect(paths.filter { $0.hasSuffix("realtime_update") }.count >= 59)
        #expect(paths.filter { $0.hasSuffix("history/usage") }.count <= 2)
        #expect(paths.count <= 62)
    }

    @Test func `the day's figure comes after each full hour, only when it was asked for`() throws {
        let model = SenseModel.house()
        let rig = try started(model)
        var figures: [(time: Double, kWh: Double)] = []
        for _ in 0..<240 {
            if let figure = try rig.read(after: 60).dayEnergyKWh { figures.append((rig.time, figure)) }
        }
        #expect(figures.count == 5)
        for (time, figure) in figures {
            let day = try model.day(of: time)
            let hours = Int(time) / 3600 * 3600
            #expect(abs(figure - model.energy(from: day.start, to: hours).used) < 1e-6)
        }
        for (figure, next) in zip(figures, figures.dropFirst()) {
            #expect(next.time - figure.time > 3000 && next.kWh > figure.kWh)
        }
    }

    @Test func `a figure that stands still is asked for every five minutes, never sooner`() throws {
        var model = SenseModel.house()
        model.isDayStuck = true
        let rig = try started(model)
        var asked: [Double] = []
        for _ in 0..<180 {
            rig.cloud.forgetRequests()
            _ = try rig.read(after: 60)
            if rig.cloud.paths.contains(where: { $0.hasSuffix("usage") }) { asked.append(rig.time) }
        }
        #expect(zip(asked, asked.dropFirst()).allSatisfy { $1 - $0 >= 300 })
        #expect(asked.count > 30)
    }

    @Test func `a day that is stuck at 0 is not measured, nor is one that falls`() throws {
        var model = SenseModel.house()
        let rig = try started(model)
        #expect(try rig.read().dayEnergyKWh != nil)
        model.isDayStuck = true
        rig.cloud.setMonitors([model])
        for _ in 0..<70 { #expect(try rig.read(after: 60).dayEnergyKWh == nil) }
        #expect(rig.cloud.paths.filter { $0.hasSuffix("usage") }.count >= 2)
        rig.cloud.setFault { request in
            request.path.hasSuffix("usage")
                ? .reply(
                    .json(
                        200,
                        #"{"start":"2026-01-05T05:00:00.000Z","consumption":{"usage_total_kwh":0.5,"#
                            + #""usage_breakdown_kwh":[\#(Array(repeating: "0", count: 24).joined(separator: ","))]}}"#)
                ) : nil
        }
        for _ in 0..<10 { #expect(try rig.read(after: 60).dayEnergyKWh == nil) }
    }

    @Test func `a figure that cannot be had does not cost the reading`() throws {
        let rig = try started()
        for answer in [
            FaultServer.Answer.reply(.init(500)), .reply(.init(429, headers: ["Retry-After": "600"])), .close,
            .reply(.json(200, "[]")), .reply(.json(200, "{")), .reply(.json(404, "{}")),
        ] {
            rig.cloud.setFault { $0.path.hasSuffix("usage") ? answer : nil }
            #expect(try rig.read(after: 3600).gridPowerW != nil)
        }
        rig.cloud.setFault(nil)
        #expect(try rig.read(after: 3600).dayEnergyKWh != nil)
    }

    // MARK: A monitor that is away

    @Test func `a frame that stands still is no measurement`() throws {
        var model = SenseModel.house()
        let rig = try started(model)
        _ = try rig.read()
        model.awaySince = rig.time + 30
        rig.cloud.setMonitors([model])
        // What it measured before it left.
        _ = try rig.read(after: 60)
        for _ in 0..<3 {
            let failure = #expect(throws: AdapterFailure.self) { try rig.read(after: 60) }
            #expect(failure?.code == METER_NO_DATA)
            #expect(failure?.message.contains("away") == true && failure?.message.contains("2026-01-05T") == true)
            #expect(failure?.retryAfter == 60 * Rig.second)
        }
        model.awaySince = nil
        rig.cloud.setMonitors([model])
        #expect(try rig.read(after: 60).gridPowerW != nil)
    }

    @Test func `nor is it after a restart`() throws {
        var model = SenseModel.house()
        let rig = try started(model)
        model.awaySince = rig.time + 30
        rig.cloud.setMonitors([model])
        _ = try rig.read(after: 60)
        rig.instance.stop()
        let again = try rig.restarted()
        try again.instance.start()
        let failure = #expect(throws: AdapterFailure.self) { try again.read(after: 60) }
        #expect(failure?.code == METER_NO_DATA)
    }

    @Test func `a monitor that is away at the first start is not believed until it counts on`() throws {
        var model = SenseModel.house()
        model.isOnline = false
        model.awaySince = Rig.afternoon - 86_400
        let rig = try started(model)
        for _ in 0..<2 {
            let failure = #expect(throws: AdapterFailure.self) { try rig.read(after: 60) }
            #expect(failure?.code == METER_NO_DATA)
        }
        model.awaySince = nil
        rig.cloud.setMonitors([model])
        #expect(try rig.read(after: 60).gridPowerW != nil)
    }

    @Test func `a monitor that was started anew counts from the beginning, and is read`() throws {
        let rig = try started()
        _ = try rig.read()
        for frame in [30, 60] {
            rig.cloud.setFault { request in
                request.path.hasSuffix("realtime_update")
                    ? .reply(.json(200, #"{"w":500,"solar_w":0,"frame":\#(frame)}"#)) : nil
            }
            #expect(try rig.read(after: 60).gridPowerW == 500)
        }
    }
}
