import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Adapter files that the host cannot look at for want of something", .serialized)
struct WaitingFileTests {
    private let dropped: TemporaryDirectory

    init() throws {
        dropped = try TemporaryDirectory("dropped")
        try CAdapter.build(as: "constant.so", in: dropped)
    }

    private var settings: [String: String] {
        QuickMock.settings.merging([
            "METER_TYPE": "mock,constant", "ADAPTER_PATH": dropped.path, "CONSTANT_SAMPLE_SECONDS": "0.2",
            "CONSTANT_INTERVAL_SECONDS": "1",
        ]) { $1 }
    }

    private func fault(_ host: HostProcess) throws -> [String: Any]? {
        let problems = try host.health()["problems"] as? [[String: Any]] ?? []
        return problems.first { ($0["what"] as? String)?.contains("constant.so: ") == true }
    }

    /// By file.
    private func waiting(_ host: HostProcess) throws -> [String: [String: Any]] {
        let waits = try HTTP.get(host.port, "/api/v1/adapters").object()["waiting"] as? [[String: Any]] ?? []
        return Dictionary(waits.map { ($0["file"] as? String ?? "", $0) }) { first, _ in first }
    }

    private func waitForReadings(_ host: HostProcess) throws {
        try host.waitForHealth("readings of the adapter", within: 30) { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            return adapters.first { $0["instance"] as? String == "constant" }?["state"] as? String == "running"
                && (health["problems"] as? [Any])?.isEmpty == true
        }
    }

    private func lines(_ host: HostProcess, _ text: String) -> Int {
        host.log.split(separator: "\n").count { $0.contains(text) && $0.contains("constant.so") }
    }

    @Test("Where no process can be started it says so, tries again by itself, and runs the adapter once one can")
    func processes() throws {
        let shortage = try ProcessShortage(EAGAIN)
        let host = try HostProcess(settings.merging(shortage.settings) { $1 })
        try host.waitForHealth("the wait") { _ in (try? fault(host)) ?? nil != nil }
        let problem = try #require(try fault(host))
        let what = try #require(problem["what"] as? String)
        #expect(what.hasPrefix("adapter file waits for the host: "))
        #expect(what.hasSuffix("it could not be started: posix_spawn /proc/self/exe: Resource temporarily unavailable"))
        #expect((problem["todo"] as? String)?.contains("TasksMax") == true)
        let wait = try #require(try waiting(host)[dropped.file("constant.so").path])
        #expect(wait["since"] as? String == problem["since"] as? String)
        #expect((wait["todo"] as? String)?.contains("TasksMax") == true)
        // What needs no process goes on.
        try host.waitForConsumption("the mock's reading") { $0["meter_type"] as? String == "mock" }

        let listing = try host.command(["adapters"], within: 30)
        #expect(listing.output.contains("waits for the host: \(dropped.file("constant.so").path)"))
        #expect(!listing.output.contains("refused"))

        let tries = try shortage.refused
        try waitUntil("another try by itself", within: 30) { try shortage.refused > tries }
        #expect(lines(host, "adapter waits for the host") == 1)
        try shortage.set(0)
        try waitForReadings(host)
        #expect(try waiting(host).isEmpty)
        #expect(lines(host, "adapter waits for the host") == 1 && lines(host, "adapter waits no longer") == 1)
        #expect(lines(host, "adapter refused") == 0)
    }

    @Test("Where no descriptor is left for a process it waits, and runs the adapter once there are some")
    func descriptors() throws {
        let file = dropped.file("constant.so")
        let aside = dropped.file("aside")
        try FileManager.default.moveItem(at: file, to: aside)
        let host = try HostProcess(settings)
        // All files have been looked at.
        try host.waitForHealth("an adapter that is not there") {
            "\($0["problems"] ?? "")".contains("constant is waiting")
        }
        let inUse = Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(host.processID)/fd"))
        // Enough for a request, and not for a process.
        let most = (0...1000).filter { !inUse.contains("\($0)") }[8]
        func limit(_ number: Int) throws {
            let prlimit = try ChildProcess(
                "/usr/bin/prlimit", ["--pid=\(host.processID)", "--nofile=\(number):"], environment: [:],
                logs: host.logs, name: "prlimit")
            #expect(try prlimit.waitForEnd() == 0)
        }
        try limit(most)
        try FileManager.default.moveItem(at: aside, to: file)
        try host.waitForHealth("the wait") { _ in
            ((try? fault(host)) ?? nil)?["what"].map { "\($0)".contains("Too many open files") } ?? false
        }
        try limit(1024)
        try waitForReadings(host)
        #expect(lines(host, "adapter waits for the host") == 1 && lines(host, "adapter refused") == 0)
    }
}
