import API
import Foundation
import Platform
import TestSupport
import Testing

@Suite(.serialized) struct HTTPServerTests {
    private static let echo: [Route] = [
        Route(
            .get, "/a/{name}", .service, "", access: .everybody, answers: [],
            handler: .now { request in
                let text =
                    "\(request.parameters["name"] ?? "-")|\(request.query("q") ?? "-")|\(request.header("X-Y") ?? "-")"
                return Response(contentType: "text/plain", body: Array(text.utf8))
            }),
        Route(
            .post, "/a/{name}", .service, "", answers: [],
            handler: .now { _ in Response(contentType: "text/plain", body: Array("posted".utf8)) }),
        Route(
            .get, "/teapot", .service, "", answers: [],
            handler: .now { (_) throws(Problem) in
                throw Problem(status: 418, title: "Teapot", detail: "short and stout")
            }),
    ]

    @Test(arguments: [
        ("/a/x", "x|-|v"), ("/a/b%2Fc?q=1%262+3", "b/c|1&2 3|v"), ("/a/%c3%a9%20+?q", "\u{E9} +||v"),
        ("/a/..%2f..%2Fetc?q==&q=2", "../../etc|=|v"), ("/a/%00", "\0|-|v"),
    ])
    func `paths and queries are decoded after they are taken apart`(target: String, expected: String) throws {
        let answer = try RunningServer(Self.echo).ask("GET", target, headers: "Host: localhost\r\nx-y: v\r\n")
        #expect(answer.status == 200)
        #expect(answer.body == expected)
    }

    @Test(arguments: [
        ("/a/%zz", 400), ("/a/%4", 400), ("/a/%ff", 400), ("/a/b?q=%", 400), ("/a/", 404), ("/a/b/c", 404),
        ("/nothing", 404), ("//a/b", 404), ("/a/../teapot", 404), ("/teapot", 418),
        ("/a/" + String(repeating: "x", count: 5000), 414),
    ])
    func `what is refused is a problem that says so`(target: String, status: Int) throws {
        let answer = try RunningServer(Self.echo).get(target)
        #expect(answer.status == status)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.json["status"] as? Int == status)
    }

    @Test func `every answer carries the headers that keep browsers safe`() throws {
        let server = try RunningServer(FakeHouse())
        for target in ["/health", "/nothing", "/consumption"] {
            let headers = try server.get(target).headers
            #expect(headers["x-content-type-options"] == "nosniff")
            #expect(headers["referrer-policy"] == "no-referrer")
            #expect(headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            #expect(headers["cache-control"] == "no-store")
        }
    }

