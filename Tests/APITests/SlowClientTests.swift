import API
import Foundation
import Platform
import Readings
import TestSupport
import Testing

@Suite(.serialized) struct SlowClientTests {
    private static let second: Int64 = 1_000_000_000

    /// Sends a byte now and then, until the server hangs up. Answers after how many nanoseconds it did; nil = it did not.
    private static func drip(_ text: String, on connection: RawConnection, for seconds: Int64) -> Int64? {
        let begin = Clock.monotonic()
        for byte in text.utf8 {
            connection.send([byte])
            if connection.ends(within: 0.2) { return Clock.monotonic() - begin }
            if Clock.monotonic() - begin > seconds * second { return nil }
        }
        return nil
    }

    @Test func `a head that comes byte by byte is cut off`() throws {
        var limits = ServerLimits()
        limits.headSeconds = 1
        let server = try RunningServer(FakeHouse(), limits: limits)
        let head = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "x", count: 200))"
        let time = try #require(Self.drip(head, on: try server.connect(), for: 8))
        #expect((Self.second..<4 * Self.second).contains(time))
        #expect(try server.get("/health").status == 200)
    }

    @Test func `so is a second head on the same connection`() throws {
        var limits = ServerLimits()
        limits.headSeconds = 1
        let server = try RunningServer(FakeHouse(), limits: limits)
        let connection = try server.connect()
        connection.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(!connection.read(atLeast: 50).isEmpty)
        #expect(Self.drip("GET /health HTTP/1.1\r\nHost: localhost\r\n", on: connection, for: 8) != nil)
    }

    @Test func `so is a body`() throws {
        var limits = ServerLimits()
        limits.bodySeconds = 1
        let house = FakeHouse()
        let server = try RunningServer(house, limits: limits)
        let connection = try server.connect()
        connection.send(
            "POST /api/v1/adapters/mock/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        let body = String(repeating: "b", count: 100)
        let time = try #require(Self.drip(body, on: connection, for: 8))
        #expect(time < 4 * Self.second)
        #expect(house.seen.actions.isEmpty)
    }

    @Test func `so is an answer that is taken too slowly`() throws {
        var limits = ServerLimits()
        limits.answerSeconds = 2
        let house = FakeHouse()
        house.change { $0.periods = 2_000_000 }
        let server = try RunningServer(house, limits: limits)
        let connection = try server.connect()
        connection.send("GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let begin = Clock.monotonic()
        while !connection.hasEnded, Clock.monotonic() - begin < 10 * Self.second {
            _ = connection.read(atLeast: 1)
            _ = Poll.readable(-1, until: Clock.monotonic() + Self.second / 50)
        }
        #expect(connection.hasEnded)
        #expect(Clock.monotonic() - begin < 8 * Self.second)
    }

    @Test func `500 connections that never finish keep nobody waiting, and go`() throws {
        var limits = ServerLimits()
        limits.headSeconds = 2
        let server = try RunningServer(FakeHouse(), limits: limits)
        var slow: [RawConnection] = []
        for number in 0..<500 {
            let connection = try server.connect()
            connection.send(number.isMultiple(of: 2) ? "GET /health HTTP/1.1\r\nHost: l" : "POST /")
            slow.append(connection)
        }
        var slowest: Int64 = 0
        for _ in 0..<20 {
            let begin = Clock.monotonic()
            #expect(try server.get("/health").status == 200)
            slowest = max(slowest, Clock.monotonic() - begin)
        }
        #expect(slowest < Self.second)
        for connection in slow { _ = connection.readToEnd() }
        #expect(slow.allSatisfy { $0.hasEnded })
    }

    @Test func `who holds all the connections of an address shuts out itself alone`() throws {
        var limits = ServerLimits()
        limits.connections = 20
        limits.connectionsPerAddress = 10
        let server = try RunningServer(FakeHouse(), limits: limits)
        let held = try (0..<10).map { _ in
            let connection = try server.connect()
            connection.send("GET /he")
            return connection
        }
        // The eleventh is hung up on.
        let refused = try server.connect()
        refused.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(RawAnswer(refused.readToEnd()) == nil)
        let other = try RawConnection(port: server.server.port, from: "127.0.0.2")
        other.send("GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(RawAnswer(other.readToEnd())?.status == 200)
        withExtendedLifetime(held) {}
    }

    @Test func `oversize everything is refused, and the server goes on`() throws {
        let server = try RunningServer(FakeHouse())
        let long = String(repeating: "x", count: 20_000)
        #expect([0, 414].contains(try server.status("GET /\(long) HTTP/1.1\r\nHost: localhost\r\n\r\n")))
        #expect(try server.get("/health?\(long.prefix(5000))").status == 414)
        #expect([0, 431].contains(try server.status("GET /health HTTP/1.1\r\nHost: localhost\r\nX: \(long)\r\n\r\n")))
        let many = (0..<2000).map { "X-\($0): y\r\n" }.joined()
        #expect([0, 431].contains(try server.status("GET /health HTTP/1.1\r\nHost: localhost\r\n\(many)\r\n")))
        let method = try server.status("\(long) / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect([0, 400, 414, 501].contains(method), "\(method)")
        let huge = "POST /api/v1/adapters/mock/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
        #expect(try server.status(huge) == 413)
        #expect(try server.get("/health").status == 200)
    }
}

extension RunningServer {
    /// The status of a raw request's answer; 0 where the server hung up without one.
    func status(_ request: String) throws -> Int {
        let connection = try connect()
        connection.send(request)
        return RawAnswer(connection.readToEnd())?.status ?? 0
    }
}
