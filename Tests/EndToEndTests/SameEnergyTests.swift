import Foundation
import TestSupport
import Testing

@Suite("Beside Home Assistant's own energy", .serialized)
struct SameEnergyTests {
    /// Home Assistant's Riemann sum of the total, and a utility meter on top of it.
    private static let helpers = """
        sensor:
          - platform: integration
            name: Total Energy
            source: sensor.total_power
            method: left
            unit_prefix: k
            unit_time: h
            round: 6
        utility_meter:
          day_meter:
            source: sensor.total_energy
            cycle: daily

        """

    @Test("A load that goes on and off for minutes is the same kWh in both, to one percent")
    func cyclingLoad() throws {
        // Five minutes in make soak.
        let seconds = min(300, Checkout.rounds * 20)
        let home = try HomeAssistantServer(
            [.init("Total Power", "1000", unit: "W", deviceClass: "power")], more: Self.helpers)
        let influx = try InfluxServer()
        let host = try HostProcess(House.settings(home, influx))
        try host.waitForConsumption("the first reading") { $0["total_power_w"] as? Double == 1000 }
        try waitUntil("points", within: 20) { try influx.points("smart_meter").count >= 2 }

        // The sums begin with a change.
        try home.setState("sensor.total_power", "1001")
        let begin = House.now
        let before = try energies(home)
        let end = Date(timeIntervalSinceNow: Double(seconds))
        var isOn = false
        while Date() < end {
            isOn.toggle()
            try home.setState("sensor.total_power", isOn ? "3000" : "1000")
            usleep(isOn ? 7_000_000 : 13_000_000)
        }
        try home.setState("sensor.total_power", "1002")
        let finished = House.now
        let after = try energies(home)
        try waitUntil("the last slot", within: 20) {
            try influx.points("smart_meter").last?.time ?? 0 >= finished + 2_000_000_000
        }

        let points = try influx.points("smart_meter").filter { $0.number("consumption_kwh_total") != nil }
        let ours = try counter(points, at: finished) - counter(points, at: begin)
        print("ours \(ours) kWh, Home Assistant \(after.sum - before.sum), utility meter \(after.meter - before.meter)")
        #expect(ours > Double(seconds) / 3600)
        // Of 2 kW that go on and off, a reading a second misses more than a second and a half only by chance: a hundredth of
        // five minutes' energy.
        let tolerance = max(0.01, 1.5 * 2000 / 3.6e6 / ours)
        #expect(abs(ours / (after.sum - before.sum) - 1) < tolerance)
        #expect(abs(ours / (after.meter - before.meter) - 1) < tolerance)
    }

    /// The meter follows the sum a moment later.
    private func energies(_ home: HomeAssistantServer) throws -> (sum: Double, meter: Double) {
        usleep(500_000)
        func value(_ entity: String) throws -> Double { Double(try home.state(entity) ?? "") ?? 0 }
        return (try value("sensor.total_energy"), try value("sensor.day_meter"))
    }

    /// Our counter at an instant, between the two slots around it.
    private func counter(_ points: [InfluxPoint], at instant: Int64) throws -> Double {
        let next = try #require(points.firstIndex { $0.time >= instant })
        let (low, high) = (points[max(0, next - 1)], points[next])
        let (from, to) = (low.number("consumption_kwh_total") ?? 0, high.number("consumption_kwh_total") ?? 0)
        guard high.time > low.time else { return to }
        return from + (to - from) * Double(instant - low.time) / Double(high.time - low.time)
    }
}
