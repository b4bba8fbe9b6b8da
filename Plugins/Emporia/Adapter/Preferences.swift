import AdapterKit

/// What the settings say, checked.
struct Preferences: Sendable {
    /// As Cognito knows it: in lower case.
    var email: String
    var password: String
    /// Names or numbers of devices; empty = all of the account.
    var devices: [String]
    /// Without a slash at the end.
    var apiURL: String
    var authURL: String

    static let vendorAPI = "https://api.emporiaenergy.com"
    static let vendorAuth = "https://cognito-idp.us-east-2.amazonaws.com"

    static let settings: [Setting] = [
        Setting("email", .text, isRequired: true, help: "Email address of the Emporia account"),
        Setting("password", .secret, isRequired: true, help: "Its password"),
        Setting(
            "devices", .list,
            help:
                "Names or numbers of the devices to read, as the app or the log shows them; default: all of the account"
        ),
        Setting("api_url", .url, default: vendorAPI, help: "Address of Emporia's service, or of a proxy for it"),
        Setting("auth_url", .url, default: vendorAuth, help: "Address of Emporia's login, or of a proxy for it"),
    ]

    init(_ host: AdapterHost) throws(AdapterError) {
        email = (host.setting("email") ?? "").lowercased()
        password = host.setting("password") ?? ""
        guard email.utf8.count <= 320, email.contains("@"), !email.contains(where: \.isWhitespace) else {
            throw AdapterError(.misconfigured, "EMPORIA_EMAIL is no email address")
        }
        guard !password.isEmpty else { throw AdapterError(.misconfigured, "EMPORIA_PASSWORD is missing") }
        devices = host.list("devices")
        apiURL = try Self.address("api_url", host) ?? Self.vendorAPI
        authURL = try Self.address("auth_url", host) ?? Self.vendorAuth
    }

    private static func address(_ name: String, _ host: AdapterHost) throws(AdapterError) -> String? {
        guard var url = host.setting(name), !url.isEmpty else { return nil }
        while url.hasSuffix("/") { url.removeLast() }
        guard isSafe(url) else {
            throw AdapterError(
                .misconfigured,
                "EMPORIA_\(name.uppercased()) must be an address that begins with https:// (http:// only to this "
                    + "machine itself), without user, query and fragment")
        }
        return url
    }

    /// Tokens are sent there: nobody in between may read them.
    private static func isSafe(_ url: String) -> Bool {
        guard !url.contains(where: { "@?#\\".contains($0) || $0.isWhitespace }) else { return false }
        if url.hasPrefix("https://") { return url.utf8.count > 8 }
        guard url.hasPrefix("http://") else { return false }
        let server = url.dropFirst(7).prefix { $0 != "/" }.lowercased()
        return ["localhost", "127.0.0.1", "[::1]"].contains { name in
            server == name || server.hasPrefix("\(name):") && server.dropFirst(name.count + 1).allSatisfy(\.isNumber)
        }
    }
}
