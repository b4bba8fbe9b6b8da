import AdapterABI
import FakeHost
import Testing

/// Sensors that come late, go, or were never there.
@Suite struct AppearanceTests {
    private static let kitchen: Home.Row = ("sensor.power_kitchen", "350", "Kitchen", "W", 5)
    private static let oven: Home.Row = ("sensor.power_oven", "2000", "Oven", "W", 5)
    private static let total: Home.Row = ("sensor.total_power", "2.45", "Total", "kW", 5)
    private static let daily: Home.Row = ("sensor.daily_energy", "12250", "Today", "Wh", 5)

    private func named(_ host: FakeHost, _ words: String) -> Int { host.logs.filter { $0.contains(words) }.count }

    @Test func `a total that appears after the start is taken without a restart`() throws {
        let home = Home([Self.kitchen, ("sensor.total_power_phase_a", "800", "A", "W", 5)])
        let (host, instance) = try home.instance()
        try instance.start()
        let first = try instance.read()
        #expect(first.consumptionPowerW == nil && first.dayEnergyKWh == nil)
        #expect(host.conditions.last?.message.contains("HOME_ASSISTANT_TOTAL") == true)
        home.set([Self.kitchen, Self.total, Self.daily])
        let second = try instance.read()
        #expect(second.consumptionPowerW == 2450 && second.dayEnergyKWh == 12.25)
        #expect(second.known == first.known)
        #expect(second.circuits.map(\.id) == ["sensor.power_kitchen"])
        #expect(host.conditions.last?.code == METER_OK)
        home.set([Self.kitchen])
        #expect(try instance.read().consumptionPowerW == nil)
        home.set([Self.kitchen, ("sensor.home_power", "9", "Home", "W", 5)])
        #expect(try instance.read().consumptionPowerW == nil)
    }

    @Test func `while nothing is of the whole home, that is said once`() throws {
        let home = Home([Self.kitchen])
        let (host, instance) = try home.instance()
        try instance.start()
        for row in [Self.kitchen, Self.oven, Self.kitchen] {
            home.set([row])
            _ = try instance.read()
        }
        #expect(named(host, "no sensor of the whole home") == 1)
        #expect(host.conditions.filter { $0.code != METER_OK }.count == 1)
    }

    @Test func `a sensor that vanishes takes the sum with it`() throws {
        let home = Home([Self.kitchen, Self.oven])
        let (host, instance) = try home.instance(["total": "sum"])
        try instance.start()
        #expect(try instance.read().consumptionPowerW == 2350)
        home.set([Self.kitchen])
        for _ in 0..<3 { #expect(try instance.read().consumptionPowerW == nil) }
        #expect(named(host, "sensor.power_oven") == 1)
        #expect(host.conditions.last?.message.contains("sensor.power_oven") == true)
        home.set([Self.kitchen, Self.oven])
        #expect(try instance.read().consumptionPowerW == 2350)
        #expect(host.conditions.last?.code == METER_OK)
        home.set([Self.kitchen])
        #expect(try instance.read().consumptionPowerW == nil)
        #expect(named(host, "sensor.power_oven") == 2)
        instance.stop()
        try instance.start()
        #expect(try instance.read().consumptionPowerW == 350)
    }

    @Test func `a sensor that comes later belongs to the sum from then on`() throws {
        let home = Home([Self.kitchen])
        let (host, instance) = try home.instance(["total": "sum"])
        try instance.start()
        #expect(try instance.read().consumptionPowerW == 350)
        home.set([Self.kitchen, Self.oven])
        #expect(try instance.read().consumptionPowerW == 2350)
        #expect(named(host, "sensor.power_oven") == 1)
        home.set([Self.kitchen])
        #expect(try instance.read().consumptionPowerW == nil)
    }

    @Test func `a sensor that loses its unit with its value takes the sum with it`() throws {
        let home = Home([Self.kitchen, Self.oven])
        let (_, instance) = try home.instance(["total": "sum"])
        try instance.start()
        #expect(try instance.read().consumptionPowerW == 2350)
        home.set([Self.kitchen, ("sensor.power_oven", "unavailable", "Oven", nil, 5)])
        #expect(try instance.read().consumptionPowerW == nil)
    }

    @Test(arguments: [
        ("total", "sensor.tpyo_power", "HOME_ASSISTANT_TOTAL"), ("grid", "sensor.gird", "HOME_ASSISTANT_GRID"),
        ("solar", "sensor.pv", "HOME_ASSISTANT_SOLAR"), ("battery", "sensor.bat", "HOME_ASSISTANT_BATTERY"),
        ("import_energy", "sensor.in", "HOME_ASSISTANT_IMPORT_ENERGY"),
        ("discharge_energy", "sensor.out", "HOME_ASSISTANT_DISCHARGE_ENERGY"),
        ("daily_energy", "sensor.today", "HOME_ASSISTANT_DAILY_ENERGY"),
    ])
    func `a sensor that a setting names and that does not exist is named with its setting`(
        setting: String, entity: String, variable: String
    ) throws {
        let home = Home([Self.kitchen, Self.total])
        let (host, instance) = try home.instance([setting: entity])
        try instance.start()
        for _ in 0..<3 { _ = try instance.read() }
        let words = "\(entity) does not exist in Home Assistant (\(variable))"
        #expect(named(host, words) == 1)
        #expect(host.conditions.last?.message.contains(words) == true)
        home.set([Self.kitchen, Self.total, (entity, "1", "", setting.hasSuffix("energy") ? "kWh" : "W", 5)])
        _ = try instance.read()
        #expect(host.conditions.last?.code == METER_OK)
        home.set([Self.kitchen, Self.total])
        _ = try instance.read()
        #expect(named(host, words) == 2)
        #expect(host.conditions.last?.message.contains(words) == true)
    }

    @Test(
        arguments: [
            ("sensor.tpyo_power", "sensor.typo_power"), ("sensor.total_pwer", "sensor.total_power"),
            ("sensor.house", nil),
        ] as [(String, String?)])
    func `of a name that does not exist the nearest one is told, if one is near`(entity: String, near: String?) throws {
        let home = Home([Self.kitchen, Self.total, ("sensor.typo_power", "1", "", "W", 5)])
        let (host, instance) = try home.instance(["total": entity])
        try instance.start()
        let said = try #require(host.logs.first { $0.contains("\(entity) does not exist") })
        #expect(said.contains("is it ") == (near != nil))
        if let near { #expect(said.contains(near)) }
    }
}
