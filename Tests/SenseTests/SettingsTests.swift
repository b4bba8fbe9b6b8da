import AdapterABI
import FakeHost
import Testing

/// Settings that are wrong are named, and what they hold is not shown where it is a secret.
@Suite struct SettingsTests {
    @Test(arguments: [
        ("email", "nobody", "SENSE_EMAIL", true), ("email", "a b@example.com", "SENSE_EMAIL", true),
        ("mfa_code", "12x456", "SENSE_MFA_CODE", true), ("mfa_code", "777", "SENSE_MFA_CODE", true),
        ("totp_secret", "GEZD0189", "SENSE_TOTP_SECRET", true), ("monitor_id", "../../x", "SENSE_MONITOR_ID", false),
        ("monitor_id", "12 34", "SENSE_MONITOR_ID", false), ("api_url", "http://api.sense.com/", "SENSE_API_URL", true),
    ])
    func `a wrong setting is named`(name: String, value: String, variable: String, isHidden: Bool) throws {
        let host = FakeHost(settings: ["email": "ann@example.com", "password": "x"].merging([name: value]) { $1 })
        let failure = #expect(throws: AdapterFailure.self) { try Rig.adapter().create(host) }
        #expect(failure?.code == METER_MISCONFIGURED)
        #expect(failure?.message.contains(variable) == true)
        #expect(failure?.message.contains(value) == !isHidden)
    }

    @Test func `the maker's address is the default, encrypted`() throws {
        let host = FakeHost(settings: ["email": "ann@example.com", "password": "x"]) { request in
            .failure(code: METER_UNREACHABLE, message: request.url)
        }
        let instance = try Rig.adapter().create(host)
        let failure = #expect(throws: AdapterFailure.self) { try instance.start() }
        #expect(failure?.message == "https://api.sense.com/apiservice/api/v1/authenticate")
    }

    @Test func `it is read once a minute, and rationed`() throws {
        let adapter = try Rig.adapter()
        #expect(adapter.meterType == "sense")
        #expect(
            adapter.settingNames == ["email", "password", "mfa_code", "totp_secret", "monitor_id", "api_url"])
        let descriptor = unsafe adapter.descriptor.pointee
        #expect(unsafe descriptor.requests_per_day == 2000)
        #expect(unsafe descriptor.minimum_sampling_ns == 60 * Rig.second)
        #expect(unsafe descriptor.history_step_ns == Rig.hour)
    }
}
