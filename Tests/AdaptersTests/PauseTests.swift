import Foundation
import Platform
import Readings
import TestSupport
import Testing

@testable import Adapters

/// A pause that a person asks for.
@Suite(.serialized) struct PauseTests {
    private let adapter: LoadedAdapter

    init() throws { adapter = try AdapterRig.scripted() }

    @Test func `an instance that is paused lets go of its meter, and takes it up again`() throws {
        let rig = try AdapterRig(adapter)
        try waitUntil("readings") { rig.status.counts.accepted >= 2 }
        rig.running.pause()
        try rig.waitForState("paused")
        #expect(rig.log.contains("destroyed"))
        #expect(rig.status.nextRun == nil && rig.status.failures == 0)
        #expect(rig.memory.value(StateKey.paused) != nil)
        let count = rig.status.counts.accepted
        rig.running.readNow()
        rig.running.retryNow()
        #expect(throws: FixtureError.self) {
            try waitUntil("a reading", within: 0.3) { rig.status.counts.accepted > count }
        }
        rig.running.resume()
        try waitUntil("readings again") { rig.status.counts.accepted >= count + 2 }
        #expect(rig.status.state == .running)
        #expect(rig.memory.value(StateKey.paused) == nil)
        let hasEnded = rig.end()
        #expect(hasEnded)
    }

    @Test func `a pause outlives a restart`() throws {
        let rig = try AdapterRig(adapter, state: [StateKey.paused: [1]])
        try rig.waitForState("paused")
        #expect(rig.status.attempts == 0 && !rig.log.contains("destroyed"))
        rig.running.resume()
        try waitUntil("a reading") { rig.status.counts.accepted > 0 }
        #expect(rig.memory.value(StateKey.paused) == nil)
    }

    @Test func `a pause ends a request that hangs, and that is no failure`() throws {
        let server = try FaultServer { _ in .hang }
        let rig = try AdapterRig(adapter, settings: ["mode": "fetches", "url": server.url])
        try waitUntil("the request") { server.count == 1 }
        let begin = Clock.monotonic()
        rig.running.pause()
        try rig.waitForState("paused")
        #expect(Clock.monotonic() - begin < Duration.second)
        #expect(rig.status.failures == 0)
    }

    @Test func `pauses and resumes in quick succession leave it as the last one wants it`() throws {
        let rig = try AdapterRig(adapter)
        try rig.waitForState("running")
        for _ in 0..<50 {
            rig.running.pause()
            rig.running.resume()
        }
        let count = rig.status.counts.accepted
        try waitUntil("readings") { rig.status.counts.accepted >= count + 3 }
        #expect(rig.status.state == .running)
        for _ in 0..<50 {
            rig.running.resume()
            rig.running.pause()
        }
        try rig.waitForState("paused")
        let hasEnded = rig.end()
        #expect(hasEnded)
        #expect(rig.status.state == .stopped)
    }

    @Test func `what is paused can be stopped, and what failed can be paused`() throws {
        let rig = try AdapterRig(adapter, settings: ["mode": "refused"])
        try rig.waitForState("needs_attention")
        rig.running.pause()
        try rig.waitForState("paused")
        let hasEnded = rig.end()
        #expect(hasEnded)
    }

    @Test func `the time since which it fails stays as the reasons change`() throws {
        let rig = try AdapterRig(adapter, settings: ["mode": "fails"], sampling: Duration.hour)
        try rig.waitForState("backing_off")
        let since = rig.status.since
        try waitUntil("another moment") { Clock.wall() > since.nanoseconds + Duration.second / 100 }
        rig.running.set(.backingOff("the answer is garbage"))
        #expect(rig.status.state.reason == "the answer is garbage")
        #expect(rig.status.since == since)
        rig.running.set(.running)
        #expect(rig.status.since > since)
    }

    @Test func `reads are counted by how long they took`() throws {
        var durations = ReadDurations()
        for milliseconds in [1, 5, 30, 700, 60_000] { durations.add(Int64(milliseconds) * Duration.millisecond) }
        #expect(durations.count == 5)
        #expect(durations.upTo == [2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4])
        #expect(abs(durations.sumSeconds - 60.736) < 1e-9)
        let rig = try AdapterRig(adapter)
        try waitUntil("reads") { rig.status.readDurations.count >= 2 }
    }
}
