import Foundation
import TestSupport
import Testing

@Suite("The day's ration of requests", .serialized)
struct RationTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory("spender")
        try CAdapter.build("spender.c", as: "spender.so", in: folder)
        try folder.write("book", "")
    }

    private func host(cost: Int, _ settings: [String: String] = [:]) throws -> HostProcess {
        let own = [
            "METER_TYPE": "spender", "ADAPTER_PATH": folder.path, "SPENDER_BOOK": folder.file("book").path,
            "SPENDER_COST": "\(cost)", "SPENDER_INTERVAL_SECONDS": "1", "FALLBACK": "none",
        ]
        return try HostProcess(own.merging(settings) { $1 })
    }

    /// What was made.
    private func requests(_ kind: String) throws -> Int {
        try String(contentsOf: folder.file("book"), encoding: .utf8).split(separator: "\n").count { $0 == kind }
    }

    private func report(_ host: HostProcess) throws -> [String: Any] {
        let adapters = try HTTP.get(host.port, "/api/v1/adapters").object()["adapters"] as? [[String: Any]]
        return try #require(adapters?.first)
    }

    private func left(_ host: HostProcess) throws -> Int? { try report(host)["requests_left"] as? Int }

    @Test("What is left holds over kill -9, to the request, and is to be seen everywhere")
    func restarts() throws {
        let host = try host(cost: 7, ["SPENDER_REQUESTS_PER_DAY": "1000"])
        for run in 1...3 {
            try waitUntil("reading \(run)") { try requests("live") >= 7 * run }
            try waitUntil("the count") { (try? left(host)) == 1000 - (try requests("live")) }
            // As soon as they are made, and not with the next commit.
            host.kill9()
            let used = try requests("live")
            let listing = try host.command(["adapters"])
            #expect(listing.output.contains("requests left to spender: \(1000 - used) of 1000 a day"))
            try host.start()
            try waitUntil("the count of before") { (try? left(host)).map { $0 <= 1000 - used } ?? false }
        }
        try waitUntil("the last reading") { try requests("live") == 28 }
        let used = 28
        try waitUntil("the metric") {
            try HTTP.get(host.port, "/metrics").text.contains(
                "smart_meter_requests_left{instance=\"spender\"} \(1000 - used)")
        }
        let adapters = try host.command(["adapters", "--json"]).output
        #expect(adapters.contains("\"requests\":[{\"instance\":\"spender\",\"left\":\(1000 - used),\"per_day\":1000}]"))
        // 1,000 a day cannot carry a reading a second: one in 87 s.
        let schedule = try report(host)["schedule"] as? [String: Any]
        #expect(schedule?["sample_seconds"] as? Double == 87)
        #expect(schedule?["requests_per_day"] as? Int == 1000)
        host.terminate()
        #expect(try host.command(["adapters"]).output.contains("requests left to spender: \(1000 - used) of 1000"))
    }

    @Test("Backfill spends what live reading leaves over, says so, and no reading is missed for it")
    func backfill() throws {
        let host = try host(cost: 1)
        try waitUntil("readings") { try requests("live") >= 2 }
        let from = Int(Date().timeIntervalSince1970) - 3600
        let answer = try host.command(["backfill", "spender", "--from", "\(from)"], within: 30)
        #expect(answer.status == 69)
        #expect(answer.errors.contains("the day's ration of requests leaves nothing for history now; it goes on"))
        // 92,000 - a twentieth - 86,400.
        let spent = try requests("history")
        #expect((900...1000).contains(spent), "\(spent)")
        let gaps = try report(host)["gaps"] as? [String: Any]
        #expect((gaps?["last_error"] as? String)?.hasPrefix("rationed: ") == true)
        #expect((gaps?["filled_slots"] as? Int ?? 0) >= 500)
        let live = try requests("live")
        try waitUntil("readings to go on") { try requests("live") >= live + 2 }
        #expect(try requests("history") == spent)
        #expect(try host.health()["status"] as? String == "healthy")
        #expect(try report(host)["failures"] as? Int == 0)
    }

    @Test("A meter that its ration lets be read less often is read as planned: no gap, not stale, not silent")
    func slowed() throws {
        // A read of 100 requests: the second comes some six seconds after the first, the third ten later.
        let host = try host(cost: 100, ["FALLBACK": "mock", "STALE_SECONDS": "1"])
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try host.waitForConsumption("the first reading") { $0["total_power_w"] as? Double == 200 }
        func standIns() -> Int { host.log.components(separatedBy: "mock data stands in").count }
        let before = standIns()
        var isStale = false
        try waitUntil("the second reading; the log:\n\(host.log.suffix(2000))", within: 20) {
            let readings = try HTTP.get(host.port, "/api/v1/readings").text
            isStale = isStale || readings.contains("\"stale\":true")
            return try requests("live") >= 200
        }
        #expect(!isStale)
        #expect(try host.health()["status"] as? String == "healthy")
        #expect(try store.query("SELECT kind FROM alert").isEmpty)
        #expect(standIns() == before)
        // A restart in the middle of it makes the same slots.
        host.kill9()
        try host.start()
        try waitUntil("the slots up to the reading after the restart", within: 20) { try slots(store).count >= 8 }
        let stored = try slots(store)
        #expect(zip(stored, stored.dropFirst()).allSatisfy { $0.end == $1.end - 1_000_000_000 }, "\(stored)")
        // Each of two stretches in a slot is rounded.
        #expect(stored.allSatisfy { $0.coverage == 1 && abs($0.energy - 200_000) <= 1 }, "\(stored)")
    }

    /// Whole slots behind the first reading's, but the newest.
    private func slots(_ store: StoredSlots) throws -> [(end: Int64, coverage: Double, energy: Int64)] {
        try store.query("SELECT end, coverage, consumed_mj FROM slot WHERE end > start ORDER BY end").map { row in
            func number(_ name: String) -> NSNumber { row[name] as? NSNumber ?? -1 }
            return (number("end").int64Value, number("coverage").doubleValue, number("consumed_mj").int64Value)
        }.dropFirst().dropLast()
    }
}
