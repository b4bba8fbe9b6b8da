import Foundation
import TestSupport
import Testing

@Suite("An IoTaWatt", .serialized)
struct IoTaWattTests {
    private static let second: Int64 = 1_000_000_000

    @Test("Slots are the device's own means, each from one poll of two requests at most")
    func slots() throws {
        let model = IoTaWattModel.house(now: Int(Date().timeIntervalSince1970))
        let device = try IoTaWattSimulator(model, accounts: [("admin", "s3cret"), ("user", "s3cret")])
        let host = try HostProcess([
            "METER_TYPE": "iotawatt", "IOTAWATT_URL": device.url, "IOTAWATT_PASSWORD": "s3cret",
            "IOTAWATT_SAMPLE_SECONDS": "10", "FETCH_INTERVAL_SECONDS": "10",
        ])
        try host.waitForConsumption("the first reading") { consumption in
            (consumption["circuits"] as? [Any])?.count == 14 && consumption["total_power_w"] is NSNumber
        }
        let stored = StoredSlots(dataDirectory: host.dataDirectory)
        let begin = try waitFor("a first slot") { try stored.newestOrNone() > 0 ? try stored.newestOrNone() : nil }
        try waitUntil("more slots; the log:\n\(host.log.suffix(2000))", within: 40) {
            try stored.newestOrNone() >= begin + 30 * Self.second
        }
        let loads = Dictionary(uniqueKeysWithValues: model.inputs.dropFirst(4).map { ($0.name, 1.0) })
        // The first reading is the mean of a minute: its slot is not of ten seconds alone.
        let slots = try stored.slots().filter { $0.end > begin + 10 * Self.second }
        #expect(slots.count >= 2)
        for slot in slots {
            let end = Int(slot.end / Self.second)
            let truth = model.total(loads, from: end - 10, to: end)
            let total = try #require(slot.totalPowerW)
            #expect(abs(total - truth.meanW) < 0.5, "\(total) and \(truth.meanW)")
            let heatPump = model.total(["heat_pump": 1], from: end - 10, to: end)
            #expect(abs((slot.circuits["heat_pump"] ?? .nan) - heatPump.meanW) < 0.2)
        }
        #expect(device.overlaps == 0)
        let polls = try #require(try host.health()["total_fetches"] as? Int)
        // The start takes three.
        // The history that is asked for between polls has watt hours of the house.
        let requests = device.requests.map(\.target).filter { !$0.contains("main_1.wh") }
        #expect(requests.count <= 2 * (polls + 3), "\(requests)")
        #expect(!host.allLogs.contains("s3cret"))
    }

    @Test("A device that is switched off for a while is said to be away, and its readings go on where they ended")
    func away() throws {
        let model = IoTaWattModel.house(now: Int(Date().timeIntervalSince1970))
        let device = try IoTaWattSimulator(model)
        let host = try HostProcess([
            "METER_TYPE": "iotawatt", "IOTAWATT_URL": device.url, "IOTAWATT_SAMPLE_SECONDS": "10",
            "FETCH_INTERVAL_SECONDS": "10",
        ])
        try host.waitForConsumption("the first reading") { $0["total_power_w"] is NSNumber }
        let stored = StoredSlots(dataDirectory: host.dataDirectory)
        let begin = try waitFor("a first slot", within: 30) {
            try stored.newestOrNone() > 0 ? try stored.newestOrNone() : nil
        }
        device.stop()
        try host.waitForHealth("the device away", within: 30) { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            return adapters.contains { $0["last_error"] is String }
        }
        try device.start()
        // Its log knows what was measured meanwhile: no slot is missing.
        try waitUntil("slots without a gap; the log:\n\(host.log.suffix(2000))", within: 90) {
            let ends = try stored.slots().map(\.end).filter { $0 >= begin }
            return ends.count >= 4 && zip(ends, ends.dropFirst()).allSatisfy { $1 - $0 == 10 * Self.second }
                && (ends.last ?? 0) >= begin + 40 * Self.second
        }
    }
}
