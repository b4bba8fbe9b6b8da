import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Adapters' processes that end, and what becomes of them", .serialized)
struct SupervisionTests {
    private let dropped: TemporaryDirectory

    init() throws { dropped = try TemporaryDirectory("dropped") }

    private func host(_ settings: [String: String]) throws -> HostProcess {
        try HostProcess(
            QuickMock.settings.merging(["ADAPTER_PATH": dropped.path]) { $1 }.merging(settings) { $1 })
    }

    /// When a line of the log was written, in seconds since 1970.
    private func time(of line: String) throws -> Double {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let stamp = try #require(line.split(separator: " ").first)
        return try #require(format.date(from: String(stamp))).timeIntervalSince1970
    }

    @Test("Each crash is one line, /health says how often, why and when it is tried again, with growing pauses")
    func backsOff() throws {
        try CAdapter.build("hostile.c", as: "hostile.so", in: dropped)
        let host = try host([
            "METER_TYPE": "mock,hostile", "HOSTILE_SAMPLE_SECONDS": "0.2", "HOSTILE_MISDEED": "crash in read",
        ])
        try host.waitForHealth("the third crash") { health in
            let problems = (health["problems"] as? [[String: Any]] ?? []).compactMap { $0["what"] as? String }
            let words = problems.first {
                $0.hasPrefix("hostile is restarting: crashed 3 times, last: SIGSEGV in read() at ")
            }
            return health["status"] as? String == "degraded"
                && words?.range(of: #", retrying in [34] s$"#, options: .regularExpression) != nil
        }
        let crashes = host.log.split(separator: "\n").filter { $0.contains("adapter crashed") }.map(String.init)
        #expect(crashes.count == 3)
        let times = try crashes.map(time)
        let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
        // Jitter shortens by a quarter at most.
        #expect((0.7...1.5).contains(pauses[0]))
        #expect((1.4...2.7).contains(pauses[1]))
        #expect(host.log.components(separatedBy: "adapter restarted").count == 3)
    }

    @Test(
        "From a SIGSEGV to an adapter that runs again it takes less than 1.5 s",
        arguments: 0..<max(1, Checkout.rounds / 2))
    func restarts(_ round: Int) throws {
        try CAdapter.build(as: "constant.so", in: dropped)
        let host = try host(["METER_TYPE": "mock,constant", "CONSTANT_SAMPLE_SECONDS": "0.2"])
        let facts = ProcessFacts(host.processID)
        let runner = try waitFor("its process") { facts.runner(of: "constant") }
        try host.waitForHealth("a reading") { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            return adapters.contains { $0["instance"] as? String == "constant" && $0["last_success"] is String }
        }
        let begin = Date().timeIntervalSince1970
        #expect(kill(runner, SIGSEGV) == 0)
        let line = try host.waitForLog("adapter restarted instance=constant")
        #expect(try time(of: line) - begin < 1.5)
        try host.waitForLog("adapter recovered instance=constant")
        #expect(try #require(facts.runner(of: "constant")) != runner)
    }

    @Test("A host that is killed takes its adapters with it, and the next run what those had started")
    func hostIsKilled() throws {
        try CAdapter.build("hostile.c", as: "hostile.so", in: dropped)
        let host = try host([
            "METER_TYPE": "mock,hostile,hostile@x", "ADAPTER_ISOLATION": "always", "HOSTILE__X__MISDEED": "forks",
        ])
        let facts = ProcessFacts(host.processID)
        try waitUntil("their processes") {
            facts.runner(of: "hostile") != nil && facts.runner(of: "mock") != nil && facts.runners.count >= 103
        }
        host.kill9()
        try waitUntil("the ends of those that the host had started") { facts.runners.count == 100 }
        try host.start()
        try waitUntil("the ends of the rest") { facts.runners.isEmpty }
    }

    @Test("A host that stops waits for no adapter that does not return")
    func hostStops() throws {
        try CAdapter.build("hostile.c", as: "hostile.so", in: dropped)
        let host = try host(["METER_TYPE": "mock,hostile", "HOSTILE_MISDEED": "sleep", "HOSTILE_SAMPLE_SECONDS": "15"])
        try host.waitForLog("sleeps instance=hostile")
        let facts = ProcessFacts(host.processID)
        #expect(facts.runner(of: "hostile") != nil)
        #expect(try #require(host.terminate()) < 2)
        #expect(host.exitCode == 0)
        #expect(host.log.contains("adapter did not end well instance=hostile"))
        #expect(facts.runners.isEmpty)
    }

    @Test(
        "After three runs in ten minutes that did not end in order every adapter gets a process of its own, and no longer"
    )
    func uncleanExits() throws {
        let clock = try TestClock(1_800_000_000)
        let host = try host(["METER_TYPE": "mock"].merging(clock.settings) { $1 })
        for round in 1...4 {
            let line = try host.waitForLog("adapter started instance=mock")
            #expect(line.contains(round < 4 ? "isolated=false" : "isolated=true"))
            if round < 4 {
                host.kill9()
                try host.start()
            }
        }
        try host.waitForLog("3 runs in ten minutes did not end in order: every adapter has a process of its own")
        try host.waitForHealth("the note of it") { health in
            (health["problems"] as? [[String: Any]] ?? []).contains {
                ($0["what"] as? String)?.contains("did not end in order") == true
            }
        }
        #expect(try #require(host.terminate()) < 2)
        try clock.set(1_800_000_700)
        try host.start()
        #expect(try host.waitForLog("adapter started instance=mock").contains("isolated=false"))
    }
}
