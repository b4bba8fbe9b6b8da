import AdapterABI
import FakeHost
import TestSupport
import Testing

@testable import IoTaWattAdapter

/// Which series are taken for what.
@Suite(.serialized) struct SetupTests {
    @Test(
        arguments: [
            (["main_1", "main_2", "solar"], [], ["main_1", "main_2"]),
            (["Main1", "Main2"], [], ["Main1", "Main2"]), (["mains"], [], ["mains"]),
            (["main_1", "main_2"], ["mains"], ["mains"]), (["main_1", "main_2"], ["used"], ["main_1", "main_2"]),
            (["grid_L1", "grid_L2", "grid_L3"], [], ["grid_L1", "grid_L2", "grid_L3"]),
            (["L1", "L2", "L3", "Lights_1"], [], ["L1", "L2", "L3"]),
            (["phase a", "phase b"], [], ["phase a", "phase b"]),
            (["Mains Left", "Mains Right"], [], ["Mains Left", "Mains Right"]), (["grid"], [], ["grid"]),
            (["main_panel_kitchen", "oven"], [], []), (["line_dryer"], [], []), (["mainframe"], [], []),
            (["total"], [], []), ([], ["Grid_Power"], ["Grid_Power"]), (["main_1"], ["import", "export"], ["main_1"]),
            (["main_1", "leg_2"], [], ["main_1"]),
        ] as [([String], [String], [String])])
    func `the grid is a total, else the legs of the mains`(inputs: [String], outputs: [String], expected: [String]) {
        #expect(RoleNames.mains(inputs: inputs, outputs: outputs) == expected)
    }

    @Test(
        arguments: [
            (["oven"], ["used"], "used"), (["oven"], ["Total_Power"], "Total_Power"), (["total"], [], "total"),
            (["oven"], ["consumption"], "consumption"), (["power"], [], nil), (["house_pump"], [], nil),
            ([], ["total_use"], "total_use"),
        ] as [([String], [String], String?)])
    func `without mains a total of the consumption serves`(inputs: [String], outputs: [String], expected: String?) {
        #expect(RoleNames.consumption(inputs: inputs, outputs: outputs) == expected)
    }

    @Test(
        arguments: [
            (["solar"], [], ["solar"]), (["solar_east", "Solar West", "oven"], [], ["solar_east", "Solar West"]),
            (["pv1", "pv2"], ["Solar"], ["Solar"]), (["pv1", "pv2"], ["solar_used"], ["pv1", "pv2"]),
            (["oven"], ["production"], ["production"]), (["solarium"], [], []),
        ] as [([String], [String], [String])])
    func `the roof is a total, else all its inputs`(inputs: [String], outputs: [String], expected: [String]) {
        #expect(RoleNames.solar(inputs: inputs, outputs: outputs) == expected)
    }

    @Test func `what was found is logged, with the sign that the last week showed`() throws {
        let rig = try Rig()
        try rig.instance.start()
        let line = try #require(rig.host.logs.first { $0.contains("series taken") })
        #expect(line.contains("grid: main_1 + main_2, solar: -solar, circuits: 14"))
        #expect(line.contains("02_08_03"))
        #expect(rig.host.conditions.map(\.code) == [METER_OK])
    }

    /// A roof that produces a kilowatt in these seconds of the day, and is dark else; its CT counts it as negative.
    private func roof(_ seconds: Range<Int>) -> IoTaWattModel {
        var model = IoTaWattModel.house(now: Rig.noon)
        model.inputs[3] = .init(
            3, "solar", .power(watts: { seconds.contains($0) ? -1000 : 0 }, powerFactor: 0.99, voltage: 0))
        return model
    }

