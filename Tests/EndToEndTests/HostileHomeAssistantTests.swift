import Foundation
import TestSupport
import Testing

@Suite("A Home Assistant that answers badly", .serialized)
struct HostileHomeAssistantTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answer: FaultServer.Answer
    }

    static let cases = [
        Case(testDescription: "401", answer: .reply(FaultServer.Reply(401, "401: Unauthorized"))),
        Case(testDescription: "404", answer: .reply(.json(404, #"{"message":"Entity not found."}"#))),
        Case(testDescription: "500", answer: .reply(FaultServer.Reply(500, "500 Internal Server Error"))),
        Case(testDescription: "half a JSON", answer: .reply(.json(200, #"[{"entity_id":"sensor.total_power","sta"#))),
        Case(
            testDescription: "half an answer", answer: .half(.json(200, "[" + String(repeating: " ", count: 500) + "]"))
        ),
        Case(testDescription: "no JSON", answer: .reply(FaultServer.Reply(200, "<html>a captive portal</html>"))),
        Case(testDescription: "50 MB", answer: .flood(bytes: 50_000_000)),
        Case(testDescription: "one byte a second", answer: .drip(1, .json(200, String(repeating: " ", count: 600)))),
        Case(testDescription: "no HTTP", answer: .raw("SSH-2.0-OpenSSH_9.2\r\n")),
        Case(testDescription: "a closed connection", answer: .close),
        Case(testDescription: "nothing", answer: .hang),
    ]

    @Test("The host stays up, /health says what is wrong, and the token stays secret", arguments: cases)
    func survives(_ hostile: Case) throws {
        let server = try FaultServer { _ in hostile.answer }
        let token = "very-secret-\(UUID().uuidString)"
        let host = try HostProcess([
            "METER_TYPE": "home_assistant", "HOME_ASSISTANT_URL": server.url, "HOME_ASSISTANT_TOKEN": token,
            "HOME_ASSISTANT_SAMPLE_SECONDS": "1", "LOG_LEVEL": "debug",
        ])
        try host.waitForHealth("the meter's error in /health", within: 40) { health in
            let adapters = health["adapters"] as? [[String: Any]] ?? []
            let error = adapters.first { $0["instance"] as? String == "home_assistant" }?["last_error"] as? String
            return error?.isEmpty == false && health["status"] as? String != "healthy"
        }
        #expect(server.count >= 1)
        #expect(try HTTP.get(host.port, "/live", timeout: 2).status == 200)
        let health = try HTTP.get(host.port, "/health", timeout: 2)
        #expect(health.status == 200)
        #expect(!health.text.contains(token))
        #expect(host.isRunning)
        #expect(try #require(host.terminate()) < 2)
        #expect(!host.allLogs.contains(token))
    }
}
