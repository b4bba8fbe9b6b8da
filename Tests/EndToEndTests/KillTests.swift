import Foundation
import TestSupport
import Testing

@Suite("kill -9 while it reads, stores and delivers", .serialized)
struct KillTests {
    @Test("In the end each stored slot is in InfluxDB, point by point, once")
    func everySlotArrives() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let influx = try InfluxServer()
        let host = try HostProcess(QuickMock.to(influx.url, api: "v1"))
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        for _ in 0..<Checkout.rounds {
            // Work first, so that no round is empty; then a random moment within a slot or two.
            let before = try store.newestOrNone()
            try waitUntil("a new slot; the log:\n\(host.log.suffix(2000))", within: 20) {
                try store.newestOrNone() > before
            }
            usleep(UInt32.random(in: 0...1_500_000, using: &random))
            host.kill9()
            try host.start()
        }
        let last = try store.newestEnd()
        try waitUntil("the delivery of all; the log:\n\(host.log.suffix(2000))", within: 60) {
            try store.deliveredUpTo() > last
        }

        let limit = try store.deliveredUpTo()
        let slots = try store.slots().filter { $0.end <= limit }
        #expect(slots.count >= Checkout.rounds)
        let points = try influx.points("smart_meter").filter { $0.time <= limit }
        #expect(Set(points.map(\.tags)) == [["meter_type": "mock"]], "one series")
        #expect(points.map(\.time) == slots.map(\.end), "each slot once, and nothing else")
        for (slot, point) in zip(slots, points) {
            #expect(isSamePower(point.number("total_power_w"), slot.totalPowerW))
        }

        let circuits = Dictionary(grouping: try influx.points("smart_meter_circuit"), by: \.time)
        for slot in slots {
            let points = circuits[slot.end] ?? []
            #expect(points.count == slot.circuits.count)
            for point in points {
                let name = try #require(point.tags["circuit_name"])
                #expect(isSamePower(point.number("power_w"), slot.circuits[name]), "\(name)")
            }
        }
        #expect(try store.isSound())
        #expect(try host.command(["outbox", "verify"]).status == 0)
    }
}
