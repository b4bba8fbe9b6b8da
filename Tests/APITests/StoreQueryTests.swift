import API
import Foundation
import Platform
import Readings
import TestSupport
import Testing

@Suite(.serialized) struct StoreQueryTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `a slow query keeps nobody waiting who does not need the store`() throws {
        let house = FakeHouse()
        house.change { state in
            state.periods = 40
            state.pause = Self.second / 20
        }
        let server = try RunningServer(house)
        let slow = try server.connect()
        slow.send("GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try house.waitForHistories(1)
        for _ in 0..<20 {
            let begin = Clock.monotonic()
            #expect(try server.get("/health").status == 200)
            #expect(Clock.monotonic() - begin < Self.second / 4)
        }
        let answer = try #require(RawAnswer(slow.readToEnd()))
        let json = try #require(RawAnswer.unchunked(answer))
        #expect((json["periods"] as? [Any])?.count == 40)
    }

    @Test func `queries have their turns: a short one does not wait for a long one's end`() throws {
        let house = FakeHouse()
        house.change { state in
            state.periods = 1000
            state.pause = Self.second / 100
        }
        let server = try RunningServer(house)
        let long = try server.connect()
        long.send("GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try house.waitForHistories(1)
        let begin = Clock.monotonic()
        #expect(try server.get("/api/v1/phantom").status == 200)
        #expect(Clock.monotonic() - begin < 2 * Self.second)
    }

    @Test func `a long answer comes in pieces and is whole`() throws {
        let house = FakeHouse()
        house.change { $0.periods = 20_000 }
        let answer = try RunningServer(house).get("/api/v1/history?circuit=a&circuit=b")
        #expect(answer.headers["transfer-encoding"] == "chunked")
        let json = try #require(RawAnswer.unchunked(answer))
        let periods = try #require(json["periods"] as? [[String: Any]])
        #expect(periods.count == 20_000)
        #expect(periods.last?["power_w"] as? [Double] == [19_999.5, 19_999.5])
        #expect((json["series"] as? [[String: Any]])?.map { $0["id"] as? String } == ["a", "b"])
    }

    @Test func `a short answer has its length`() throws {
        let answer = try RunningServer(FakeHouse()).get("/api/v1/history")
        #expect(answer.headers["content-length"] == "\(answer.body.utf8.count)")
        #expect((answer.json["periods"] as? [Any])?.count == 3)
    }

    @Test func `a store that fails is a problem, and amid an answer ends the connection without its end`() throws {
        let house = FakeHouse()
        house.change { $0.failsAfter = 0 }
        let server = try RunningServer(house)
        let answer = try server.get("/api/v1/history")
        #expect(answer.status == 503)
        #expect((answer.json["detail"] as? String)?.contains("disk") == true)
        house.change { state in
            state.periods = 20_000
            state.failsAfter = 10_000
        }
        let broken = try server.get("/api/v1/history")
        #expect(broken.status == 200)
        #expect(!broken.body.hasSuffix("0\r\n\r\n"))
        #expect(try server.get("/live").status == 200)
    }

    @Test func `more than a few queries at once are told to come back, and those that end make room`() throws {
        var limits = ServerLimits()
        limits.queries = 2
        let house = FakeHouse()
        house.change { state in
            state.periods = 10
            state.pause = Self.second / 20
        }
        let server = try RunningServer(house, limits: limits)
        let busy = try (0..<2).map { _ in
            let connection = try server.connect()
            connection.send("GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection
        }
        try house.waitForHistories(1)
        let refused = try server.get("/api/v1/phantom")
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] == "2")
        for connection in busy { #expect(RawAnswer(connection.readToEnd())?.status == 200) }
        #expect(try server.get("/api/v1/phantom").status == 200)
    }

    @Test func `slow readers of one address leave places for others`() throws {
        var limits = ServerLimits()
        limits.queries = 3
        limits.queriesPerAddress = 2
        let house = FakeHouse()
        house.change { $0.periods = 10_000_000 }
        let server = try RunningServer(house, limits: limits)
        let slow = try (0..<2).map { _ in
            let connection = try server.connect()
            connection.send("GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = connection.read(atLeast: 1)
            return connection
        }
        #expect(try server.get("/api/v1/phantom").status == 503)
        let other = try RawConnection(port: server.server.port, from: "127.0.0.2")
        other.send("GET /api/v1/phantom HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(RawAnswer(other.readToEnd())?.status == 200)
        withExtendedLifetime(slow) {}
    }

    @Test func `a client that leaves amid its answer is forgotten`() throws {
        var limits = ServerLimits()
        limits.queries = 1
        let house = FakeHouse()
        house.change { $0.periods = 10_000_000 }
        let server = try RunningServer(house, limits: limits)
        for round in 1...5 {
            do {
                let connection = try server.connect()
                connection.send("GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = connection.read(atLeast: 1000)
            }
            try house.waitForHistories(round)
            try waitUntil("the place of the one that left") { try server.get("/api/v1/phantom").status == 200 }
        }
    }

    @Test func `stop does not wait for a query`() throws {
        let house = FakeHouse()
        house.change { state in
            state.periods = 1_000_000
            state.pause = Self.second / 100
        }
        let server = try RunningServer(house)
        let open = try (0..<3).map { _ in
            let connection = try server.connect()
            connection.send("GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection
        }
        try house.waitForHistories(1)
        let begin = Clock.monotonic()
        server.server.stop()
        #expect(server.server.join(until: begin + Self.second))
        withExtendedLifetime(open) {}
    }
}

extension FakeHouse {
    /// Until so many histories were asked for.
    func waitForHistories(_ count: Int) throws {
        try waitUntil("\(count) histories to be asked for") { seen.asked.count >= count }
    }
}

extension RawAnswer {
    /// The JSON of a chunked body.
    static func unchunked(_ answer: RawAnswer) -> [String: Any]? {
        var rest = Substring(answer.body)
        var body = ""
        guard answer.headers["transfer-encoding"] == "chunked" else { return answer.json }
        while let end = rest.range(of: "\r\n"), let count = Int(rest[..<end.lowerBound], radix: 16) {
            guard count > 0 else { return try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] }
            let bytes = rest[end.upperBound...].utf8
            guard bytes.count >= count + 2 else { return nil }
            body += String(bytes.prefix(count)) ?? ""
            rest = Substring(bytes.dropFirst(count + 2))
        }
        return nil
    }
}
