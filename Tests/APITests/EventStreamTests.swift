import API
import Foundation
import Platform
import Readings
import TestSupport
import Testing

@Suite(.serialized) struct EventStreamTests {
    private static let second: Int64 = 1_000_000_000

    private static func reading(_ watts: Double, at offset: Int64 = 0) -> ReadingReport {
        var reading = ReadingReport(
            instance: "mock", meterType: "mock", timestamp: FakeHouse.noon + offset, totalIs: .consumption)
        reading.totalPowerW = watts
        return reading
    }

    private static func follow(_ server: RunningServer) throws -> EventClient {
        let client = EventClient(of: server, try server.connect())
        client.connection.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client
    }

    @Test func `a client gets a snapshot of everything, and then what changes`() throws {
        let house = FakeHouse(readings: [Self.reading(100)])
        house.change { state in
            state.alerts = [
                AlertReport(
                    id: "a", instance: "mock", kind: "high_consumption", start: FakeHouse.noon, end: nil, peakW: 9,
                    detail: "")
            ]
            state.adapters = [
                AdapterReport(
                    instance: "mock", meterType: "mock", isHouse: true, state: "running", since: FakeHouse.noon)
            ]
        }
        let client = try Self.follow(try RunningServer(house))
        let first = try client.next()
        #expect(first.type == "snapshot")
        let readings = try #require(first.data["readings"] as? [[String: Any]])
        #expect(readings.map { $0["total_power_w"] as? Double } == [100])
        #expect((first.data["alerts"] as? [[String: Any]])?.first?["id"] as? String == "a")
        #expect((first.data["adapters"] as? [[String: Any]])?.first?["state"] as? String == "running")
        #expect((first.data["health"] as? [String: Any])?["status"] as? String == "healthy")

        house.change { $0.readings = [Self.reading(200, at: Duration.second)] }
        let second = try client.next()
        #expect(second.type == "reading" && second.data["total_power_w"] as? Double == 200)

        house.change { state in
            state.alerts[0].end = FakeHouse.noon + Duration.minute
            state.adapters[0].state = "backing_off"
            state.delivery = DeliveryReport(state: "retrying")
            state.health.problems = [.init(.degraded, what: "it fails", todo: "mend it")]
        }
        let others = try (0..<4).map { _ in try client.next() }
        #expect(Set(others.map(\.type)) == ["alert", "adapter", "delivery", "health"])
        #expect(others.first { $0.type == "alert" }?.data["state"] as? String == "ended")
        #expect(others.first { $0.type == "health" }?.data["status"] as? String == "degraded")
    }

    @Test func `what has become stale is told again, and what has not changed is not`() throws {
        let house = FakeHouse(readings: [Self.reading(100)])
        let client = try Self.follow(try RunningServer(house))
        _ = try client.next()
        house.change { _ in }
        house.change { $0.readings[0].isStale = true }
        let event = try client.next()
        #expect(event.type == "reading" && event.data["stale"] as? Bool == true)
    }

    @Test func `what a new client's snapshot has the others hear, too`() throws {
        let house = FakeHouse(readings: [Self.reading(1)])
        let server = try RunningServer(house)
        let first = try Self.follow(server)
        _ = try first.next()
        // A moment after the last look: the second client comes before the next one.
        house.change { $0.readings = [Self.reading(2, at: Duration.second)] }
        let second = try Self.follow(server)
        let readings = try second.next().data["readings"] as? [[String: Any]]
        #expect(readings?.first?["total_power_w"] as? Double == 2)
        #expect(try first.next().data["total_power_w"] as? Double == 2)
    }

    @Test func `many readings become few events, the newest among them`() throws {
        let house = FakeHouse(readings: [Self.reading(0)])
        let client = try Self.follow(try RunningServer(house))
        _ = try client.next()
        for step in 1...200 {
            house.change { $0.readings = [Self.reading(Double(step), at: Int64(step) * Duration.second)] }
            _ = Poll.readable(-1, until: Clock.monotonic() + Self.second / 200)
        }
        var count = 0
        var newest: Double?
        while newest != 200 {
            newest = try client.next().data["total_power_w"] as? Double
            count += 1
        }
        #expect(count < 20, "\(count) events")
    }

