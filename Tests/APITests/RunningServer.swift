import API
import Glibc
import Platform
import TestSupport
import Testing

/// A server on a free port of the loopback, and its threads; stopped when it goes.
final class RunningServer: Sendable {
    let server: HTTPServer

    init(
        _ routes: [Route], house: FakeHouse? = nil, rules: AccessRules = AccessRules(),
        limits: ServerLimits = ServerLimits()
    ) throws {
        server = try HTTPServer(
            address: "127.0.0.1", port: 0, router: Router(routes), house: house, rules: rules, limits: limits)
        try server.start { Issue.record($0) }
    }

    convenience init(
        _ house: FakeHouse, rules: AccessRules = AccessRules(), limits: ServerLimits = ServerLimits()
    ) throws {
        try self.init(RouteTable.all(house), house: house, rules: rules, limits: limits)
    }

    deinit {
        server.stop()
        server.join(until: Clock.monotonic() + 5_000_000_000)
    }

    func connect() throws -> RawConnection { try RawConnection(port: server.port) }

    /// One request on a connection of its own.
    func ask(_ method: String, _ target: String, headers: String = "Host: localhost\r\n", body: String = "") throws
        -> RawAnswer
    {
        let connection = try connect()
        connection.send("\(method) \(target) HTTP/1.1\r\n\(headers)Connection: close\r\n\r\n\(body)")
        return try #require(RawAnswer(connection.readToEnd()))
    }

    func get(_ target: String, headers: String = "Host: localhost\r\n") throws -> RawAnswer {
        try ask("GET", target, headers: headers)
    }
}
