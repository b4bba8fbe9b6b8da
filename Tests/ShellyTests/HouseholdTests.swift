import AdapterKit
import TestSupport
import Testing

@testable import ShellyAdapter

@Suite("The household of Shelly meters")
struct HouseholdTests {
    private static func meter(_ prefix: String, watts: Double) -> ShellyGen2 {
        ShellyGen2("shellyproem50-1", prefix: prefix, .single, [.constant(watts)], at: Village.noon)
    }

    @Test("A meter whose topics are renamed is the same meter")
    func renaming() throws {
        var village = try Village(["mains": "em1:0"], gen2: [Self.meter("shellyproem50-1", watts: 700)])
        village.receive(village.gen2[0].online(true), isRetained: true)
        village.pass(seconds: 5)
        #expect(village.readings.last?.gridPowerW == 700)
        // Its topics come and go; it is offline under those that it leaves.
        for prefix in ["house/attic", "shellyproem50-1", "house/cellar"] {
            let watts = Double(prefix.count) * 100
            let before = village.readings.count
            village.receive(village.gen2[0].online(false))
            village.gen2 = [Self.meter(prefix, watts: watts)]
            village.receive(village.gen2[0].statusMessages())
            if let message = village.gen2[0].powerNotification(isWhole: true) { village.receive(message) }
            village.receive(village.gen2[0].energyNotification())
            village.pass(seconds: 5)
            let readings = village.readings.dropFirst(before)
            #expect(readings.last?.gridPowerW == watts, "\(prefix)")
            for reading in readings {
                #expect(reading.circuits.count <= 1)
                #expect(reading.circuits.allSatisfy { $0.id == "shellyproem50-1/em1:0" })
            }
            #expect(village.household.complaint(at: village.now) == nil)
            let plan = village.household.historyPlan(at: village.now)
            #expect(plan.logs.map(\.prefix) == [prefix] && plan.missing.isEmpty)
        }
        #expect(village.household.meters.count == 3)
    }
}
