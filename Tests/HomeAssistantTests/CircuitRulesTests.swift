import AdapterKit
import Testing

@testable import HomeAssistantAdapter

@Suite struct CircuitRulesTests {
    private static func row(_ id: String, unit: String = "W", name: String = "", state: String = "1") -> SensorRow {
        SensorRow(entityID: id, state: state, name: name, unit: unit, deviceClass: "power", reportedAt: nil)
    }

    private let rules = CircuitRules(
        include: [Glob("sensor.wanted_*")], exclude: [Glob("sensor.*_unwanted")],
        roles: ["sensor.total_power", "sensor.grid_power"])

    @Test(arguments: [
        ("sensor.power_kitchen", "W", true), ("sensor.shelly_em_channel_1_power", "W", true),
        ("sensor.heat_pump", "kW", true), ("sensor.meter", "mW", true), ("sensor.substation", "MW", true),
        ("sensor.total_power", "W", false), ("sensor.grid_power", "W", false),
        ("sensor.power_consumption", "W", false), ("sensor.grid_power_l1", "W", false),
        ("sensor.grid_power_phase_a", "W", false), ("sensor.total_power_phase_3", "W", false),
        ("sensor.solar_power_forecast", "W", false), ("sensor.inverter_power_limit", "W", false),
        ("sensor.heater_rated_power", "W", false), ("sensor.oven_peak_power", "W", false),
        ("sensor.main_apparent_power", "VA", false), ("sensor.power_factor_kitchen", "%", false),
        ("sensor.fridge_energy", "kWh", false), ("sensor.power_status", "", false),
        ("binary_sensor.power", "W", false), ("sensor.kitchen_unwanted", "W", false),
        ("sensor.wanted_maximum", "W", true), ("number.wanted_by_nobody", "W", false),
    ])
    func `a circuit is what measures a load`(id: String, unit: String, isCircuit: Bool) {
        #expect(rules.isCircuit(Self.row(id, unit: unit)) == isCircuit)
    }

    @Test(arguments: [
        ("sensor.power_ev", "", Circuit.Kind.ev), ("sensor.garage", "Wallbox", .ev),
        ("sensor.heat_pump_power", "", .heating), ("sensor.x", "HVAC upstairs", .heating),
        ("sensor.pv_power", "", .solar), ("sensor.powerwall", "", .battery), ("sensor.grid_2", "", .grid),
        ("sensor.pv1_power", "", .solar),
        ("sensor.kitchen", "Kitchen", .load),
        ("sensor.device_7", "Evening lamp", .load),
    ])
    func `a kind is guessed from whole words`(id: String, name: String, kind: Circuit.Kind) {
        #expect(rules.circuit(of: Self.row(id, name: name)).kind == kind)
    }

    @Test(arguments: [
        ("*", "anything", true), ("sensor.*_power", "sensor.a_power", true), ("sensor.?", "sensor.ab", false),
        ("sensor.*.*", "sensor.a", false), ("a*b*c", "aXXbYYc", true), ("a*b*c", "aXXbYY", false), ("", "", true),
    ])
    func `a pattern matches as people expect`(pattern: String, text: String, matches: Bool) {
        #expect(Glob(pattern).matches(text) == matches)
    }

    @Test(
        arguments: [
            ("2450.5", 2450.5), ("-180", -180), ("1e3", 1000), ("unavailable", nil), ("unknown", nil), ("", nil),
            ("nan", nil), ("inf", nil), ("0x10", nil), ("12 W", nil), ("1,5", nil), ("on", nil), ("-", nil),
            ("1e999", nil),
        ] as [(String, Double?)])
    func `a state is a number or it is not measured`(state: String, number: Double?) {
        #expect(Units.number(state) == number)
    }

    @Test func `a name of a megabyte is cut between characters`() {
        let circuit = rules.circuit(of: Self.row("sensor.a", name: String(repeating: "🫖", count: 250_000)))
        #expect(circuit.name.utf8.count <= 255)
        #expect(circuit.name.allSatisfy { $0 == "🫖" })
        #expect(!circuit.name.isEmpty)
    }
}
