import AdapterKit

/// What the settings say, checked.
struct Preferences: Sendable {
    var email: String
    /// Empty = a person logs in.
    var password: String
    var code: String?
    var codes: OneTimeCode?
    var monitorID: String?
    /// Ends with a slash.
    var url: String

    static let settings: [Setting] = [
        Setting("email", .text, isRequired: true, help: "E-mail address of the Sense account"),
        Setting("password", .secret, help: "Its password; not needed after `smart-meter login sense`"),
        Setting(
            "mfa_code", .secret,
            help:
                "The account's one-time code of this moment, used for one login; `smart-meter login sense` asks for it"
        ),
        Setting(
            "totp_secret", .secret,
            help: "Secret key that the one-time codes are made of, as shown when two-step login is set up (base32)"),
        Setting("monitor_id", .text, help: "Which monitor, where the account has several; the log names them"),
        Setting(
            "api_url", .url, default: "https://api.sense.com/apiservice/api/v1/",
            help: "Address of Sense's API; https, or http to this machine"),
    ]

    init(_ host: AdapterHost) throws(AdapterError) {
        email = host.setting("email") ?? ""
        guard email.contains("@"), email.utf8.count <= 254, email.utf8.allSatisfy({ $0 > 0x20 }) else {
            throw AdapterError(.misconfigured, "SENSE_EMAIL is not an e-mail address")
        }
        password = host.setting("password") ?? ""
        code = try Self.code(host)
        codes = try Self.codes(host)
        monitorID = host.setting("monitor_id")
        if let monitorID, !Monitor.isID(monitorID) {
            throw AdapterError(
                .misconfigured, "SENSE_MONITOR_ID is not the number of a monitor: '\(monitorID.prefix(80))'")
        }
        url = host.setting("api_url") ?? ""
        guard APIAddress.isTrusted(url) else {
            throw AdapterError(
                .misconfigured,
                "SENSE_API_URL has to be an https:// address without user, query and fragment (http:// only of this "
                    + "machine): the password is sent there")
        }
        if !url.hasSuffix("/") { url += "/" }
    }

    private static func code(_ host: AdapterHost) throws(AdapterError) -> String? {
        guard let setting = host.setting("mfa_code") else { return nil }
        let code = setting.filter { $0 != " " }
        guard (4...10).contains(code.utf8.count), code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw AdapterError(
                .misconfigured, "SENSE_MFA_CODE is not a one-time code: digits are expected, as in 123456")
        }
        return code
    }

    private static func codes(_ host: AdapterHost) throws(AdapterError) -> OneTimeCode? {
        guard let secret = host.setting("totp_secret") else { return nil }
        guard let codes = OneTimeCode(base32: secret) else {
            throw AdapterError(
                .misconfigured, "SENSE_TOTP_SECRET is not a secret key: letters and the digits 2 to 7 are expected")
        }
        return codes
    }
}

/// Which addresses a password may be sent to.
enum APIAddress {
    /// Encrypted, or to this machine.
    static func isTrusted(_ url: String) -> Bool {
        let isEncrypted = url.hasPrefix("https://")
        guard isEncrypted || url.hasPrefix("http://"),
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"?#@\\".utf8.contains($0) })
        else { return false }
        let authority = url.dropFirst(isEncrypted ? 8 : 7).prefix { $0 != "/" }
        guard let host = host(authority) else { return false }
        return isEncrypted || isLoopback(host)
    }

    /// Without the port.
    private static func host(_ authority: Substring) -> Substring? {
        let isLiteral = authority.hasPrefix("[")
        guard let end = isLiteral ? authority.firstIndex(of: "]").map(authority.index(after:)) : authority.endIndex
        else { return nil }
        let name = isLiteral ? authority[..<end] : authority.prefix { $0 != ":" }
        let rest = authority[name.endIndex...]
        guard rest.isEmpty || (rest.hasPrefix(":") && UInt16(rest.dropFirst()) != nil) else { return nil }
        return name.isEmpty ? nil : name
    }

    private static func isLoopback(_ host: Substring) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
