import API
import Foundation
import Readings
import Testing

@Suite(.serialized) struct AccessTests {
    private static let token = "correct-horse-battery"
    private static let withToken = "Host: localhost\r\nAuthorization: Bearer \(token)\r\n"

    private static func server(areMetricsOpen: Bool = false) throws -> RunningServer {
        try RunningServer(FakeHouse(), rules: AccessRules(token: token, areMetricsOpen: areMetricsOpen))
    }

    @Test(arguments: ["/live", "/ready", "/health", "/openapi.json", "/docs", "/assets/docs.js", "/assets/chart.js"])
    func `what holds nothing of the house is told without the token`(path: String) throws {
        #expect(try Self.server().get(path).status == 200)
    }

    @Test(arguments: [
        "/consumption", "/metrics", "/api/v1/readings", "/api/v1/circuits", "/api/v1/history", "/api/v1/energy",
        "/api/v1/phantom", "/api/v1/alerts", "/api/v1/adapters", "/api/v1/delivery", "/api/v1/events",
    ])
    func `everything else needs it`(path: String) throws {
        let server = try Self.server()
        let refused = try server.get(path)
        #expect(refused.status == 401)
        #expect(refused.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
        #expect(refused.headers["content-type"] == "application/problem+json")
        #expect(try server.ask("HEAD", path).status == 401)
        if path != "/api/v1/events" {
            #expect([200, 503].contains(try server.get(path, headers: Self.withToken).status))
        }
    }

    @Test(arguments: [
        "correct-horse-batter", "correct-horse-battery ", "correct-horse-batterx", "", "Correct-horse-battery",
        "correct-horse-batterycorrect-horse-battery",
    ])
    func `a token that is not quite right is wrong`(token: String) throws {
        let headers = "Host: localhost\r\nAuthorization: Bearer \(token)x\r\n"
        #expect(try Self.server().get("/consumption", headers: headers).status == 401)
    }

    @Test(arguments: ["Basic \(token)", token, "Bearer", "Token \(token)", "Bearer\(token)"])
    func `it has to be a bearer's`(value: String) throws {
        let headers = "Host: localhost\r\nAuthorization: \(value)\r\n"
        #expect(try Self.server().get("/api/v1/readings", headers: headers).status == 401)
    }

    @Test func `a token in the address does not count`() throws {
        #expect(try Self.server().get("/api/v1/readings?token=\(Self.token)").status == 401)
        #expect(try Self.server().get("/api/v1/readings?access_token=\(Self.token)").status == 401)
    }

    @Test func `health tells a stranger the contract's keys, and nothing of the house`() throws {
        let server = try Self.server()
        let stranger = try server.get("/health").json
        #expect(
            Set(stranger.keys) == [
                "status", "service", "uptime_seconds", "last_successful_fetch", "total_fetches", "failed_fetches",
                "success_rate", "timestamp",
            ])
        let owner = try server.get("/health", headers: Self.withToken).json
        #expect(owner["problems"] != nil && owner["adapters"] != nil && owner["delivery"] != nil)
    }

    @Test func `metrics may be open`() throws {
        #expect(try Self.server(areMetricsOpen: true).get("/metrics").status == 200)
        #expect(try Self.server(areMetricsOpen: true).get("/consumption").status == 401)
    }

    @Test func `new rules hold from the next request on`() throws {
        let server = try Self.server()
        server.server.replace(rules: AccessRules(token: "another-long-token"))
        #expect(try server.get("/api/v1/readings", headers: Self.withToken).status == 401)
        let headers = "Host: localhost\r\nAuthorization: bearer another-long-token\r\n"
        #expect(try server.get("/api/v1/readings", headers: headers).status == 200)
    }

    @Test(arguments: [
        ("", 202), ("Origin: http://localhost\r\n", 202), ("Origin: http://localhost:80\r\n", 202),
        ("Sec-Fetch-Site: same-origin\r\n", 202), ("Sec-Fetch-Site: none\r\n", 202),
        ("Origin: http://evil.example\r\n", 403), ("Origin: null\r\n", 403), ("Origin: http://localhost:81\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403), ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost\r\n", 403),
        ("Origin: http://localhost.evil.example\r\n", 403), ("Origin: localhost\r\n", 403),
    ])
    func `a page of another site changes nothing`(headers: String, status: Int) throws {
        let house = FakeHouse()
        let server = try RunningServer(house)
        let answer = try server.ask("POST", "/api/v1/adapters/mock/read", headers: "Host: localhost\r\n\(headers)")
        #expect(answer.status == status)
        #expect(house.seen.actions.count == (status == 202 ? 1 : 0))
    }

    @Test func `where there is a token it alone decides about changes`() throws {
        let house = FakeHouse()
        let server = try RunningServer(house, rules: AccessRules(token: Self.token))
        let path = "/api/v1/adapters/mock/pause"
        #expect(try server.ask("POST", path).status == 401)
        #expect(try server.ask("POST", path, headers: "Host: localhost\r\nOrigin: http://localhost\r\n").status == 401)
        #expect(house.seen.actions.isEmpty)
        // As a page behind a proxy sends it, whose name the host does not know.
        let answer = try server.ask("POST", path, headers: Self.withToken + "Origin: https://power.example.com\r\n")
        #expect(answer.status == 202)
        #expect(house.seen.actions == ["pause"])
    }

    @Test func `nothing but POST changes anything`() throws {
        let house = FakeHouse()
        let server = try RunningServer(house)
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let answer = try server.ask(method, "/api/v1/adapters/mock/pause")
            #expect(answer.status == 405, "\(method)")
            #expect(answer.headers["allow"] == "POST")
        }
        #expect(try server.ask("POST", "/api/v1/adapters/nobody/pause").status == 404)
        #expect(try server.ask("POST", "/api/v1/adapters/mock/destroy").status == 404)
        #expect(try server.ask("POST", "/health").headers["allow"] == "GET, HEAD")
        #expect(house.seen.actions.isEmpty)
    }

    @Test func `pages load nothing from elsewhere and run nothing inline`() throws {
        let server = try RunningServer(FakeHouse())
        let page = try server.get("/docs")
        let policy = try #require(page.headers["content-security-policy"])
        #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"))
        #expect(!policy.contains("unsafe"))
        #expect(!page.body.contains("<script>") && !page.body.contains(" onclick=") && !page.body.contains(" style="))
        #expect(!page.body.contains("https://"))
        let etag = try #require(page.headers["etag"])
        let again = try server.get("/docs", headers: "Host: localhost\r\nIf-None-Match: \(etag)\r\n")
        #expect(again.status == 304 && again.body.isEmpty)
    }

    @Test(arguments: [
        "/assets/../../../etc/passwd", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/assets/", "/assets/docs.css/x",
        "//etc/passwd", "/assets/docs.css%00", "/docs/..", "/.env",
    ])
    func `no path reaches a file`(path: String) throws {
        #expect(try RunningServer(FakeHouse()).get(path).status == 404)
    }
}
