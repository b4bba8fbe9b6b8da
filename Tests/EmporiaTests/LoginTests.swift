import AdapterABI
import FakeHost
import TestSupport
import Testing

/// Logins, renewals, and what becomes of a refused one.
extension EmporiaTests {
    @Suite struct LoginTests {
        /// Nothing that is secret stands in anything that a person sees.
        private func expectNoSecret(_ rig: Rig, _ failures: [AdapterFailure] = []) throws {
            let words = (rig.host.logs + failures.map(\.message)).joined(separator: "\n")
            let secrets = try rig.cloud.state().secrets + [rig.cloud.account.password]
            for secret in secrets { #expect(!words.contains(secret)) }
            #expect(!words.contains("authtoken") && !words.contains("SRP_A"))
        }

        @Test(arguments: [
            "simple", "pässword 1! &=+%", "\"quoted\\ \u{1F600}", " spaces ", String(repeating: "x", count: 256),
        ])
        func `a password of any signs logs in`(password: String) throws {
            var account = EmporiaAccount.home
            account.password = password
            let rig = try Rig(account)
            try rig.instance.start()
            #expect(try rig.read().count == 1)
            #expect(try rig.cloud.state().logins == 1)
            try expectNoSecret(rig)
        }

        @Test func `a token is renewed before it ends, without a login`() throws {
            let rig = try Rig()
            try rig.cloud.control(["life": 600])
            try rig.instance.start()
            for _ in 1...30 { try rig.read(after: 60) }
            let state = try rig.cloud.state()
            #expect(state.logins == 1 && state.renewals == 3)
            #expect(state.requests.filter { $0.contains("1MIN") }.count == 30, "no request was made in vain")
            try expectNoSecret(rig)
        }

        @Test func `a token that no longer counts is renewed within the poll, and one reading is not lost`() throws {
            let rig = try Rig()
            try rig.instance.start()
            try rig.read()
            try rig.cloud.control(["expire_tokens": true, "forget": true])
            #expect(try rig.read(after: 60).count == 1)
            let requests = try rig.cloud.takeRequests()
            #expect(requests.count == 3 && requests[1] == "InitiateAuth" && requests[0] == requests[2])
            #expect(try rig.cloud.state().logins == 1)
        }

        @Test func `where the refresh token is refused, the password logs in again`() throws {
            let rig = try Rig()
            try rig.instance.start()
            let before = try #require(rig.host.values["tokens"])
            try rig.read()
            try rig.cloud.control(["refuse_refresh": true])
            #expect(try rig.read(after: 60).count == 1)
            #expect(try rig.cloud.state().logins == 2)
            #expect(rig.host.values["tokens"] != before)
            try expectNoSecret(rig)
        }

        @Test func `a restart goes on with what the run before has kept`() throws {
            let first = try Rig()
            try first.instance.start()
            try first.read()
            let second = try Rig(state: first.host.values, at: first.time + 60, goesOn: true)
            try second.instance.start()
            #expect(try second.read().count == 1)
            let state = try first.cloud.state()
            #expect(state.logins == 1 && state.renewals == 1)
        }

        @Test(arguments: [
            "", "{", "[]", "{\"email\":\"owner@example.com\",\"server\":\"https://a\",\"refresh_token\":\"abc\"}",
            "{\"email\":\"other@example.com\",\"refresh_token\":\"abc\"}", "\u{0}\u{1}",
        ])
        func `what was kept of another account or address, or makes no sense, is left aside`(kept: String) throws {
            let rig = try Rig(state: ["tokens": Array(kept.utf8)])
            try rig.instance.start()
            let state = try rig.cloud.state()
            #expect(state.logins == 1 && state.renewals == 0)
        }

        @Test func `a wrong password is refused once, for a person to correct`() throws {
            let rig = try Rig(settings: ["password": "wrong pässword"])
            let refusal = try failure { try rig.instance.start() }
            #expect(refusal.code == METER_CREDENTIALS_REFUSED)
            #expect(refusal.message.contains("EMPORIA_PASSWORD"))
            let state = try rig.cloud.state()
            #expect(state.refused == 1 && state.logins == 0)
            #expect(!refusal.message.contains("wrong p"))
            #expect(rig.host.values["tokens"] == nil)
        }

        @Test func `an unknown account is refused likewise`() throws {
            let rig = try Rig(settings: ["email": "nobody@example.com"])
            #expect(try failure { try rig.instance.start() }.code == METER_CREDENTIALS_REFUSED)
        }

        @Test(arguments: ["SMS_MFA", "SOFTWARE_TOKEN_MFA", "NEW_PASSWORD_REQUIRED"])
        func `a challenge that a program cannot meet is named, and not tried again`(challenge: String) throws {
            let rig = try Rig()
            try rig.cloud.control(["challenge": challenge])
            let refusal = try failure { try rig.instance.start() }
            #expect(refusal.code == METER_CREDENTIALS_REFUSED && refusal.message.contains(challenge))
        }

        @Test(
            arguments: [
                (400, "PasswordResetRequiredException", METER_CREDENTIALS_REFUSED),
                (400, "UserNotConfirmedException", METER_CREDENTIALS_REFUSED),
                (400, "com.amazonaws#NotAuthorizedException", METER_CREDENTIALS_REFUSED),
                (400, "TooManyRequestsException", METER_RATE_LIMITED),
                (400, "LimitExceededException", METER_RATE_LIMITED),
                (400, "InternalErrorException", METER_UNAVAILABLE), (400, "Strange\u{1B}[31mException", METER_BAD_DATA),
                (500, "", METER_UNAVAILABLE), (429, "", METER_RATE_LIMITED), (403, "", METER_BAD_DATA),
            ] as [(Int, String, Int32)])
        func `what the login says has its own answer`(status: Int, kind: String, code: Int32) throws {
            let rig = try Rig()
            try rig.fault("InitiateAuth", status, ["body": "{\"__type\":\"\(kind)\",\"message\":\"secret words\"}"])
            let refusal = try failure { try rig.instance.start() }
            #expect(refusal.code == code, "\(refusal.message)")
            #expect(!refusal.message.contains("secret words") && !refusal.message.contains("\u{1B}"))
            if code < 100 {
                try rig.instance.start()
                #expect(try rig.cloud.state().logins == 1)
            }
        }

        @Test func `a service that takes no token at all is asked again later, not logged in to again and again`()
            throws
        {
            let rig = try Rig()
            try rig.instance.start()
            try rig.fault("/AppAPI", 401, count: 100)
            let refusal = try failure { try rig.read() }
            #expect(refusal.code == METER_UNAUTHORIZED && refusal.retryAfter == 900 * Rig.second)
            #expect(try failure { try rig.read(after: 900) }.code == METER_UNAUTHORIZED)
            #expect(try rig.cloud.state().logins == 1)
            try expectNoSecret(rig, [refusal])
        }

        @Test(
            arguments: [
                ("email", "nobody"), ("email", "a b@c"), ("password", ""), ("api_url", "http://api.example.com"),
                ("auth_url", "http://127.0.0.1.example.com"), ("api_url", "http://localhost@example.com"),
                ("api_url", "ftp://localhost"), ("api_url", "https://"), ("auth_url", "https://a.example/?x=1"),
                ("api_url", "http://[::1].example.com"),
            ])
        func `a setting that makes no sense is named, and a token would go nowhere unencrypted`(
            name: String, value: String
        ) throws {
            let host = FakeHost(settings: ["email": "a@b", "password": "p"].merging([name: value]) { $1 })
            let refusal = try failure { _ = try Rig.adapter().create(host) }
            #expect(refusal.code == METER_MISCONFIGURED && refusal.message.contains("EMPORIA_\(name.uppercased())"))
        }

        @Test(arguments: [
            "http://localhost:1", "http://127.0.0.1", "http://[::1]:8080/x/", "https://proxy.example/emporia/",
        ])
        func `an address of this machine, or an encrypted one, will do`(url: String) throws {
            let host = FakeHost(settings: ["email": "a@b", "password": "p", "api_url": url, "auth_url": url])
            _ = try Rig.adapter().create(host)
        }

        @Test func `a device that the account does not have is a wrong setting, and what it has is named`() throws {
            let rig = try Rig(settings: ["devices": "Barn"])
            let refusal = try failure { try rig.instance.start() }
            #expect(refusal.code == METER_MISCONFIGURED)
            #expect(refusal.message.contains("'Barn'") && refusal.message.contains("Home (2345), Desk lamp (9876)"))
        }
    }
}