    /// Seconds from noon to the time that an event tells.
    private static func time(_ event: EventClient.Event) throws -> Double {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let date = try format.parse(try #require(event.data["time"] as? String))
        return date.timeIntervalSince1970 - Double(FakeHouse.noon.seconds)
    }

    @Test func `the time of the house is told at first, and when its clock was set`() throws {
        let house = FakeHouse()
        let client = try Self.follow(try RunningServer(house))
        let first = try Self.time(try client.next())
        #expect((0..<30).contains(first))
        house.change { $0.clockShift = -Duration.hour }
        let second = try client.next()
        #expect(second.type == "clock")
        #expect((first - 3600..<first - 3570).contains(try Self.time(second)))
    }

    @Test func `the time of the house is told now and then`() throws {
        var limits = ServerLimits()
        limits.eventClockSeconds = 1
        let client = try Self.follow(try RunningServer(FakeHouse(), limits: limits))
        var before = try Self.time(try client.next())
        for _ in 0..<2 {
            let event = try client.next()
            let time = try Self.time(event)
            #expect(event.type == "clock" && (before + 0.9..<before + 30).contains(time), "\(time) after \(before)")
            before = time
        }
    }

    @Test func `without news there is a sign of life`() throws {
        var limits = ServerLimits()
        limits.eventSignSeconds = 1
        let client = try Self.follow(try RunningServer(FakeHouse(), limits: limits))
        _ = try client.next()
        #expect(client.connection.read(atLeast: 1).starts(with: Array(": still here\n\n".utf8)))
    }

    @Test func `a client that does not read is dropped, and the others hear everything`() throws {
        var limits = ServerLimits()
        limits.idleSeconds = 2
        // Each event is some 100 KB: the sockets' buffers are full after a few.
        var large = Self.reading(0)
        large.circuits = (0..<500).map { .init(id: "c\($0)", name: "Circuit \($0)", powerW: 1, percentage: nil) }
        let house = FakeHouse(readings: [large])
        let server = try RunningServer(house, limits: limits)
        let idle = try Self.follow(server)
        let client = try Self.follow(server)
        _ = try client.next()
        for step in 1...24 {
            large.timestamp = FakeHouse.noon + Int64(step) * Duration.second
            large.totalPowerW = Double(step)
            house.change { $0.readings = [large] }
            var seen: Double?
            while seen != Double(step) { seen = try client.next().data["total_power_w"] as? Double }
        }
        // All that was sent to it until it was dropped, and then the end.
        let bytes = idle.connection.readToEnd()
        #expect(idle.connection.hasEnded)
        #expect(bytes.count < 1_500_000, "\(bytes.count)")
        #expect(try server.get("/live").status == 200)
    }

    @Test func `clients that come and go leave nothing behind`() throws {
        var limits = ServerLimits()
        limits.eventClients = 3
        let house = FakeHouse(readings: [Self.reading(0)])
        let server = try RunningServer(house, limits: limits)
        var step: Int64 = 0
        for round in 1...10 {
            // Who has gone is noticed with the next events.
            var clients: [EventClient] = []
            try waitUntil("room for three in round \(round)", within: 10) {
                step += 1
                house.change { $0.readings = [Self.reading(1, at: step * Duration.second)] }
                clients = try (0..<3).map { _ in try Self.follow(server) }
                return clients.allSatisfy { (try? $0.next())?.type == "snapshot" }
            }
            let refused = try server.get("/api/v1/events")
            #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
            withExtendedLifetime(clients) {}
        }
    }

    @Test func `one address has its share of the places, and others have theirs`() throws {
        var limits = ServerLimits()
        limits.eventClients = 3
        limits.eventClientsPerAddress = 2
        let server = try RunningServer(FakeHouse(), limits: limits)
        let clients = try (0..<2).map { _ in try Self.follow(server) }
        for client in clients { _ = try client.next() }
        #expect(try server.get("/api/v1/events").status == 503)
        let other = EventClient(of: server, try RawConnection(port: server.server.port, from: "127.0.0.2"))
        other.connection.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try other.next().type == "snapshot")
    }

