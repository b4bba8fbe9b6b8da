import Foundation
import TestSupport
import Testing

/// A host with the mock, which must not notice anything, and an instance of the hostile adapter for each misdeed.
struct HostileHouse {
    let host: HostProcess
    let influx: InfluxServer
    let misdeeds: [Misdeed]
    private let witness: Witness
    /// Where the hostile adapter is dropped.
    let folder: TemporaryDirectory
    private let before: (descriptors: Int, threads: Int, anonymousKB: Int)

    static let secret = "0123456789-very-secret"

    /// - Parameters:
    ///   - folder: a directory of ADAPTER_PATH, or of the release, that the adapter is put into later.
    ///   - program: with a release directory of its own.
    init(_ misdeeds: [Misdeed], folder: TemporaryDirectory, program: URL? = nil) throws {
        self.misdeeds = misdeeds
        self.folder = folder
        influx = try InfluxServer()
        var settings = QuickMock.to(influx.url, api: "v1")
        settings["METER_TYPE"] = "mock," + misdeeds.indices.map { "hostile@m\($0)" }.joined(separator: ",")
        settings["INFLUXDB_PASSWORD_FILE"] = try folder.write("password", Self.secret).path
        if program == nil { settings["ADAPTER_PATH"] = folder.path }
        let data = try TemporaryDirectory("smart-meter-data")
        for (index, misdeed) in misdeeds.enumerated() {
            settings["HOSTILE__M\(index)__MISDEED"] = misdeed.name
            settings["HOSTILE__M\(index)__SAMPLE_SECONDS"] = "\(misdeed.sampleSeconds)"
        }
        settings["HOSTILE_INTERVAL_SECONDS"] = "1"
        settings["HOSTILE_PREY"] = Self.prey(data: data, folder: folder).joined(separator: ":")
        host = try HostProcess(settings, dataDirectory: data, program: program)
        try host.logs.write(".env", "INFLUXDB_USERNAME=\(Self.secret)\n")
        try host.waitForConsumption("the mock's reading") { $0["meter_type"] as? String == "mock" }
        witness = Witness(host.port, "/health")
        let host = host
        try waitUntil("some slots") { try StoredSlots(dataDirectory: data).slots().count >= 3 && host.isRunning }
        let facts = ProcessFacts(host.processID)
        before = (facts.descriptors, facts.threads, facts.anonymousKB)
    }

    /// What the adapter is to keep its hands off.
    static func prey(data: TemporaryDirectory, folder: TemporaryDirectory) -> [String] {
        [
            "/proc/PARENT/environ", "/proc/PARENT/mem", data.file("smart-meter.db").path, data.file("lock").path,
            folder.file("password").path, "/etc/shadow-of-nothing",
        ]
    }

    /// The lines of a misdeed's instance.
    func lines(_ index: Int, in log: String) -> [Substring] {
        log.split(separator: "\n").filter {
            $0.contains("instance=hostile@m\(index) ") || $0.hasSuffix("instance=hostile@m\(index)")
        }
    }

    /// Waits until all of them have done what they do.
    /// - Parameter words: what the lines of a misdeed's instance have to say.
    func waitForMisdeeds(_ words: (Misdeed) -> [String]) throws {
        func missing() -> [String] {
            let log = host.log
            return misdeeds.enumerated().flatMap { index, misdeed in
                let lines = lines(index, in: log)
                return words(misdeed).filter { word in !lines.contains { $0.contains(word) } }
                    .map { "\(misdeed.name): \($0)" }
            }
        }
        do {
            try waitUntil("what they do", within: 30) { missing().isEmpty }
        } catch {
            throw FixtureError("not seen: \(missing()); the log:\n\(host.log.suffix(6000))")
        }
    }

    /// Each of those that go on has been read well, again and again.
    func waitForThoseThatGoOn() throws {
        let names = misdeeds.indices.filter { misdeeds[$0].goesOn }.map { "hostile@m\($0)" }
        try host.waitForHealth("readings of \(names)", within: 30) { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            return names.allSatisfy { name in
                adapters.contains {
                    $0["instance"] as? String == name && $0["state"] as? String == "running"
                        && ($0["attempts"] as? Int ?? 0) >= 2 && $0["failures"] as? Int == 0
                }
            }
        }
    }

    /// The adapter is gone, and so is everything that it took.
    func waitForEverythingToBeBack() throws {
        let facts = ProcessFacts(host.processID)
        func state() -> String {
            "before: \(before); now: \(facts.descriptors) descriptors, \(facts.threads) threads, "
                + "\(facts.anonymousKB) KB, runners \(facts.runners); the log:\n\(host.log.suffix(4000))"
        }
        do {
            try waitUntil("everything to be back", within: 15) {
                facts.runners.isEmpty && facts.descriptors <= before.descriptors && facts.threads <= before.threads
                    && facts.anonymousKB < before.anonymousKB + 4 * 1024
            }
        } catch {
            throw FixtureError("\(error); \(state())")
        }
    }

    /// Nobody else has noticed anything: the mock's slots have no gap and are delivered, and each question was answered.
    func verifyTheRest() throws {
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        func slots() throws -> [StoredSlots.Slot] { try store.slots().filter { $0.meterType == "mock" } }
        let count = try slots().count
        // Some more: what was done may show later.
        try waitUntil("more slots") { try slots().count >= count + 3 }
        let slots = try slots()
        // The first is the first light, of length 0.
        let ends = slots.map(\.end).dropFirst()
        for (end, next) in zip(ends, ends.dropFirst()) {
            #expect(next - end == 1_000_000_000, "a gap at \(end)")
        }
        #expect(slots.allSatisfy { $0.totalPowerW != nil })
        try waitUntil("the delivery of all", within: 20) {
            try influx.points("smart_meter").filter { $0.tags["meter_type"] == "mock" }.map(\.time)
                .contains(slots.last?.end ?? 0)
        }
        let delivered = Set(try influx.points("smart_meter").map(\.time))
        #expect(slots.allSatisfy { delivered.contains($0.end) })
        let testimony = try witness.finish()
        #expect(testimony.failures.isEmpty, "\(testimony.failures.prefix(3)) of \(testimony.answers)")
        #expect(testimony.longestSeconds < 2)
        let health = try host.health()
        let mock = (health["adapters"] as? [[String: Any]] ?? []).first { $0["instance"] as? String == "mock" }
        #expect(mock?["failures"] as? Int == 0)
        #expect(!host.allLogs.contains(Self.secret))
    }

    func drop() throws { try CAdapter.build("hostile.c", as: "hostile.so", in: folder) }
    func remove() throws { try FileManager.default.removeItem(at: folder.file("hostile.so")) }
}
