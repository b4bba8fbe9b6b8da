import Platform
import TestSupport
import Testing

@testable import Transfer

@Suite(.serialized) struct HTTPClientTests {
    @Test func `an answer comes back whole, and the connection is used again`() throws {
        let server = try FaultServer { request in
            .reply(.init(201, "got \(request.text)", headers: ["X-Influxdb-Version": "1.8", "Retry-After": "7"]))
        }
        let client = try HTTPClient(userAgent: "test")
        var request = HTTPRequest(.post, server.url + "/a?b=c")
        request.body = Array("body".utf8)
        for _ in 0..<3 {
            let response = try client.perform(request, until: seconds(5))
            #expect(response.status == 201)
            #expect(String(decoding: response.body, as: UTF8.self) == "got body")
            #expect(response.headers["x-influxdb-version"] == "1.8")
            #expect(response.retryAfter == 7_000_000_000)
        }
        #expect(server.requests.map(\.target) == ["/a?b=c", "/a?b=c", "/a?b=c"])
        #expect(server.requests.allSatisfy { $0.headers["user-agent"] == "test" })
    }

    @Test(arguments: [
        (FaultServer.Answer.hang, TransferError.Kind.timeout),
        (.close, .unreachable),
        (.raw("this is no HTTP at all\r\n\r\n"), .unreachable),
        (.half(.init(200, "half of this")), .unreachable),
        (.flood(bytes: 1 << 20), .tooLarge),
        (.drip(0.2, .init(200, "much too slow to arrive in time")), .timeout),
    ]) func `an answer that is none is an error that names the server`(
        answer: FaultServer.Answer, kind: TransferError.Kind
    ) throws {
        let server = try FaultServer { _ in answer }
        let client = try HTTPClient(userAgent: "test")
        var request = HTTPRequest(.get, "http://me:hunter2@127.0.0.1:\(server.port)/")
        request.maximumBodyBytes = 1000
        let error = #expect(throws: TransferError.self) {
            try client.perform(request, until: Clock.monotonic() + 500_000_000)
        }
        #expect(error?.kind == kind)
        #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test func `an interrupt ends a request at once`() throws {
        let server = try FaultServer { _ in .hang }
        let client = try HTTPClient(userAgent: "test")
        let bell = try Doorbell()
        bell.ring()
        let start = Clock.monotonic()
        let error = #expect(throws: TransferError.self) {
            try client.perform(HTTPRequest(.get, server.url), until: seconds(10), interrupt: bell.number)
        }
        #expect(error?.kind == .cancelled)
        #expect(Clock.monotonic() - start < 1_000_000_000)
    }

    @Test func `a refused connection and another scheme are told apart`() throws {
        let client = try HTTPClient(userAgent: "test")
        let plain = try FaultServer { _ in .reply(.init(204)) }
        let cases: [(String, TransferError.Kind)] = [
            ("http://127.0.0.1:\(try Loopback.freePort())/", .unreachable),
            ("ftp://127.0.0.1:\(plain.port)/", .invalid),
            ("http://", .invalid),
        ]
        for (url, kind) in cases {
            let error = #expect(throws: TransferError.self, "\(url)") {
                try client.perform(HTTPRequest(.get, url), until: seconds(5))
            }
            #expect(error?.kind == kind, "\(url): \(error?.message ?? "")")
        }
    }

    @Test func `a redirect to another host does not take the credentials along`() throws {
        let other = try FaultServer { _ in .reply(.init(200, "there")) }
        // Another name for the same machine is another host.
        let target = "http://localhost:\(other.port)/"
        let server = try FaultServer { _ in .reply(.init(302, headers: ["Location": target])) }
        let client = try HTTPClient(userAgent: "test")
        var request = HTTPRequest(.get, server.url)
        for authorization in [HTTPRequest.Authorization.basic(user: "u", password: "p"), .bearer("token")] {
            request.authorization = authorization
            #expect(try client.perform(request, until: seconds(5)).status == 200)
        }
        #expect(server.requests.allSatisfy { $0.headers["authorization"] != nil })
        #expect(other.count == 2)
        #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })

        request.followsRedirects = false
        #expect(try client.perform(request, until: seconds(5)).status == 302)
    }

    @Test func `redirects that go round end`() throws {
        let server = try FaultServer { _ in .reply(.init(302, headers: ["Location": "/again"])) }
        let client = try HTTPClient(userAgent: "test")
        #expect(throws: TransferError.self) {
            try client.perform(HTTPRequest(.get, server.url), until: seconds(5))
        }
        #expect(server.count <= 6)
    }

    @Test func `a value with a line end does not become another header`() throws {
        let server = try FaultServer { _ in .reply(.init(200)) }
        var request = HTTPRequest(.get, server.url)
        request.headers = [("X-Good", "1"), ("X-Bad", "1\r\nX-Evil: 1")]
        _ = try HTTPClient(userAgent: "test").perform(request, until: seconds(5))
        #expect(server.requests.first?.headers["x-good"] == "1")
        #expect(server.requests.first?.headers["x-evil"] == nil)
    }

    private func seconds(_ count: Int64) -> Int64 { Clock.monotonic() + count * 1_000_000_000 }
}