    @Test func `another token ends the streams that were opened without it`() throws {
        let server = try RunningServer(FakeHouse())
        let client = try Self.follow(server)
        _ = try client.next()
        server.server.replace(rules: AccessRules(areMetricsOpen: true))
        #expect(throws: EventClient.Silence.self) { try client.next() }
        #expect(!client.connection.hasEnded)
        server.server.replace(rules: AccessRules(token: "correct-horse-battery"))
        _ = client.connection.readToEnd()
        #expect(client.connection.hasEnded)
    }

    @Test func `an instance that goes, or that stands for the house now, is told as a new beginning`() throws {
        func adapter(_ name: String, isHouse: Bool) -> AdapterReport {
            AdapterReport(instance: name, meterType: "mock", isHouse: isHouse, state: "running", since: FakeHouse.noon)
        }
        func snapshot(_ client: EventClient) throws -> [String] {
            var event = try client.next()
            while event.type != "snapshot" { event = try client.next() }
            let adapters = try #require(event.data["adapters"] as? [[String: Any]])
            return adapters.map { "\($0["instance"] ?? "") \($0["is_house"] ?? "")" }.sorted()
        }
        let house = FakeHouse()
        house.change { $0.adapters = [adapter("a", isHouse: true), adapter("b", isHouse: false)] }
        let client = try Self.follow(try RunningServer(house))
        #expect(try snapshot(client) == ["a 1", "b 0"])
        house.change { $0.adapters = [adapter("a", isHouse: false), adapter("b", isHouse: true)] }
        #expect(try snapshot(client) == ["a 0", "b 1"])
        house.change { $0.adapters = [adapter("b", isHouse: true)] }
        #expect(try snapshot(client) == ["b 1"])
    }

    @Test func `stop ends every stream`() throws {
        let server = try RunningServer(FakeHouse())
        let clients = try (0..<20).map { _ in try Self.follow(server) }
        for client in clients { _ = try client.next() }
        let begin = Clock.monotonic()
        server.server.stop()
        #expect(server.server.join(until: begin + Self.second))
        for client in clients {
            _ = client.connection.readToEnd()
            #expect(client.connection.hasEnded)
        }
    }
}

/// A client of the event stream.
final class EventClient {
    let connection: RawConnection
    /// Runs for as long as its client.
    private let server: RunningServer
    private var text = ""
    private var hasHead = false

    init(of server: RunningServer, _ connection: RawConnection) {
        self.server = server
        self.connection = connection
    }

    struct Event {
        let type: String
        let data: [String: Any]
    }

    /// The next event; comments are passed over.
    func next() throws -> Event {
        while true {
            if !hasHead, let end = text.range(of: "\r\n\r\n") {
                guard text.contains("text/event-stream") else { throw Silence(text: text) }
                text = String(text[end.upperBound...])
                hasHead = true
            }
            if hasHead, let end = text.range(of: "\n\n") {
                let lines = text[..<end.lowerBound].split(separator: "\n")
                text = String(text[end.upperBound...])
                guard let type = lines.first(where: { $0.hasPrefix("event: ") }),
                    let data = lines.first(where: { $0.hasPrefix("data: ") })
                else { continue }
                let json = try JSONSerialization.jsonObject(with: Data(data.dropFirst(6).utf8))
                return Event(type: String(type.dropFirst(7)), data: json as? [String: Any] ?? [:])
            }
            let more = connection.read(atLeast: 1)
            guard !more.isEmpty else { throw Silence(text: String(text.prefix(300))) }
            text += String(decoding: more, as: UTF8.self)
        }
    }

    struct Silence: Error {
        let text: String
    }
}
