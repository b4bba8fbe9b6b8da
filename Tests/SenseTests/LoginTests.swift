import AdapterABI
import FakeHost
import Synchronization
import TestSupport
import Testing

/// Logins, tokens, and the account's monitors.
@Suite(.serialized) struct LoginTests {
    /// RFC 6238's, in base32.
    private static let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    /// When its code is 279037.
    private static let time = 2_000_000_000.0

    private func failure(_ code: Int32, _ body: () throws -> Void) throws -> String {
        let failure = try #require(throws: AdapterFailure.self) { try body() }
        #expect(failure.code == code, "\(failure)")
        return failure.message
    }

    // MARK: With a password alone

    @Test func `the first start logs in, and asks what there is`() throws {
        let rig = try Rig()
        try rig.instance.start()
        #expect(
            rig.cloud.paths == [
                "authenticate", "app/monitors/12345/status", "app/monitors/12345/overview",
                "app/monitors/12345/devices/overview",
            ])
        #expect(rig.host.logs.contains { $0.contains("monitor 12345 (America/New_York, with solar), firmware 1.70") })
        #expect(rig.cloud.complaints.isEmpty)
    }

    @Test func `a restart goes on with the tokens and the device that it was`() throws {
        let rig = try Rig()
        try rig.instance.start()
        try rig.read()
        rig.instance.stop()
        rig.cloud.forgetRequests()
        let again = try rig.restarted()
        try again.instance.start()
        try again.read(after: 60)
        #expect(
            again.cloud.paths == [
                "app/monitors/12345/overview", "app/monitors/12345/devices/overview", "app/12345/realtime_update",
                "app/monitors/12345/history/usage",
            ])
        #expect(rig.cloud.loginCount == 1 && rig.cloud.renewalCount == 0)
        #expect(rig.cloud.deviceIDs.count == 1)
    }

    @Test func `a token that ends in mid-run is renewed, over and over, without a login`() throws {
        let rig = try Rig()
        try rig.instance.start()
        for round in 1...5 {
            rig.goOn(SenseSimulator.tokenLife + 1)
            rig.cloud.forgetRequests()
            try rig.read()
            #expect(rig.cloud.paths.prefix(3) == ["app/12345/realtime_update", "renew", "app/12345/realtime_update"])
            #expect(rig.cloud.renewalCount == round && rig.cloud.loginCount == 1)
        }
        #expect(rig.cloud.complaints.isEmpty)
    }

    @Test func `new tokens are kept before they are used`() throws {
        let rig = try Rig()
        try rig.instance.start()
        let cloud = rig.cloud
        let requestsAtKeeping = Mutex<[Int]>([])
        rig.host.onSet { key in
            if key == "account" { requestsAtKeeping.withLock { $0.append(cloud.paths.count) } }
            return METER_OK
        }
        rig.cloud.forgetRequests()
        rig.cloud.expireToken()
        try rig.read()
        // After "realtime_update" and "renew", before the question with the new token.
        #expect(requestsAtKeeping.withLock { $0 } == [2])
        let kept = String(decoding: try #require(rig.host.values["account"]), as: UTF8.self)
        #expect(rig.cloud.tokens.suffix(2).allSatisfy { kept.contains($0) })
    }

    @Test func `tokens that cannot be kept are not used, and are kept as soon as they can be`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.expireToken()
        rig.host.onSet { $0 == "account" ? METER_FAILED : METER_OK }
        for _ in 0..<2 {
            _ = try failure(METER_FAILED) { try rig.read(after: 60) }
            #expect(rig.cloud.paths.filter { $0 == "renew" }.count == 1)
        }
        rig.host.onSet { _ in METER_OK }
        try rig.read(after: 60)
        #expect(rig.cloud.renewalCount == 1 && rig.cloud.loginCount == 1)
        let kept = String(decoding: try #require(rig.host.values["account"]), as: UTF8.self)
        #expect(kept.contains(try #require(rig.cloud.tokens.last)))
    }

    @Test func `where renewing is refused it logs in again`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.goOn(1000)
        rig.cloud.forgetTokens()
        try rig.read()
        #expect(rig.cloud.loginCount == 2)
        #expect(rig.cloud.deviceIDs.count == 1)
    }

    @Test func `where renewing is refused and there is no password, a person is asked for, and nothing else`() throws {
        let rig = try Rig()
        try rig.instance.start()
        let without = try rig.restarted(settings: ["password": ""])
        try without.instance.start()
        without.cloud.forgetTokens()
        let message = try failure(METER_LOGIN_REQUIRED) { try without.read(after: 60) }
        #expect(message.contains("smart-meter login sense") && message.contains("SENSE_PASSWORD"))
        #expect(rig.cloud.loginCount == 1)
    }

    @Test func `tokens that are good for nothing are no reason to log in again and again`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.setFault { request in
            request.path.hasSuffix("realtime_update") ? .reply(.json(401, "{}")) : nil
        }
        rig.goOn(1000)
        for _ in 0..<10 {
            let failure = #expect(throws: AdapterFailure.self) { try rig.read(after: 60) }
            #expect(failure?.code == METER_UNAUTHORIZED)
            #expect((failure?.retryAfter ?? 0) > 0)
        }
        #expect(rig.cloud.loginCount == 2)
        rig.cloud.setFault(nil)
        try rig.read(after: 60)
    }

    @Test func `a wrong password is refused once, with what the cloud says`() throws {
        let rig = try Rig(settings: ["password": "wrong-password"])
        let message = try failure(METER_CREDENTIALS_REFUSED) { try rig.instance.start() }
        #expect(message.contains("SENSE_PASSWORD") && message.contains("Invalid email address or password."))
        #expect(!message.contains("wrong-password"))
        #expect(rig.cloud.paths == ["authenticate"])
    }

    @Test func `a cloud that repeats the password is not repeated`() throws {
        let rig = try Rig(settings: ["password": "hunter2secret"])
        rig.cloud.setFault { _ in
            .reply(.json(401, #"{"error_reason":"no account ann@example.com with hunter2secret"}"#))
        }
        let message = try failure(METER_CREDENTIALS_REFUSED) { try rig.instance.start() }
        #expect(!message.contains("hunter2"))
    }

    @Test func `without a password and without tokens somebody has to log in`() throws {
        let rig = try Rig(settings: ["password": ""])
        let message = try failure(METER_LOGIN_REQUIRED) { try rig.instance.start() }
        #expect(message.contains("smart-meter login sense"))
        #expect(rig.cloud.requests.isEmpty)
    }

    @Test(arguments: [
        (429, METER_RATE_LIMITED, 120), (500, METER_UNAVAILABLE, 0), (503, METER_UNAVAILABLE, 30),
    ])
    func `a cloud that cannot log anybody in now is asked again`(status: Int, code: Int32, pause: Int) throws {
        let rig = try Rig()
        rig.cloud.setFault { _ in
            .reply(.init(status, "busy", headers: pause > 0 ? ["Retry-After": "\(pause)"] : [:]))
        }
        let failure = #expect(throws: AdapterFailure.self) { try rig.instance.start() }
        #expect(failure?.code == code)
        #expect(failure?.retryAfter == Int64(pause) * Rig.second)
        rig.cloud.setFault(nil)
        try rig.instance.start()
    }

    @Test func `while renewing fails the tokens stay`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.expireToken()
        rig.cloud.setFault { $0.path.hasSuffix("renew") ? .reply(.init(502, "<html>")) : nil }
        _ = try failure(METER_UNAVAILABLE) { try rig.read(after: 60) }
        rig.cloud.setFault(nil)
        try rig.read(after: 60)
        #expect(rig.cloud.loginCount == 1 && rig.cloud.renewalCount == 1)
    }

    @Test func `renewing is not begun where there is no time for its answer`() throws {
        let rig = try Rig()
        try rig.instance.start()
        try rig.read()
        rig.cloud.expireToken()
        rig.cloud.forgetRequests()
        let message = try failure(METER_TIMEOUT) { try rig.instance.read(withinSeconds: 4) }
        #expect(message.contains("the next reading"))
        #expect(rig.cloud.paths == ["app/12345/realtime_update"])
        // The next one does not ask in vain first.
        rig.cloud.forgetRequests()
        try rig.read(after: 60)
        #expect(rig.cloud.paths.prefix(2) == ["renew", "app/12345/realtime_update"])
        #expect(rig.cloud.renewalCount == 1 && rig.cloud.loginCount == 1)
        #expect(rig.cloud.complaints.isEmpty)
    }

    @Test func `history leaves renewing and logging in to the next reading`() throws {
        let rig = try Rig()
        try rig.instance.start()
        let end = rig.host.wall - 24 * Rig.hour
        func askForHistory() throws {
            _ = try rig.instance.history(from: end - 3 * Rig.hour, to: end, step: Rig.hour)
        }
        rig.cloud.expireToken()
        rig.cloud.forgetRequests()
        _ = try failure(METER_TIMEOUT) { try askForHistory() }
        #expect(rig.cloud.paths == ["app/monitors/12345/history/usage"])
        try rig.read(after: 60)
        try askForHistory()
        #expect(rig.cloud.renewalCount == 1 && rig.cloud.loginCount == 1)
    }

    @Test func `a page of a proxy is no refusal of the password`() throws {
        let rig = try Rig()
        let page = FaultServer.Reply(403, "<html>Request blocked</html>")
        rig.cloud.setFault { _ in .reply(page) }
        let refused = #expect(throws: AdapterFailure.self) { try rig.instance.start() }
        #expect(refused?.code == METER_UNAVAILABLE && refused?.retryAfter == 900 * Rig.second)
        rig.cloud.setFault(nil)
        try rig.instance.start()
        try rig.read()
        // In mid-run it is no reason to log in, either.
        rig.cloud.expireToken()
        rig.cloud.setFault { $0.path.hasSuffix("renew") ? .reply(page) : nil }
        _ = try failure(METER_UNAVAILABLE) { try rig.read(after: 60) }
        #expect(rig.cloud.loginCount == 1)
        rig.cloud.setFault(nil)
        try rig.read(after: 900)
        #expect(rig.cloud.loginCount == 1 && rig.cloud.renewalCount == 1)
    }

    @Test func `a login that is refused with a reason is refused, whatever the status`() throws {
        let rig = try Rig()
        rig.cloud.setFault { _ in .reply(.json(403, #"{"status":"error","error_reason":"Account is locked."}"#)) }
        #expect(try failure(METER_CREDENTIALS_REFUSED) { try rig.instance.start() }.contains("Account is locked."))
    }

    // MARK: Two-step login

    private func withCodes(_ code: String) -> SenseSimulator.Account {
        SenseSimulator.Account(takesCode: { said, _ in said == code })
    }

    @Test func `the code is made of the secret`() throws {
        let rig = try Rig(
            settings: ["totp_secret": Self.secret], account: withCodes("279037"), clock: SimulatedClock(Self.time))
        try rig.instance.start()
        #expect(rig.cloud.paths.prefix(2) == ["authenticate", "authenticate/mfa"])
        let form = try #require(rig.cloud.requests.dropFirst().first).text
        #expect(form.contains("totp=279037&mfa_token=mfa."))
        #expect(form.hasSuffix("&client_time=2033-05-18T03%3A33%3A20Z"))
        try rig.read()
        rig.goOn(1000)
        rig.cloud.forgetTokens()
        _ = try failure(METER_CREDENTIALS_REFUSED) { try rig.read() }
    }

    @Test func `the code of the setting is used for one login`() throws {
        let rig = try Rig(settings: ["mfa_code": "123 456"], account: withCodes("123456"))
        try rig.instance.start()
        #expect(rig.cloud.loginCount == 1)
        rig.goOn(1000)
        rig.cloud.forgetTokens()
        let message = try failure(METER_LOGIN_REQUIRED) { try rig.read() }
        #expect(message.contains("SENSE_MFA_CODE has been used"))
        // Nor by another run; but a new one is.
        let again = try rig.restarted(settings: ["mfa_code": "123456"])
        _ = try failure(METER_LOGIN_REQUIRED) { try again.instance.start() }
        #expect(rig.cloud.paths.filter { $0 == "authenticate/mfa" }.count == 1)
    }

    @Test func `a code that is refused is not tried again`() throws {
        let rig = try Rig(settings: ["mfa_code": "999999"], account: withCodes("123456"))
        let message = try failure(METER_LOGIN_REQUIRED) { try rig.instance.start() }
        #expect(message.contains("SENSE_MFA_CODE") && message.contains("Invalid authentication code."))
        #expect(!message.contains("999999"))
        _ = try failure(METER_LOGIN_REQUIRED) { try rig.instance.start() }
        #expect(rig.cloud.paths.filter { $0 == "authenticate/mfa" }.count == 1)
    }

    @Test func `without a code it is said how to give one`() throws {
        let rig = try Rig(account: withCodes("123456"))
        let message = try failure(METER_LOGIN_REQUIRED) { try rig.instance.start() }
        for way in ["smart-meter login sense", "SENSE_TOTP_SECRET", "SENSE_MFA_CODE"] { #expect(message.contains(way)) }
    }

    // MARK: With a person

    @Test func `a person is asked for the code, and told what was found`() throws {
        let rig = try Rig(account: withCodes("123456"))
        let answer = try rig.instance.login(answering: ["000000", "123 456"])
        #expect(answer.questions.map(\.kind) == [METER_PROMPT_CODE, METER_PROMPT_CODE])
        #expect(answer.questions[1].text.contains("Invalid authentication code."))
        #expect(
            answer.text == "Sense account 7702 of ann@example.com, monitor 12345 (America/New_York, with solar)")
        try rig.instance.start()
        try rig.read()
        #expect(rig.cloud.loginCount == 1)
    }

    @Test func `a person is asked for the password where the settings have none`() throws {
        let rig = try Rig([.house(), .house(id: 777, withSolar: false)], settings: ["password": ""])
        _ = try failure(METER_LOGIN_REQUIRED) { try rig.instance.start() }
        let answer = try rig.instance.login(answering: [rig.cloud.account.password])
        #expect(answer.questions.map(\.kind) == [METER_PROMPT_SECRET])
        #expect(answer.questions[0].text.contains("ann@example.com"))
        #expect(answer.text.contains("12345 (America/New_York, with solar), 777 (America/New_York)"))
        #expect(answer.text.contains("SENSE_MONITOR_ID"))
        let again = try rig.restarted(settings: ["password": "", "monitor_id": "777"])
        try again.instance.start()
        try again.read()
        #expect(rig.cloud.loginCount == 1)
    }

    @Test func `nobody is asked for a code that the settings can make`() throws {
        let rig = try Rig(
            settings: ["totp_secret": Self.secret], account: withCodes("279037"), clock: SimulatedClock(Self.time))
        #expect(try rig.instance.login(answering: []).questions.isEmpty)
        #expect(rig.cloud.loginCount == 1)
    }

    @Test func `a login that is given up leaves what was there`() throws {
        let rig = try Rig(account: withCodes("123456"))
        _ = try failure(METER_CANCELLED) { try rig.instance.login(answering: []) }
        _ = try failure(METER_LOGIN_REQUIRED) { try rig.instance.login(answering: ["1", "2", "3", "4"]) }
        #expect(rig.host.values["account"] == nil)
    }

    @Test func `a person who mistypes the password is told`() throws {
        let rig = try Rig(settings: ["password": ""])
        let message = try failure(METER_CREDENTIALS_REFUSED) { try rig.instance.login(answering: ["mistyped"]) }
        #expect(!message.contains("mistyped"))
    }

    // MARK: Whose tokens

    @Test(arguments: [["email": "bob@example.com"], ["api_url": "http://127.0.0.1:1/"]])
    func `tokens go to nobody but whom they are of`(settings: [String: String]) throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.forgetRequests()
        let other = try rig.restarted(settings: settings)
        #expect(throws: AdapterFailure.self) { try other.instance.start() }
        #expect(rig.cloud.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func `what is kept and cannot be read is no account`() throws {
        for damaged in ["", "{", "[]", "{\"email\":1}", "{\"email\":\"ann@example.com\"}", "\u{FFFD}"] {
            let rig = try Rig(kept: ["account": Array(damaged.utf8), "device": Array("no device".utf8)])
            try rig.instance.start()
            #expect(rig.cloud.loginCount == 1 && rig.cloud.complaints.isEmpty)
        }
    }

    // MARK: Monitors

    @Test func `of two monitors one has to be chosen`() throws {
        let monitors: [SenseModel] = [.house(), .house(id: 777, withSolar: false)]
        let rig = try Rig(monitors)
        let message = try failure(METER_MISCONFIGURED) { try rig.instance.start() }
        #expect(message.contains("SENSE_MONITOR_ID") && message.contains("12345") && message.contains("777"))
        let chosen = try rig.restarted(settings: ["monitor_id": "777"])
        try chosen.instance.start()
        #expect(try chosen.read().known == METER_CONSUMPTION_POWER)
        #expect(rig.cloud.loginCount == 1)
    }

    @Test func `a monitor that the account has not is named with those that it has`() throws {
        let rig = try Rig(settings: ["monitor_id": "999"])
        let message = try failure(METER_MISCONFIGURED) { try rig.instance.start() }
        #expect(message.contains("999") && message.contains("12345 (America/New_York"))
        // One that was bought since.
        rig.cloud.setMonitors([.house(), .house(id: 999)])
        _ = try rig.instance.login(answering: [])
        try rig.instance.start()
        try rig.read()
    }

    @Test func `the only monitor stays the one when another is bought`() throws {
        let rig = try Rig()
        try rig.instance.start()
        rig.cloud.setMonitors([.house(id: 777, withSolar: false), .house()])
        rig.goOn(1000)
        rig.cloud.forgetTokens()
        try rig.read()
        let again = try rig.restarted()
        try again.instance.start()
        #expect(rig.cloud.loginCount == 2)
        #expect(rig.cloud.paths.allSatisfy { !$0.contains("777") })
    }

    @Test func `an account without a monitor is said to have none`() throws {
        let rig = try Rig([])
        let message = try failure(METER_MISCONFIGURED) { try rig.instance.start() }
        #expect(message.contains("no monitor"))
    }

    @Test(arguments: ["1.63.999", "1.9", "0.99.1", "1"])
    func `firmware that is too old is named`(version: String) throws {
        var old = SenseModel.house()
        old.version = version
        let rig = try Rig([old])
        let message = try failure(METER_UNSUPPORTED) { try rig.instance.start() }
        #expect(message.contains("firmware") && message.contains(version) && message.contains("1.64"))
        #expect(!rig.cloud.paths.contains { $0.hasSuffix("realtime_update") })
        var new = old
        new.version = "1.100.0-a"
        rig.cloud.setMonitors([new])
        try rig.instance.start()
        try rig.read()
    }
}