    @Test func `the direction of a roof that is known is kept through a week without sun`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.instance.stop()
        // Half a minute a day is less than a hundred watt hours in a week.
        let noon = Rig.noon % 86_400
        let again = try Rig(roof(noon..<noon + 30), at: Double(Rig.noon) + 62, kept: rig.host.values)
        try again.instance.start()
        #expect(again.host.logs.contains { $0.contains("solar: -solar") })
        #expect(try #require(try again.read().last).solarPowerW == 500)
    }

    @Test func `a roof of which nothing is known is looked at again every hour`() throws {
        let noon = Rig.noon % 86_400
        var model = roof(noon + 600..<noon + 3000)
        (model.currentLogFrom, model.historyLogFrom) = (Rig.noon - 3600, Rig.noon - 3600)
        let rig = try Rig(model)
        try rig.instance.start()
        _ = try rig.read()
        #expect(rig.host.logs.contains { $0.contains("production is taken as positive") })
        #expect(rig.host.values["orientation"] == nil)
        rig.host.advanceMonotonic(3600 * Rig.second)
        _ = try rig.read(after: 3700)
        #expect(rig.host.logs.contains { $0.contains("solar: -solar") })
        #expect(rig.host.values["orientation"].map { String(decoding: $0, as: UTF8.self) } == #"{"solar":true}"#)
    }

    @Test func `settings are taken as they are`() throws {
        let rig = try Rig(settings: [
            "mains": "main_1, -main_2", "solar": "+solar", "battery": "-garage", "circuits": "oven,total_use",
        ])
        try rig.instance.start()
        // A sign is said for every series: nothing is to be found out.
        #expect(rig.device.requests.count == 2)
        let model = IoTaWattModel.house(now: Rig.noon)
        let reading = try #require(try rig.read().last)
        #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER | METER_BATTERY_POWER)
        #expect(abs(try #require(reading.gridPowerW)) < 0.01)
        let solar = model.total(["solar": 1], from: Rig.noon - 60, to: Rig.noon)
        #expect(abs(try #require(reading.solarPowerW) - solar.meanW) < 0.1)
        #expect(try #require(reading.batteryPowerW) < 0)
        #expect(reading.periodChargeKWh ?? 0 > 0 && reading.periodDischargeKWh == 0)
        #expect(reading.circuits.map(\.id) == ["input_7", "output_total_use"])
        #expect(reading.circuits.map(\.kind) == [METER_KIND_LOAD, METER_KIND_TOTAL])
        #expect(rig.host.logs.contains { $0.contains("main_1 + -main_2 (as set)") })
    }

    @Test func `none means that the house has none`() throws {
        let rig = try Rig(settings: ["solar": "none", "circuits": "none"])
        try rig.instance.start()
        let reading = try #require(try rig.read().last)
        #expect(reading.known == METER_GRID_POWER)
        #expect(reading.circuits.isEmpty)
    }

    @Test func `without a series of the whole house the setting and the candidates are named`() throws {
        var model = IoTaWattModel.house(now: Rig.noon)
        model.inputs.removeSubrange(1...3)
        model.outputs = []
        let rig = try Rig(model)
        try rig.instance.start()
        let condition = try #require(rig.host.conditions.last)
        #expect(condition.code == METER_NO_DATA)
        #expect(condition.message.contains("IOTAWATT_MAINS") && condition.message.contains("heat_pump, ev_charger"))
        let reading = try #require(try rig.read().last)
        #expect(reading.known == 0 && reading.circuits.count == 11)
    }

    @Test func `a total of the consumption is not added to the grid`() throws {
        var model = IoTaWattModel.house(now: Rig.noon)
        model.inputs.removeSubrange(1...2)
        model.outputs = [.init("used", [(1, 4), (1, 5)])]
        let rig = try Rig(model)
        try rig.instance.start()
        let reading = try #require(try rig.read().last)
        #expect(reading.known == METER_CONSUMPTION_POWER | METER_SOLAR_POWER)
        let truth = model.total(["heat_pump": 1, "ev_charger": 1], from: Rig.noon - 60, to: Rig.noon)
        #expect(abs(try #require(reading.consumptionPowerW) - truth.meanW) < 0.1)
        #expect(reading.gridPowerW == nil)
    }

    @Test(arguments: [
        (["url": "ftp://x"], "IOTAWATT_URL"), (["mains": "a.b"], "IOTAWATT_MAINS"),
        (["solar": "a,a"], "IOTAWATT_SOLAR"),
        (["battery": "-"], "IOTAWATT_BATTERY"), (["circuits": "time"], "IOTAWATT_CIRCUITS"),
    ])
    func `a wrong setting is named before anything is asked`(settings: [String: String], name: String) throws {
        let failure = #expect(throws: AdapterFailure.self) { _ = try Rig(settings: settings) }
        #expect(failure?.code == METER_MISCONFIGURED)
        #expect(failure?.message.contains(name) == true)
    }

    @Test func `a series that the device does not have is named, with those that it has`() throws {
        let rig = try Rig(settings: ["mains": "main_1,main_3"])
        let failure = #expect(throws: AdapterFailure.self) { try rig.instance.start() }
        #expect(failure?.code == METER_MISCONFIGURED)
        #expect(failure?.message.contains("'main_3'") == true)
        #expect(failure?.message.contains("main_1, main_2, solar") == true)
    }

    // MARK: Passwords

    @Test(arguments: ["user", "admin"])
    func `a password is answered by digest, and a poll stays within two requests`(user: String) throws {
        let rig = try Rig(
            settings: ["username": user, "password": "s3cret"], accounts: [("admin", "s3cret"), ("user", "s3cret")])
        try rig.instance.start()
        rig.device.forgetRequests()
        #expect(try rig.read().count == 1)
        #expect(rig.device.requests.map(\.status) == [401, 200])
    }

    @Test(arguments: [("wrong", "IOTAWATT_PASSWORD"), ("", "set IOTAWATT_PASSWORD")])
    func `a wrong or missing password is said, without it, and tried again in five minutes`(
        password: String, advice: String
    ) throws {
        let rig = try Rig(settings: ["password": password], accounts: [("admin", "s3cret"), ("user", "s3cret")])
        let failure = #expect(throws: AdapterFailure.self) { try rig.instance.start() }
        #expect(failure?.code == METER_UNAUTHORIZED)
        #expect(failure?.retryAfter == 300 * Rig.second)
        #expect(failure?.message.contains(advice) == true)
        #expect(password.isEmpty || failure?.message.contains(password) == false)
    }
}
