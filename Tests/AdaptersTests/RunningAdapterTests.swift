import Configuration
import Foundation
import Platform
import Readings
import TestSupport
import Testing

@testable import Adapters

/// An instance's life, with an adapter in C that behaves as each test wants it: in this process, and in one of its own,
/// without a difference.
@Suite(.serialized) struct RunningAdapterTests {
    private static let hostings = HostSettings.Isolation.allCases

    @Test(arguments: hostings) func `it reads at once and again on its schedule, and notes each attempt`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation))
        try waitUntil("three readings") { rig.status.counts.accepted >= 3 }
        #expect(rig.status.state == .running)
        #expect(rig.status.lastSuccess != nil)
        #expect(rig.status.failures == 0)
        #expect(rig.board.newest(of: 1)?.powers.consumptionW == 1000)
        #expect(rig.intake.take().count >= 3)
        #expect(rig.memory.value(StateKey.lastAttempt)?.count == 8)
        let hasEnded = rig.end()
        #expect(hasEnded)
        #expect(rig.status.state == .stopped)
        #expect(rig.log.contains("destroyed"))
    }

    @Test(arguments: hostings) func `a slow schedule is overtaken by a reading that is asked for`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation), sampling: Duration.hour)
        try waitUntil("the first reading") { rig.status.counts.accepted == 1 }
        rig.running.readNow()
        try waitUntil("the one that was asked for") { rig.status.counts.accepted == 2 }
    }

    @Test(arguments: hostings) func `no sample comes sooner after the last run's last attempt than the minimum`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let slow = try AdapterRig.slow(isolation)
        var writer = ByteWriter()
        writer.write(Clock.wall())
        let rig = try AdapterRig(slow, sampling: Duration.hour, state: [StateKey.lastAttempt: writer.bytes])
        try waitUntil("a next run that is far away") {
            rig.status.nextRun.map { $0 - Instant(nanoseconds: Clock.wall()) > 50 * Duration.second } ?? false
        }
        #expect(rig.status.attempts == 0)
    }

    @Test(arguments: hostings) func `a read that says it is well but emits nothing has failed`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation), settings: ["mode": "silent"])
        try rig.waitForState("backing_off")
        #expect(rig.status.lastError?.hasPrefix("no data") == true)
        #expect(rig.status.failures >= 1)
        #expect(rig.status.lastSuccess == nil)
    }

    @Test(arguments: hostings) func `what failed is tried again, and one success resets it`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation), settings: ["mode": "fails"])
        try waitUntil("two failures") { rig.status.consecutiveFailures >= 2 }
        #expect(rig.status.state == .backingOff("nobody is there"))
        try rig.openGate()
        rig.running.retryNow()
        try rig.waitForState("running")
        #expect(rig.status.consecutiveFailures == 0)
        #expect(rig.status.lastError == "unreachable: nobody is there")
        try waitUntil("the news of it") { rig.log.contains("adapter recovered") }
    }

    @Test(arguments: hostings) func `a start that fails is tried again until it works`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation), settings: ["mode": "start fails"])
        try rig.waitForState("backing_off")
        #expect(rig.status.counts.accepted == 0)
        try rig.openGate()
        rig.running.retryNow()
        try waitUntil("a reading") { rig.status.counts.accepted > 0 }
        #expect(rig.status.state == .running)
    }

    @Test(arguments: hostings) func `refused credentials wait for a changed setting, also where a reading is asked for`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation), settings: ["mode": "refused"])
        try rig.waitForState("needs_attention")
        #expect(rig.status.nextRun == nil)
        for _ in 0..<3 {
            rig.running.readNow()
            rig.running.clockChanged()
        }
        // Each attempt may lock the account: nothing but a changed setting causes one.
        #expect(throws: FixtureError.self) { try waitUntil("an attempt", within: 0.3) { rig.status.attempts > 1 } }
        rig.running.retryNow()
        try waitUntil("the attempt after the change") { rig.status.attempts == 2 }
    }

    @Test(arguments: hostings) func `a setting that the adapter refuses is said`(_ isolation: HostSettings.Isolation)
        throws
    {
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation), settings: ["mode": "misconfigured"])
        try rig.waitForState("misconfigured")
        #expect(rig.status.state.reason == "the setting mode makes no sense")
        let hasEnded = rig.end()
        #expect(hasEnded)
    }

    @Test(arguments: ["read hangs", "create hangs"])
    func `a call that does not return is given up, said once, and its instance never called again`(mode: String) throws
    {
        let rig = try AdapterRig(try AdapterRig.scripted(), settings: ["mode": mode])
        // Of another library: creates of one library wait for each other.
        let other = try AdapterRig(try AdapterRig.scripted())
        let look = try waitFor("the call") { rig.running.checkDeadline(now: Clock.monotonic()) }
        #expect(rig.status.state.word != "abandoned")
        for _ in 0..<2 { #expect(rig.running.checkDeadline(now: look + 1) == nil) }
        #expect(rig.status.state.word == "abandoned")
        #expect(rig.log.components(separatedBy: "adapter abandoned").count == 2)
        let hasEnded = rig.end(within: 0)
        #expect(!hasEnded)
        let before = other.status.counts.accepted
        try waitUntil("the other instance to go on") { other.status.counts.accepted > before + 1 }

        try rig.openGate()
        try waitUntil("the thread's end") { rig.end(within: 0) }
        #expect(rig.status.state.word == "abandoned")
        #expect(!rig.log.contains("destroyed"))
    }

    @Test(arguments: hostings) func `in stop readings and requests are closed, and small values are still kept`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let server = try FaultServer { _ in .reply(.init(200, "fine")) }
        let rig = try AdapterRig(try AdapterRig.scripted("scripted", isolation), settings: ["url": server.url])
        try rig.waitForState("running")
        let hasEnded = rig.end()
        #expect(hasEnded)
        #expect(rig.log.contains("in stop: emit 3, fetch 9, state 0, cancelled 1"), "\(rig.log)")
        #expect(rig.memory.value("cursor") == Array("9".utf8))
        #expect(server.count == 0)
    }

    @Test(arguments: hostings) func `a request that hangs is ended by stop`(_ isolation: HostSettings.Isolation) throws
    {
        let server = try FaultServer { _ in .hang }
        let rig = try AdapterRig(
            try AdapterRig.scripted("scripted", isolation), settings: ["mode": "fetches", "url": server.url])
        try waitUntil("the request") { server.count == 1 }
        let start = Clock.monotonic()
        let hasEnded = rig.end()
        #expect(hasEnded)
        #expect(Clock.monotonic() - start < Duration.second)
        #expect(rig.status.failures == 0)
    }

    @Test(arguments: hostings) func `requests beyond the day's ration are not made`(_ isolation: HostSettings.Isolation)
        throws
    {
        let server = try FaultServer { _ in .reply(.init(200, "fine")) }
        let rig = try AdapterRig(
            try AdapterRig.scripted("scripted", isolation), settings: ["mode": "fetches", "url": server.url],
            requestsPerDay: 2)
        // What is left of the day is spread over it; a person may be in a hurry.
        try waitUntil("a long pause") { rig.status.nextRun.map { $0 - .now > 10 * Duration.hour } ?? false }
        #expect(server.count == 1)
        #expect(rig.board.newest(of: 1)?.sampling == 15 * Duration.minute)
        // No failure, but a gap: people are told.
        #expect(rig.status.state.word == "running")
        let condition = "the day's ration of requests is used up: it is read again at 2"
        #expect(rig.status.condition?.hasPrefix(condition) == true)
        try waitUntil("the second request") {
            rig.running.readNow()
            return server.count == 2
        }
        try waitUntil("a third one, in vain") {
            rig.running.readNow()
            return rig.status.state.word == "backing_off"
        }
        #expect(server.count == 2)
        let words = "rationed: the day's ration of requests is used up; it goes on at 2"
        #expect(rig.status.lastError?.hasPrefix(words) == true)
        // Used at two in a row of hours at most, they come back a day later.
        try waitUntil("a day's pause") { rig.status.nextRun.map { $0 - .now > 22 * Duration.hour } ?? false }
        #expect(rig.status.rationLeft == 0)
        let stored = try #require(rig.memory.value(StateKey.ration))
        #expect(Ration(limit: 3, stored: stored).left(at: Instant(nanoseconds: Clock.wall())) == 1)
    }

    @Test(arguments: hostings) func `a push adapter's condition is its state, and its readings count as fetches`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try AdapterRig(try AdapterRig.scripted("pushing", isolation), settings: ["mode": "push"])
        try waitUntil("its reading") { rig.status.counts.accepted == 1 }
        try rig.waitForState("backing_off")
        #expect(rig.status.state.reason == "the line is dead")
        #expect(rig.status.attempts == 1)
        #expect(rig.status.lastSuccess != nil)
        let hasEnded = rig.end()
        #expect(hasEnded)
    }

    @Test(arguments: hostings) func `the release's mock runs from its own library`(_ isolation: HostSettings.Isolation)
        throws
    {
        let products = try ShelfRig.catalog(release: Checkout.products.path, isolation)
        let mock = try #require(products.adapter(ofType: "mock"), "refused: \(products.refused)")
        let rig = try AdapterRig(mock)
        let emission = try waitFor("a reading") { rig.board.newest(of: 1) }
        #expect(emission.powers.consumptionW ?? 0 > 0)
        #expect(emission.catalog.circuits.contains { $0.name == "HVAC" })
        let hasEnded = rig.end()
        #expect(hasEnded)
    }
}

extension AdapterRig {
    /// An adapter that may be read once a minute.
    fileprivate static func slow(_ isolation: HostSettings.Isolation) throws -> LoadedAdapter {
        let folder = try TemporaryDirectory("slow")
        try CAdapter.build("scripted.c", as: "slow.so", in: folder, macros: ["MINIMUM=60000000000"])
        guard let adapter = try ShelfRig.catalog(release: folder.path, isolation).adapter(ofType: "scripted") else {
            throw FixtureError("the slow adapter is refused")
        }
        return adapter
    }
}
