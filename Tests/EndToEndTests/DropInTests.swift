import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Adapters that come, change and go while the host runs", .serialized)
struct DropInTests {
    private let dropped: TemporaryDirectory

    init() throws { dropped = try TemporaryDirectory("dropped") }

    /// A host that waits for the type `constant` beside the mock.
    private func host(_ settings: [String: String] = [:]) throws -> HostProcess {
        let own = [
            "METER_TYPE": "mock,constant", "ADAPTER_PATH": dropped.path, "CONSTANT_SAMPLE_SECONDS": "0.2",
            "CONSTANT_INTERVAL_SECONDS": "1",
        ]
        let host = try HostProcess(QuickMock.settings.merging(own) { $1 }.merging(settings) { $1 })
        try host.waitForConsumption("the mock's reading") { $0["meter_type"] as? String == "mock" }
        return host
    }

    private func adapter(_ host: HostProcess, _ instance: String) throws -> [String: Any]? {
        (try host.health()["adapters"] as? [[String: Any]] ?? []).first { $0["instance"] as? String == instance }
    }

    private func wait(_ host: HostProcess, for state: String, within seconds: Double = 5) throws {
        try host.waitForHealth("constant to be \(state)", within: seconds) { _ in
            (try? adapter(host, "constant"))??["state"] as? String == state
        }
    }

    /// Compiled elsewhere, and moved in one step.
    private func drop(_ macros: [String] = [], as name: String = "constant.so") throws {
        let elsewhere = try TemporaryDirectory("made")
        try CAdapter.build(as: name, in: elsewhere, macros: macros)
        #expect(unsafe rename(elsewhere.file(name).path, dropped.file(name).path) == 0)
    }

