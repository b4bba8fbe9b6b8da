import Foundation
import TestSupport
import Testing

@Suite("kill -9, against a book that the meter keeps itself", .serialized)
struct LedgerTests {
    /// A reading that the host took.
    private struct Entry {
        let at: Int64
        let powerW: Double
    }

    /// What a slot has to be, worked out from the book alone.
    private struct Expected {
        var powerW: Double
        var energyKWh: Double
    }

    private static let second: Int64 = 1_000_000_000
    /// Half a millijoule in kWh: what the rounding of one stretch may be.
    private static let rounding = 0.5 / 3.6e9
    /// 2.5 sampling periods.
    private static let hold: Int64 = 250_000_000

    @Test("Power and energy of each slot in InfluxDB are those of the book")
    func everySlotIsOfTheBook() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let folder = try TemporaryDirectory("ledger")
        try CAdapter.build("ledger.c", as: "ledger.so", in: folder)
        // In a process of its own it may write to the file that its setting names, and make none.
        try folder.write("book", "")
        let influx = try InfluxServer()
        let host = try HostProcess([
            "METER_TYPE": "ledger", "LEDGER_FILE": folder.file("book").path, "LEDGER_SAMPLE_SECONDS": "0.1",
            "LEDGER_INTERVAL_SECONDS": "1", "ADAPTER_PATH": folder.path, "INFLUXDB_URL": influx.url,
            "INFLUXDB_API": "v1",
        ])
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        var kills: [ClosedRange<Int64>] = []
        for _ in 0..<Checkout.rounds {
            // Some slots, of which those in the middle are untouched by a kill; InfluxDB is away for some of the time.
            let begin = try store.newestOrNone()
            try waitUntil("five more slots; the log:\n\(host.log.suffix(2000))", within: 30) {
                try store.newestOrNone() >= begin + 5 * Self.second
            }
            if Bool.random(using: &random) { influx.stop() }
            usleep(UInt32.random(in: 0...1_200_000, using: &random))
            let killed = House.now
            host.kill9()
            try influx.start()
            try host.start()
            kills.append(killed...House.now)
        }
        let last = try store.newestEnd() + 3 * Self.second
        try waitUntil("the delivery of all; the log:\n\(host.log.suffix(2000))", within: 90) {
            try store.deliveredUpTo() >= last
        }
        #expect(try #require(host.terminate()) < 2)

        let book = try readBook(folder.file("book"))
        let points = try influx.points("smart_meter").filter { $0.time % Self.second == 0 && $0.time <= last }
        #expect(Set(points.map(\.time)).count == points.count, "each slot once")
        var compared = 0
        for (before, point) in zip(points, points.dropFirst()) where isUntouched(point.time, kills) {
            guard before.time == point.time - Self.second, isUntouched(before.time, kills) else { continue }
            let expected = expected(book, slotEnd: point.time)
            #expect(abs(try #require(point.number("total_power_w")) - expected.powerW) <= 0.001, "slot \(point.time)")
            let energy = try #require(point.number("consumption_kwh_total"))
            let energyBefore = try #require(before.number("consumption_kwh_total"))
            // A slot has 10 or 11 stretches, each rounded to a millijoule.
            #expect(abs(energy - energyBefore - expected.energyKWh) <= 12 * Self.rounding, "slot \(point.time)")
            compared += 1
        }
        #expect(compared >= Checkout.rounds)
        // Over all: nothing more than the meter said, and nothing less but what a kill cut off before its commit.
        let total = try #require(points.last?.number("consumption_kwh_total"))
        let ceiling = (book.last?.at ?? 0) > 0 ? energy(book, from: 0, to: points.last?.time ?? 0) : 0
        #expect(total <= ceiling + Double(book.count) * Self.rounding)
        let lost = Double(kills.count) * 2 * 4.2 / 3600
        #expect(total >= ceiling - lost)
    }

    private func readBook(_ file: URL) throws -> [Entry] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ")
            guard parts.count == 2, let at = Int64(parts[0]), let power = Double(parts[1]) else { return nil }
            return Entry(at: at, powerW: power)
        }
    }

    /// A slot that no kill came near: what was accepted last before a kill may not have been committed.
    private func isUntouched(_ end: Int64, _ kills: [ClosedRange<Int64>]) -> Bool {
        let slot = (end - Self.second - Self.hold)...(end + Self.second)
        return !kills.contains { $0.overlaps(slot) }
    }

    private func expected(_ book: [Entry], slotEnd end: Int64) -> Expected {
        let start = end - Self.second
        var sum = 0.0
        var time = 0.0
        for (entry, next) in zip(book, book.dropFirst()) {
            let from = max(entry.at, start)
            let to = min(next.at, entry.at + Self.hold, end)
            guard to > from else { continue }
            sum += entry.powerW * Double(to - from)
            time += Double(to - from)
        }
        return Expected(powerW: sum / time, energyKWh: sum / 3.6e15)
    }

    private func energy(_ book: [Entry], from start: Int64, to end: Int64) -> Double {
        zip(book, book.dropFirst()).reduce(0) { sum, pair in
            let from = max(pair.0.at, start)
            let to = min(pair.1.at, pair.0.at + Self.hold, end)
            return to > from ? sum + pair.0.powerW * Double(to - from) / 3.6e15 : sum
        }
    }
}
