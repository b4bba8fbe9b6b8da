import AdapterABI
import FakeHost
import TestSupport
import Testing

/// The adapter as it ships: through its library and the C interface, with the network in the test's hands.
@Suite struct HomeAssistantTests {
    private static let house: [Home.Row] = [
        ("sensor.total_power", "2.45", "Total", "kW", 5), ("sensor.power_kitchen", "350", "Kitchen", "W", 5),
        ("sensor.power_oven", "unavailable", "Oven", "W", 5), ("sensor.daily_energy", "12250", "Today", "Wh", 5),
        ("sensor.power_lamp", "60", "Kitchen", "W", 5),
    ]

    private func instance(
        _ home: Home, _ settings: [String: String] = [:]
    ) throws -> (FakeHost, InstanceUnderTest) {
        try home.instance(settings)
    }

    @Test func `one request a sample, in watts and kWh, and what is not measured is left out`() throws {
        let home = Home(Self.house)
        let (_, instance) = try instance(home)
        try instance.start()
        let reading = try instance.read()
        #expect(home.asked == ["/api/template"])
        #expect(reading.known == METER_CONSUMPTION_POWER)
        #expect(reading.consumptionPowerW == 2450)
        #expect(reading.dayEnergyKWh == 12.25)
        #expect(reading.circuits.map(\.id) == ["sensor.power_kitchen", "sensor.power_oven", "sensor.power_lamp"])
        #expect(reading.circuits.map(\.powerW) == [350, nil, 60])
        _ = try instance.read()
        _ = try instance.read()
        #expect(home.asked.count == 3)
    }