    @Test(
        "A file that is dropped in is read from within 2 s, one that is taken away is let go, and the mock never stops")
    func comesAndGoes() throws {
        let host = try host()
        try wait(host, for: "waiting")
        let mock = try #require(try adapter(host, "mock")?["since"] as? String)
        for _ in 0..<2 {
            let begin = ContinuousClock.now
            try drop()
            try wait(host, for: "running")
            #expect(ContinuousClock.now - begin < .seconds(2))
            try FileManager.default.removeItem(at: dropped.file("constant.so"))
            try wait(host, for: "waiting")
        }
        #expect(try adapter(host, "mock")?["since"] as? String == mock)
        #expect(try adapter(host, "mock")?["failures"] as? Int == 0)
        // Its history went on where it was.
        let numbers = try StoredSlots(dataDirectory: host.dataDirectory).query(
            "SELECT count(*) AS n FROM instance WHERE meter_type = 'constant'")
        #expect((numbers.first?["n"] as? NSNumber)?.intValue == 1)
        // What is left are the copies of the release's own.
        let release = try FileManager.default.contentsOfDirectory(atPath: Checkout.products.path).filter {
            $0.hasPrefix("libsmartmeter-") && $0.hasSuffix(".so")
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: host.dataDirectory.file("adapters").path).count
                == release.count)
    }

    @Test("A file that is replaced reloads that adapter alone; where the new one is bad, the one before goes on")
    func isReplaced() throws {
        try drop(["VERSION=\"1.0\""])
        let host = try host()
        try wait(host, for: "running")
        try drop(["VERSION=\"2.0\""])
        let line = try host.waitForLog("adapter reconfigured")
        #expect(line.contains("instance=constant") && line.contains("version=2.0"))
        try wait(host, for: "running")
        let since = try #require(try adapter(host, "constant")?["since"] as? String)

        try dropped.write("constant.so", "not a library")
        try host.waitForHealth("the refused file") { health in
            let problems = health["problems"] as? [[String: Any]] ?? []
            return problems.contains {
                ($0["what"] as? String)?.contains("constant.so: it is not a shared library") == true
            }
        }
        try host.waitForLog("adapter refused")
        #expect(try adapter(host, "constant")?["since"] as? String == since)
        let attempts = try #require(try adapter(host, "constant")?["attempts"] as? Int)
        try host.waitForHealth("more readings") { _ in
            ((try? adapter(host, "constant"))??["attempts"] as? Int ?? 0) > attempts + 2
        }
        // Tried again once it changes.
        try drop(["VERSION=\"3.0\""])
        try host.waitForLog("version=3.0")
        try host.waitForHealth("nothing that is wrong") { ($0["problems"] as? [Any])?.isEmpty == true }
    }

    @Test("A file that is still being written is not tried")
    func isWritten() throws {
        let elsewhere = try TemporaryDirectory("made")
        let bytes = try Data(contentsOf: CAdapter.build(as: "constant.so", in: elsewhere))
        let host = try host()
        #expect(FileManager.default.createFile(atPath: dropped.file("constant.so").path, contents: nil))
        let file = try FileHandle(forWritingTo: dropped.file("constant.so"))
        for start in stride(from: 0, to: bytes.count, by: 2048) {
            try file.write(contentsOf: bytes[start..<min(start + 2048, bytes.count)])
            // Longer than a directory has to be quiet.
            if start < 8192 { usleep(400_000) }
        }
        #expect(try adapter(host, "constant")?["state"] as? String == "waiting")
        try file.close()
        try wait(host, for: "running")
        #expect(!host.log.contains("adapter refused"))
    }

    @Test("With METER_TYPE=all what is dropped in starts by itself, and the house stays the house")
    func all() throws {
        try drop(["METER_TYPE_NAME=\"zeta\""], as: "zeta.so")
        let host = try HostProcess([
            "METER_TYPE": "all", "ADAPTER_PATH": dropped.path, "FETCH_INTERVAL_SECONDS": "1",
        ])
        try host.waitForConsumption("the first one") { $0["meter_type"] as? String == "zeta" }
        try drop(["METER_TYPE_NAME=\"alpha\""], as: "alpha.so")
        try host.waitForHealth("the second one") { _ in
            (try? adapter(host, "alpha"))??["state"] as? String == "running"
        }
        #expect(try host.consumption()?["meter_type"] as? String == "zeta")
        try FileManager.default.removeItem(at: dropped.file("alpha.so"))
        try host.waitForHealth("its end") { health in (health["adapters"] as? [Any])?.count == 1 }
        #expect(ProcessFacts(host.processID).runners.count == 1)
    }

    @Test("A directory that comes later is found, and one that is made anew")
    func directoryComes() throws {
        let place = dropped.file("later")
        let host = try host(["ADAPTER_PATH": place.path])
        try host.waitForLog("there is no such directory")
        for _ in 0..<2 {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
            #expect(unsafe chmod(place.path, 0o755) == 0)
            try drop()
            #expect(unsafe rename(dropped.file("constant.so").path, place.appendingPathComponent("c.so").path) == 0)
            try wait(host, for: "running")
            try FileManager.default.removeItem(at: place)
            try wait(host, for: "waiting")
        }
    }

    @Test("A directory that cannot be read for a while ends nobody")
    func directoryFails() throws {
        try drop()
        let links = try TemporaryDirectory("links")
        let link = links.file("adapters").path
        #expect(unsafe symlink(dropped.path, link) == 0)
        let host = try host(["ADAPTER_PATH": link])
        try wait(host, for: "running")
        let since = try #require(try adapter(host, "constant")?["since"] as? String)
        // A link to itself: neither there nor not there.
        #expect(unsafe unlink(link) == 0)
        #expect(unsafe symlink("adapters", link) == 0)
        host.signal(SIGHUP)
        try host.waitForLog("the directory cannot be read: ")
        #expect(unsafe unlink(link) == 0)
        #expect(unsafe symlink(dropped.path, link) == 0)
        try host.waitForHealth("nothing that is wrong") { ($0["problems"] as? [Any])?.isEmpty == true }
        #expect(try adapter(host, "constant")?["since"] as? String == since)
    }

    @Test("An adapter of the release that is replaced is loaded anew on SIGHUP, in the host's process")
    func releaseIsReplaced() throws {
        let prefix = try InstalledPrefix()
        let host = try HostProcess(QuickMock.settings, program: prefix.program)
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        try prefix.addMock()
        host.signal(SIGHUP)
        try host.waitForLog("adapter replaced")
        try host.waitForLog("adapter reconfigured")
        try host.waitForHealth("readings of the new one") { _ in
            let mock = (try? adapter(host, "mock")) ?? nil
            return mock?["state"] as? String == "running" && mock?["failures"] as? Int == 0
        }
        #expect(ProcessFacts(host.processID).runners.isEmpty)
    }
}
