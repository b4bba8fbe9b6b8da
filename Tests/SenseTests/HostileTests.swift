import AdapterABI
import FakeHost
import TestSupport
import Testing

/// A cloud that answers nonsense, refuses, or is not there: one clear line, no secret, nothing lost, nothing crashed.
@Suite(.serialized) struct HostileTests {
    private static let realtime = [
        "", "{", "[]", "null", "\"w\"", "{}", #"{"w":null}"#, #"{"w":"5"}"#, #"{"w":1e999}"#, "<html>", "\u{0}",
        #"{"w":NaN}"#, String(repeating: "[", count: 100_000), #"{"w":5"#,
    ]

    @Test(arguments: realtime)
    func `an answer that is none is bad data`(body: String) throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.setFault { $0.path.hasSuffix("realtime_update") ? .reply(.json(200, body)) : nil }
        let failure = #expect(throws: AdapterFailure.self) { try rig.read() }
        #expect(failure?.code == METER_BAD_DATA)
        #expect(failure?.message.contains("realtime_update") == true)
        rig.cloud.setFault(nil)
        _ = try rig.read(after: 60)
    }

    @Test func `parts that make no sense are left out, and the rest is read`() throws {
        let rig = try Rig()
        try rig.instance.start()
        let long = String(repeating: "ü", count: 10_000)
        let devices = [
            "7", "null", "{}", #"{"id":""}"#, #"{"id":7,"w":1}"#, #"{"id":"a","w":"x"}"#, #"{"id":"a","w":5}"#,
            #"{"id":"b\u0000\n","name":"\u0007","w":6}"#, #"{"id":"c","name":"\#(long)","w":1e308}"#,
            #"{"id":"\#(long)","w":2}"#, #"{"id":"d","w":null}"#, #"{"id":"solar","w":"x"}"#,
        ]
        rig.cloud.setFault { request in
            request.path.hasSuffix("realtime_update")
                ? .reply(
                    .json(
                        200,
                        #"{"w":500,"solar_w":100,"voltage":[null,"x",120,1,2],"hz":[],"frame":1e30,"devices":["#
                            + devices.joined(separator: ",") + "]}")) : nil
        }
        let reading = try rig.read()
        #expect(reading.gridPowerW == 400)
        #expect(reading.voltagesV == [nil, nil, 120] && reading.frequencyHz == nil)
        let circuits = Dictionary(reading.circuits.map { ($0.id, $0) }) { first, _ in first }
        #expect(circuits.count == reading.circuits.count)
        #expect(circuits["a"]?.powerW == 5)
        #expect(circuits["b"]?.powerW == 6 && circuits["b"]?.name == "b")
        #expect(circuits["d"]?.powerW == nil)
        #expect(circuits["solar"]?.powerW == 100)
        #expect(reading.circuits.allSatisfy { $0.id.utf8.count <= 255 && $0.name.utf8.count <= 255 })
    }

    @Test func `a thousand devices are bounded`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.setFault { request in
            guard request.path.hasSuffix("realtime_update") else { return nil }
            let devices = (0..<1000).map { #"{"id":"\#(request.number)-\#($0)","w":1}"# }.joined(separator: ",")
            return .reply(.json(200, #"{"w":1000,"solar_w":0,"devices":[\#(devices)]}"#))
        }
        for _ in 0..<5 { #expect(try rig.read(after: 60).circuits.count <= 501) }
    }

    @Test(arguments: [
        (429, METER_RATE_LIMITED), (500, METER_UNAVAILABLE), (502, METER_UNAVAILABLE), (503, METER_UNAVAILABLE),
        (403, METER_UNAUTHORIZED), (404, METER_UNAUTHORIZED), (400, METER_BAD_DATA), (302, METER_BAD_DATA),
    ])
    func `a status is what it means, and over when it is over`(status: Int, code: Int32) throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.setFault { request in
            request.path.hasSuffix("realtime_update")
                ? .reply(.init(status, "{}", headers: status == 429 ? ["Retry-After": "77"] : [:])) : nil
        }
        let failure = #expect(throws: AdapterFailure.self) { try rig.read() }
        #expect(failure?.code == code)
        if status == 429 { #expect(failure?.retryAfter == 77 * Rig.second) }
        rig.cloud.setFault(nil)
        _ = try rig.read(after: 60)
        #expect(rig.cloud.loginCount == 1 && rig.cloud.renewalCount == 0)
    }

    @Test func `a cloud that is silent costs the call's time and no more`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.setFault { _ in .hang }
        let failure = #expect(throws: AdapterFailure.self) { try rig.instance.read(withinSeconds: 1) }
        #expect(failure?.code == METER_TIMEOUT)
        rig.cloud.setFault { _ in .close }
        let second = #expect(throws: AdapterFailure.self) { try rig.read() }
        #expect(second?.code == METER_UNREACHABLE)
        rig.cloud.setFault(nil)
        _ = try rig.read(after: 60)
    }

    @Test func `an answer without an end is cut off`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.setFault { _ in .flood(bytes: 8 << 20) }
        let failure = #expect(throws: AdapterFailure.self) { try rig.read() }
        #expect(failure?.code == METER_TOO_LARGE)
    }

    @Test(arguments: [
        "authenticate", "status", "/overview", "devices/overview",
    ])
    func `a start that gets nonsense fails and can be made again`(path: String) throws {
        for body in [
            "", "[]", "{}", #"{"monitor_info":7,"devices":7,"monitor_overview":{"monitor":null},"access_token":1}"#,
        ] {
            let rig = try Rig()
            rig.cloud.setFault { request in
                request.path.hasSuffix(path) && (path != "/overview" || !request.path.contains("devices"))
                    ? .reply(.json(200, body)) : nil
            }
            let failure = #expect(throws: AdapterFailure.self) { try rig.instance.start() }
            #expect(failure?.code == METER_BAD_DATA)
            rig.cloud.setFault(nil)
            try rig.instance.start()
            _ = try rig.read()
        }
    }

    @Test func `a token that is no token is not put into a header`() throws {
        let rig = try Rig()
        rig.cloud.setFault { request in
            request.path.hasSuffix("authenticate")
                ? .reply(
                    .json(200, #"{"user_id":1,"access_token":"a\r\nX-Evil: 1","refresh_token":"r","monitors":[]}"#))
                : nil
        }
        let failure = #expect(throws: AdapterFailure.self) { try rig.instance.start() }
        #expect(failure?.code == METER_BAD_DATA)
    }

    @Test func `no secret is told, whatever happens`() throws {
        var words: [String] = []
        for fault in [200, 400, 401, 403, 429, 500] {
            for path in ["authenticate", "authenticate/mfa", "renew", "status", "realtime_update", "usage"] {
                let rig = try Rig(
                    settings: ["mfa_code": "123456"], account: .init(takesCode: { code, _ in code == "123456" }))
                let cloud = rig.cloud
                // It repeats what it was sent, as a debugging server might.
                let echo: @Sendable (FaultServer.Request) -> FaultServer.Answer? = { request in
                    guard request.path.hasSuffix(path) else { return nil }
                    let said =
                        request.number.isMultiple(of: 2)
                        ? request.text : ([cloud.account.password] + cloud.tokens).joined(separator: " ")
                    let body = "{\"error_reason\":\"\(said)\",\"x\":\"\(said)\"}"
                    return .reply(.json(fault, body))
                }
                let isEarly = path.hasPrefix("authenticate") || path == "status"
                if isEarly { rig.cloud.setFault(echo) }
                do { try rig.instance.start() } catch { words.append("\(error)") }
                rig.cloud.setFault(echo)
                rig.cloud.expireToken()
                do { try rig.read(after: 60) } catch { words.append("\(error)") }
                words += rig.host.logs
                #expect(rig.secretsIn(words).isEmpty)
                #expect(!words.contains { $0.contains("123456") || $0.contains("%26") || $0.contains("&=") })
            }
        }
        #expect(words.count > 30)
    }

    @Test func `a call that is to end asks nobody any more`() throws {
        let host = FakeHost(
            settings: ["email": "ann@example.com", "password": "x"],
            respond: { _ in .failure(code: METER_CANCELLED, message: "the request was cancelled") })
        let instance = try Rig.adapter().create(host)
        let failure = #expect(throws: AdapterFailure.self) { try instance.start() }
        #expect(failure?.code == METER_CANCELLED)
    }
}
