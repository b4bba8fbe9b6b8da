import Foundation
import TestSupport
import Testing

@Suite("Power cuts, on a disk that loses what was not synced", .serialized)
struct PowerCutTests {
    @Test("What was accepted is there, the store opens, and it is sound")
    func cuts() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let folder = try TemporaryDirectory("ledger")
        try CAdapter.build("ledger.c", as: "ledger.so", in: folder)
        let shim = try Shim.build("powercut.c", in: folder)
        let data = try TemporaryDirectory("smart-meter-data")
        // An adapter in a process of its own makes no files.
        try folder.write("book", "")
        let settings = [
            "METER_TYPE": "ledger", "LEDGER_FILE": folder.file("book").path, "LEDGER_SAMPLE_SECONDS": "0.1",
            "LEDGER_INTERVAL_SECONDS": "1", "LEDGER_ACKNOWLEDGE": "true", "ADAPTER_PATH": folder.path,
        ]
        // Twenty cuts in make test, two hundred in make soak.
        for round in 1...(Checkout.rounds * 4) {
            let acknowledged = try book(folder).count
            // A start alone writes some dozens of times, a reading three or four: from the first on, in later ones more.
            let limit = Int.random(in: 1...(round % 4 == 0 ? 1500 : 250), using: &random)
            let host = try HostProcess(
                settings.merging([
                    "LD_PRELOAD": shim.path, "POWERCUT_DIR": data.path, "POWERCUT_AFTER": "\(limit)",
                    "POWERCUT_SEED": "\(UInt64.random(in: 1...(1 << 60), using: &random))",
                ]) { $1 }, dataDirectory: data)
            try waitUntil("the cut after \(limit) writes", within: 60) { !host.isRunning }
            #expect(host.exitCode == 137, "seed \(seed), round \(round): \(host.log.suffix(2000))")
            try check(folder, data, "seed \(seed), round \(round), \(limit) writes")
            if limit == 1500 { #expect(try book(folder).count > acknowledged) }
        }
        #expect(try book(folder).count > Checkout.rounds, "readings were acknowledged between the cuts")

        // Nothing of it keeps a host from going on.
        let host = try HostProcess(settings, dataDirectory: data)
        let acknowledged = try book(folder).count
        try waitUntil("readings; the log:\n\(host.log.suffix(2000))", within: 20) {
            try book(folder).count > acknowledged + 20
        }
        #expect(try host.command(["outbox", "verify"]).status == 0)
        #expect(!host.log.contains("damaged"))
        #expect(try #require(host.terminate()) < 2)
    }

    /// Each acknowledged reading is in a slot, or waits among the emissions for its slot to be final.
    private func check(_ folder: TemporaryDirectory, _ data: TemporaryDirectory, _ comment: String) throws {
        let store = StoredSlots(dataDirectory: data)
        guard FileManager.default.fileExists(atPath: data.file("smart-meter.db").path) else {
            return #expect(try book(folder).isEmpty, "\(comment)")
        }
        #expect(try store.isSound(), "\(comment)")
        let acknowledged = try book(folder)
        // A cut in the first moments may leave a store without tables.
        guard let newest = acknowledged.last else { return }
        let kept = Set(
            try store.query("SELECT timestamp FROM emission").compactMap { ($0["timestamp"] as? NSNumber)?.int64Value })
        let oldest = try #require(kept.min(), "\(comment)")
        let missing = acknowledged.filter { $0 >= oldest && !kept.contains($0) }
        #expect(missing.count == 0, "\(comment)")
        #expect(newest >= oldest, "\(comment)")
        // What is no longer kept is final: its slots are there.
        let final = acknowledged.filter { $0 < oldest }.suffix(500)
        let ends = Set(try store.slots().filter { $0.totalPowerW != nil }.map(\.end))
        let second: Int64 = 1_000_000_000
        #expect(final.allSatisfy { ends.contains(($0 + second - 1) / second * second) }, "\(comment)")
    }

    /// Timestamps of the readings that were acknowledged.
    private func book(_ folder: TemporaryDirectory) throws -> [Int64] {
        guard let text = try? String(contentsOf: folder.file("book"), encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { $0.split(separator: " ").first.flatMap { Int64($0) } }
    }
}