    @Test func `HEAD is answered without a body, and other methods with what is allowed`() throws {
        let server = try RunningServer(Self.echo)
        let head = try server.ask("HEAD", "/a/x")
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.headers["content-length"] == "5")
        let delete = try server.ask("DELETE", "/a/x")
        #expect(delete.status == 405)
        #expect(delete.headers["allow"] == "GET, HEAD, POST")
        #expect(try server.ask("other", "/teapot").headers["allow"] == "GET, HEAD")
    }

    @Test func `a body arrives whole up to the limit and is refused beyond it`() throws {
        let server = try RunningServer(Self.echo)
        let body = String(repeating: "b", count: 64 * 1024)
        let whole = try server.ask(
            "POST", "/a/x", headers: "Host: localhost\r\nContent-Length: 65536\r\n", body: body)
        #expect(whole.status == 200)
        #expect(whole.body == "posted")
        let declared = try server.ask("POST", "/a/x", headers: "Host: localhost\r\nContent-Length: 65537\r\n")
        #expect(declared.status == 413)

        let endless = try server.connect()
        endless.send("POST /a/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "4000\r\n" + String(repeating: "c", count: 0x4000) + "\r\n"
        for _ in 0..<8 { endless.send(chunk) }
        #expect(RawAnswer(endless.readToEnd())?.status != 200)
        #expect(try server.get("/a/x").status == 200)
    }

    @Test(arguments: [
        ("localhost", 200), ("localhost:8080", 200), ("127.0.0.1:80", 200), ("[::1]:8080", 200), ("meter", 200),
        ("meter.local", 200), ("METER.Lan.", 200), ("m.home.arpa", 200), ("power.example.com", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("local.evil.example", 421), ("[evil]", 421),
        ("a@b", 421), ("evil.example:80", 421), ("", 421),
    ])
    func `a name that could be anyone's is not answered`(host: String, status: Int) throws {
        let server = try RunningServer(
            FakeHouse(), rules: AccessRules(hosts: HostCheck(allowed: ["Power.Example.com"])))
        #expect(try server.ask("GET", "/health", headers: "Host: \(host)\r\n").status == status)
    }

    @Test(arguments: [
        "Host: localhost\r\nHost: localhost\r\n", "Host: localhost\r\nHost: evil.example\r\n", "",
        "Host : localhost\r\n", "Host: localhost\r\nContent-Length: 0\r\nContent-Length: 40\r\n",
        "Host: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n", "Host: localhost\r\nContent-Length: +5\r\n",
        "Host: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Host: localhost\r\nTransfer-Encoding: gzip, chunked\r\n", "Host: localhost\r\nTransfer-Encoding: xchunked\r\n",
        "Host: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ])
    func `what two readers could take for different requests is refused, and nothing behind it is read`(
        headers: String
    ) throws {
        let server = try RunningServer(Self.echo)
        let connection = try server.connect()
        connection.send(
            "POST /a/x HTTP/1.1\r\n\(headers)\r\n0\r\n\r\nGET /teapot HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let text = String(decoding: connection.readToEnd(), as: UTF8.self)
        #expect(connection.hasEnded)
        let answers = text.components(separatedBy: "HTTP/1.1 ").dropFirst()
        #expect(!answers.isEmpty && answers.allSatisfy { $0.hasPrefix("400 ") }, "\(text)")
    }

    @Test func `the oldest clients need no Host`() throws {
        let server = try RunningServer(Self.echo)
        let connection = try server.connect()
        connection.send("GET /a/x HTTP/1.0\r\n\r\n")
        #expect(RawAnswer(connection.readToEnd())?.status == 200)
    }

    @Test func `1,000 malformed requests leave it answering`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed of the malformed requests: \(seed)")
        var random = SeededRandom(seed: seed)
        let server = try RunningServer(FakeHouse())
        // What never becomes a request stays open: the oldest goes when there are 100.
        var open: [RawConnection] = []
        for round in 0..<1000 {
            let connection = try server.connect()
            connection.send(MalformedRequest.make(&random))
            open.append(connection)
            if open.count > 100 { open.removeFirst() }
            if round.isMultiple(of: 100) { #expect(try server.get("/live").status == 200, "seed \(seed)") }
        }
        open = []
        #expect(try server.get("/health").status == 200, "seed \(seed)")
    }

    @Test func `a silent connection is closed after the timeout`() throws {
        var limits = ServerLimits()
        limits.idleSeconds = 1
        let server = try RunningServer(FakeHouse(), limits: limits)
        let connection = try server.connect()
        connection.send("GET /he")
        let start = Clock.monotonic()
        _ = connection.readToEnd()
        #expect((500_000_000..<4_000_000_000).contains(Clock.monotonic() - start))
        withExtendedLifetime(server) {}
    }

    @Test func `a port in use is named, with what to do`() throws {
        let server = try RunningServer(FakeHouse())
        let error = #expect(throws: ServerError.self) {
            _ = try HTTPServer(address: "127.0.0.1", port: server.server.port, router: Router([]), house: nil)
        }
        #expect(error?.description.contains("port \(server.server.port) is in use") == true)
        #expect(error?.description.contains("SERVICE_PORT") == true)
    }

    @Test(arguments: ["", "localhost", "1.2.3", "::g", "203.0.113.77"])
    func `an address that is not this machine's is refused`(address: String) {
        #expect(throws: ServerError.self) {
            _ = try HTTPServer(address: address, port: 0, router: Router([]), house: nil)
        }
    }

    @Test func `it listens on IPv6`() throws {
        #expect(try HTTPServer(address: "::", port: 0, router: Router([]), house: nil).port != 0)
    }

    @Test func `stop returns promptly with connections open, and frees the port`() throws {
        let server = try RunningServer(FakeHouse())
        let open = try server.connect()
        open.send("GET /health HTTP/1.1\r\n")
        let start = Clock.monotonic()
        server.server.stop()
        #expect(server.server.join(until: start + 1_000_000_000))
        #expect(throws: FixtureError.self) { try server.connect() }
        #expect(throws: Never.self) {
            _ = try HTTPServer(address: "127.0.0.1", port: server.server.port, router: Router([]), house: nil)
        }
    }
}
