import API
import Glibc
import Platform
import Testing

/// A server on a free port of the loopback, and its thread; stopped when it goes.
final class RunningServer: Sendable {
    let server: HTTPServer
    let thread: Platform.Thread

    init(_ routes: [Route], hosts: HostCheck = HostCheck(), limits: ServerLimits = ServerLimits()) throws {
        let server = try HTTPServer(
            address: "127.0.0.1", port: 0, router: Router(routes), hosts: hosts, limits: limits)
        self.server = server
        thread = try Platform.Thread(name: "http") {
            do { try server.run() } catch { Issue.record(error) }
        }
    }

    convenience init(_ house: FakeHouse, hosts: HostCheck = HostCheck()) throws {
        try self.init(HouseRoutes.table(house), hosts: hosts)
    }

    deinit {
        server.stop()
        thread.join(until: Clock.monotonic() + 5_000_000_000)
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

    func get(_ target: String) throws -> RawAnswer { try ask("GET", target) }
}
