import AdapterKit
import Testing

@Suite struct CircuitKindGuessTests {
    @Test(arguments: [
        ("sensor.tesla_powerwall_battery_power", Circuit.Kind.battery), ("sensor.powerwall", .battery),
        ("Powerwall 2", .battery), ("sensor.ev_battery_power", .ev), ("sensor.solar_battery_power", .battery),
        ("sensor.battery_charger_power", .battery), ("sensor.tesla_solar_power", .solar), ("PV carport", .solar),
        ("sensor.pv1_power", .solar), ("sensor.phone_charger_power", .load), ("sensor.laptop_charger", .load),
        ("sensor.tesla_power", .load), ("sensor.tesla_wall_connector_power", .ev), ("sensor.wall_connector", .ev),
        ("sensor.tesla_charger_power", .ev), ("sensor.ev_charger_power", .ev), ("Car charger", .ev),
        ("Vehicle charger", .ev), ("sensor.wallbox", .ev), ("EVSE", .ev), ("sensor.power_ev", .ev),
        ("sensor.heat_pump_power", .heating), ("HVAC upstairs", .heating), ("sensor.grid_2", .grid),
        ("sensor.kitchen", .load), ("Evening lamp", .load), ("", .load),
    ])
    func `a kind is guessed from whole words`(name: String, kind: Circuit.Kind) {
        #expect(Circuit.Kind(guessedFrom: name) == kind)
    }

    @Test func `words of one name and of another go together`() {
        #expect(Circuit.Kind(guessedFrom: "sensor.tesla_power", "Charger") == .ev)
        #expect(Circuit.Kind(guessedFrom: "sensor.charger_power", "Car") == .ev)
        #expect(Circuit.Kind(guessedFrom: "sensor.tesla_power", "Powerwall") == .battery)
    }
}