    @Test func `a token that may not use templates reads all states, decided once a start`() throws {
        let home = Home(Self.house, template: .answer(status: 401, body: "401: Unauthorized"))
        let (_, instance) = try instance(home)
        try instance.start()
        for _ in 0..<3 { #expect(try instance.read().consumptionPowerW == 2450) }
        #expect(home.asked.filter { $0 == "/api/template" }.count == 1)
        #expect(home.asked.filter { $0 == "/api/states" }.count == 3)
    }

    @Test func `a refused token is asked again in a quarter of an hour`() throws {
        let refusing = FakeHost(settings: ["url": "http://ha:8123", "token": "T0ken"]) { _ in
            .answer(status: 401, body: "401: Unauthorized")
        }
        let library = Checkout.product("libsmartmeter-homeassistant.so")
        let refused = try AdapterUnderTest(path: library).create(refusing)
        let failure = #expect(throws: AdapterFailure.self) { try refused.start() }
        #expect(failure?.code == METER_UNAUTHORIZED)
        #expect(failure?.retryAfter == 900_000_000_000)
        #expect(failure?.message.contains("T0ken") == false)
    }

    @Test(arguments: [
        #"{"message":"Error rendering template: TypeError: Type is not JSON serializable: X"}"#,
        #"{"message":"Error rendering template: TypeError:\nType is not JSON serializable: X \#(String(repeating: "x", count: 2000))"}"#,
    ])
    func `a template that Home Assistant cannot render is told with its reason, and all states are read`(
        body: String
    ) throws {
        let home = Home(Self.house, template: .answer(status: 400, body: body))
        let (host, instance) = try instance(home)
        try instance.start()
        for _ in 0..<3 { #expect(try instance.read().consumptionPowerW == 2450) }
        #expect(home.asked.filter { $0 == "/api/template" }.count == 1)
        let said = host.logs.filter { $0.contains("Error rendering template: TypeError:") }
        #expect(said.count == 1)
        #expect(said.allSatisfy { $0.contains("Type is not JSON serializable: X") && !$0.contains("\n") })
        #expect(said.allSatisfy { $0.utf8.count < 400 })
    }

    @Test func `a template that fails later is replaced, too`() throws {
        let home = Home(Self.house)
        let (host, instance) = try instance(home)
        try instance.start()
        _ = try instance.read()
        home.answerTemplate(.answer(status: 400, body: #"{"message":"Error rendering template: a fault"}"#))
        for _ in 0..<2 { #expect(try instance.read().consumptionPowerW == 2450) }
        #expect(home.asked == ["/api/template", "/api/template", "/api/states", "/api/states"])
        #expect(host.logs.filter { $0.contains("Error rendering template: a fault") }.count == 1)
    }

    @Test(arguments: [301, 302, 307, 308] as [Int32])
    func `a redirect is not followed, and the setting that has to change is named`(status: Int32) throws {
        let home = Home(Self.house, template: .answer(status: status, body: ""))
        let (_, instance) = try instance(home)
        let failure = #expect(throws: AdapterFailure.self) { try instance.start() }
        #expect(failure?.message.contains("HOME_ASSISTANT_URL") == true)
        #expect(failure?.message.contains("token") == false)
        #expect(home.asked == ["/api/template"])
        #expect(home.requests.allSatisfy { !$0.followsRedirects })
    }

    @Test func `a stale total is not measured and named once, and a zero is never stale`() throws {
        let home = Home(Self.house)
        let (host, instance) = try instance(home)
        try instance.start()
        _ = try instance.read()
        home.set([("sensor.total_power", "2450", "Total", "W", 901)])
        #expect(try instance.read().consumptionPowerW == nil)
        #expect(try instance.read().consumptionPowerW == nil)
        #expect(host.logs.filter { $0.contains("sensor.total_power") }.count == 1)
        home.set([("sensor.total_power", "0", "Total", "W", 90_000)])
        #expect(try instance.read().consumptionPowerW == 0)
    }

    @Test func `what is known stays known while the sensor is away`() throws {
        let home = Home([
            ("sensor.grid", "-500", "Grid", "W", 1), ("sensor.pv", "1500", "PV", "W", 1),
        ])
        let (_, instance) = try instance(home, ["grid": "sensor.grid", "solar": "sensor.pv"])
        try instance.start()
        let first = try instance.read()
        #expect(first.known == METER_GRID_POWER | METER_SOLAR_POWER)
        #expect(first.gridPowerW == -500 && first.solarPowerW == 1500)
        home.set([("sensor.grid", "-500", "Grid", "W", 1)])
        let second = try instance.read()
        #expect(second.known == first.known)
        #expect(second.solarPowerW == nil)
        #expect(second.circuits.isEmpty)
    }

    @Test func `import and export apart make one signed grid, and a sign can be switched`() throws {
        let home = Home([
            ("sensor.in", "100", "In", "W", 1), ("sensor.out", "0.4", "Out", "kW", 1),
            ("sensor.bat", "250", "Bat", "W", 1), ("sensor.imported", "1.5", "I", "MWh", 1),
        ])
        let (_, instance) = try instance(
            home,
            [
                "grid_import": "sensor.in", "grid_export": "sensor.out", "battery": "sensor.bat",
                "battery_invert": "1", "import_energy": "sensor.imported",
            ])
        try instance.start()
        let reading = try instance.read()
        #expect(reading.gridPowerW == -300)
        #expect(reading.batteryPowerW == -250)
        #expect(reading.totalImportKWh == 1500)
    }

    @Test func `without a total the settings to give and the candidates are named, and nothing is summed`() throws {
        let home = Home([("sensor.power_kitchen", "350", "Kitchen", "W", 5)])
        let (host, instance) = try instance(home)
        try instance.start()
        let reading = try instance.read()
        // It may come yet, and what is known does not change while the instance runs.
        #expect(reading.known == METER_CONSUMPTION_POWER)
        #expect(reading.consumptionPowerW == nil)
        #expect(reading.circuits.count == 1)
        let condition = try #require(host.conditions.last)
        #expect(condition.message.contains("HOME_ASSISTANT_TOTAL"))
        #expect(condition.message.contains("sensor.power_kitchen"))
    }

    @Test func `the circuits are summed where a setting asks for it, unless one is missing`() throws {
        let home = Home([
            ("sensor.power_kitchen", "350", "Kitchen", "W", 5), ("sensor.power_pv", "900", "PV", "W", 5),
            ("sensor.power_oven", "150", "Oven", "W", 5),
        ])
        let (_, instance) = try instance(home, ["total": "sum"])
        try instance.start()
        #expect(try instance.read().consumptionPowerW == 500)
        home.set([
            ("sensor.power_kitchen", "350", "Kitchen", "W", 5), ("sensor.power_oven", "unknown", "Oven", "W", 5),
        ])
        #expect(try instance.read().consumptionPowerW == nil)
    }

    @Test func `wrong settings are said before anything is asked`() throws {
        let home = Home([])
        for settings in [
            ["grid": "not an entity"], ["grid_import": "sensor.a"], ["stale_seconds": "0"], ["url": "ftp://x"],
            ["grid": "sensor.a", "grid_import": "sensor.b", "grid_export": "sensor.c"],
        ] {
            let failure = #expect(throws: AdapterFailure.self) { _ = try instance(home, settings) }
            #expect(failure?.code == METER_MISCONFIGURED, "\(settings)")
        }
        #expect(home.asked.isEmpty)
    }
}
