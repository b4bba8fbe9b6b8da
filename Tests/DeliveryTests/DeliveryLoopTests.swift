import Readings
import Synchronization
import TestSupport
import Testing

@testable import Delivery
@testable import Storage

@Suite(.serialized) struct DeliveryLoopTests {
    @Test(arguments: [
        (FaultServer.Answer.reply(.json(401, #"{"error":"no"}"#)), DeliveryStatus.State.unauthorized),
        (.reply(.init(403)), .unauthorized),
        (.reply(.json(404, #"{"error":"database not found"}"#)), .missingBucket),
        (.reply(.init(400, "Client sent an HTTP request to an HTTPS server.")), .misconfigured),
        (.reply(.json(400, #"{"error":"missing db"}"#)), .misconfigured),
        (.reply(.init(302, headers: ["Location": "/login"])), .misconfigured),
        (.reply(.init(200, "<html>log in</html>")), .misconfigured),
        (.reply(.init(500)), .retrying),
        (.reply(.init(502, "<html>bad gateway</html>")), .retrying),
        (.reply(.init(503, headers: ["Retry-After": "0"])), .retrying),
        (.reply(.init(429)), .retrying),
        (.hang, .retrying),
        (.close, .retrying),
        (.raw("garbage\r\n\r\n"), .retrying),
        (.half(.init(500, "half an answer")), .retrying),
    ]) func `a fault of the server loses nothing and is said`(
        answer: FaultServer.Answer, state: DeliveryStatus.State
    ) throws {
        let server = try FaultServer { _ in answer }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<4)
        try rig.loop.start()
        try rig.wait("\(state)") { rig.loop.currentStatus.state == state }
        #expect(rig.loop.currentStatus.advice != nil)
        #expect(try rig.waitingSlots() == 3)
        #expect(try rig.rejected().isEmpty)
        server.setScript { _ in .reply(.init(204)) }
        rig.loop.reload()
        try rig.drain()
        #expect(try rig.waitingSlots() == 0)
        #expect(rig.loop.currentStatus.delivered == 3)
        #expect(rig.loop.currentStatus.rejected == 0)
    }

    @Test func `credentials that a reload brings are used from the next request on`() throws {
        let server = try FaultServer { _ in .reply(.init(204)) }
        let token = Mutex("old-token")
        let rig = try DeliveryRig(
            url: server.url,
            credentials: {
                InfluxCredentials(token: token.withLock { $0 }, username: nil, password: nil)
            })
        try rig.add(1..<2)
        try rig.loop.start()
        try rig.drain()
        token.withLock { $0 = "new-token" }
        rig.loop.reload()
        try rig.add(2..<3)
        rig.loop.wake()
        try rig.wait("the second slot") { try rig.waitingSlots() == 0 }
        #expect(server.requests.map { $0.headers["authorization"] } == ["Token old-token", "Token new-token"])
    }

    @Test func `three bad lines of a thousand are rejected with the server's words, and replayed`() throws {
        let bad: Set<Int> = [1, 500, 1000]
        let stored = Stored()
        let server = try FaultServer { request in
            let lines = request.text.split(separator: "\n").map(String.init)
            guard stored.refuses, lines.contains(where: { bad.contains(Self.power($0)) }) else {
                stored.add(lines)
                return .reply(.init(204))
            }
            return .reply(.json(400, #"{"error":"partial write: field type conflict"}"#))
        }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<1001)
        try rig.loop.start()
        try rig.drain()
        #expect(stored.powers == Set(1...1000).subtracting(bad))
        let rejected = try rig.rejected()
        #expect(Set(rejected.map { Self.power($0.line) }) == bad)
        #expect(rejected.allSatisfy { $0.reason.contains("field type conflict") })
        #expect(server.count < 100)

        stored.refuse(false)
        #expect(try rig.store.replayRejected() == 3)
        rig.loop.wake()
        try rig.wait("the three") { stored.powers == Set(1...1000) }
    }

    @Test func `a server that refuses each line in its own words is no reason to reject any`() throws {
        let server = try FaultServer { _ in .reply(.json(400, #"{"error":"bucket is paused"}"#)) }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<20)
        try rig.loop.start()
        try rig.wait("misconfigured") { rig.loop.currentStatus.state == .misconfigured }
        #expect(try rig.rejected().isEmpty)
        #expect(try rig.waitingSlots() == 19)
    }

    @Test func `a batch that is too large comes in smaller ones, and the size is remembered`() throws {
        let server = try FaultServer { .reply(.init($0.body.count > 4000 ? 413 : 204)) }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<301)
        try rig.loop.start()
        try rig.drain()
        #expect(rig.loop.currentStatus.delivered == 300)
        server.forgetRequests()
        try rig.add(301..<601)
        try rig.wait("the next") { rig.loop.currentStatus.delivered == 600 }
        #expect(server.requests.allSatisfy { $0.body.count <= 4000 })
    }

    @Test func `the newest goes first, and nothing is sent twice`() throws {
        let server = try FaultServer { _ in .reply(.init(204)) }
        let rig = try DeliveryRig(url: server.url, batchLines: 10)
        try rig.add(1..<101)
        try rig.loop.start()
        try rig.drain()
        let powers = server.requests.flatMap { $0.text.split(separator: "\n").map { Self.power(String($0)) } }
        #expect(powers == Array((1...100).reversed()))
    }

    @Test func `while a week of twenty circuits drains, what is new goes out with the next batch`() throws {
        let stored = Stored()
        let server = try FaultServer { request in
            stored.add(request.text.split(separator: "\n").filter { $0.hasPrefix("smart_meter,") }.map(String.init))
            return .late(0.01, .init(204))
        }
        let rig = try DeliveryRig(url: server.url, batchLines: 1000)
        try rig.addCircuits(20)
        let week = 7 * 288
        try rig.add(1..<(week + 1)) { slot in
            slot.circuits = (0..<20).map { number in
                var circuit = CircuitSlot(circuit: Int32(number), kind: .load)
                circuit.powerW = Double(number)
                return circuit
            }
        }
        try rig.loop.start()
        try rig.wait("the first batches") { server.count >= 5 }
        var worst = 0
        for live in 1...10 {
            let begin = server.count
            try rig.add((week + live)..<(week + live + 1))
            try rig.wait("live slot \(live)") { stored.powers.contains(week + live) }
            worst = max(worst, server.count - begin)
            #expect(try rig.waitingSlots() > 0, "the week still drains")
        }
        // One batch is under way, the next one has it; the third may be asked while we look.
        #expect(worst <= 3)
        try rig.wait("the week", within: 60) { rig.loop.currentStatus.delivered >= week * 21 + 10 }
        #expect(stored.powers == Set(1...(week + 10)))
    }

    @Test func `a correction made while the first version hangs is what the server ends with`() throws {
        let stored = Stored()
        let server = try FaultServer { request in
            stored.add(request.text.split(separator: "\n").map(String.init))
            return request.number == 1 ? .hang : .reply(.init(204))
        }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<2)
        try rig.loop.start()
        try rig.wait("the first") { server.count == 1 }
        try rig.add(1..<2) { $0.totalPowerW = 77 }
        try rig.drain()
        #expect(stored.last == 77)
        #expect(try rig.waitingSlots() == 0)
    }

    @Test func `of three lines the server takes two and asks for one again: that one alone goes again`() throws {
        let stored = Stored()
        let server = try FaultServer { request in
            let lines = request.text.split(separator: "\n").map(String.init)
            guard lines.contains(where: { Self.power($0) == 2 }) else {
                stored.add(lines)
                return .reply(.init(204))
            }
            // Only alone, and only at the second time.
            guard lines.count == 1 else { return .reply(.init(413)) }
            stored.add(lines)
            return .reply(.init(stored.count(of: 2) == 1 ? 503 : 204))
        }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<4)
        try rig.loop.start()
        try rig.drain()
        #expect([1, 2, 3].map(stored.count(of:)) == [1, 2, 1])
        #expect(rig.loop.currentStatus.delivered == 3)
        #expect(try rig.rejected().isEmpty)
    }

    @Test func `a slot that is damaged in the store is put aside and holds nothing up`() throws {
        let stored = Stored()
        let server = try FaultServer { request in
            stored.add(request.text.split(separator: "\n").map(String.init))
            return .reply(.init(204))
        }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<10)
        try rig.store.database.run("UPDATE slot SET circuits = x'FF' WHERE total_power_w = 5")
        try rig.loop.start()
        try rig.drain()
        #expect(stored.powers == Set(1..<10).subtracting([5]))
        #expect(try rig.rejected().map { $0.reason.contains("cannot be read") } == [true])
        #expect(try rig.waitingSlots() == 0)
    }

    @Test func `a token that changes in its file is read for the next try`() throws {
        let token = Token()
        let server = try FaultServer {
            .reply(.init($0.headers["authorization"] == "Token new" ? 204 : 401))
        }
        let rig = try DeliveryRig(url: server.url) { token.credentials }
        try rig.add(1..<2)
        try rig.loop.start()
        try rig.wait("unauthorized") { rig.loop.currentStatus.state == .unauthorized }
        token.set("new")
        try rig.drain()
    }

    @Test func `an outage is over in health as soon as the backlog moves`() throws {
        let server = try FaultServer { $0.number < 3 ? .reply(.init(401)) : .reply(.init(204)) }
        let rig = try DeliveryRig(url: server.url, batchLines: 1)
        try rig.add(1..<3)
        try rig.loop.start()
        // One is settled only when we say so: the other still waits.
        try waitUntil("the first") { rig.loop.currentStatus.delivered == 1 }
        #expect(rig.loop.currentStatus.state == .delivering)
        try rig.drain()
    }

    @Test func `stopping does not wait for a server that hangs`() throws {
        let server = try FaultServer { _ in .hang }
        let rig = try DeliveryRig(url: server.url)
        try rig.add(1..<2)
        try rig.loop.start()
        try rig.wait("a request") { server.count == 1 }
        rig.loop.stop()
        let start = ContinuousClock.now
        #expect(rig.loop.join(until: .max))
        #expect(ContinuousClock.now - start < .milliseconds(300))
    }

    // MARK: The servers' memory

    private static func power(_ line: String) -> Int {
        ParsedLine(line[...])?.fields["total_power_w"].flatMap { Int($0) } ?? -1
    }

    private final class Stored: Sendable {
        private let values = Mutex<(powers: [Int], refuses: Bool)>(([], true))
        func add(_ lines: [String]) { values.withLock { $0.powers += lines.map(DeliveryLoopTests.power) } }
        func refuse(_ refuses: Bool) { values.withLock { $0.refuses = refuses } }
        var refuses: Bool { values.withLock { $0.refuses } }
        var powers: Set<Int> { values.withLock { Set($0.powers) } }
        func count(of power: Int) -> Int { values.withLock { $0.powers.filter { $0 == power }.count } }
        var last: Int? { values.withLock { $0.powers.last } }
    }

    private final class Token: Sendable {
        private let value = Mutex("old")
        func set(_ token: String) { value.withLock { $0 = token } }
        var credentials: InfluxCredentials {
            InfluxCredentials(token: value.withLock { $0 }, username: nil, password: nil)
        }
    }
}
