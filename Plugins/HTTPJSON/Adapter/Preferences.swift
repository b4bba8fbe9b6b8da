import AdapterKit

/// What the settings say, checked.
struct Preferences: Sendable {
    var url: String
    var authorization: HTTPRequest.Authorization
    var headers: [(name: String, value: String)]
    var caFile: String
    var plan: ReadingPlan

    static let settings: [Setting] =
        access + ReadingPlan.settings

    private static let access: [Setting] = [
        Setting("url", .url, isRequired: true, help: "Address that answers with JSON"),
        Setting("token", .secret, help: "Sent as Authorization: Bearer"),
        Setting("username", .text, help: "With a password, where the address asks for them"),
        Setting("password", .secret, help: "Sent as auth says"),
        Setting(
            "auth", .choice, default: "basic", choices: ["basic", "digest"], help: "How user and password are sent"),
        Setting("headers", .secret, help: "Further headers, such as X-API-Key: abc, X-Site: 7"),
        Setting("ca_file", .file, help: "Certificates to trust instead of the system's (PEM)"),
    ]

    init(_ host: AdapterHost) throws(AdapterError) {
        url = host.setting("url") ?? ""
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw AdapterError(.misconfigured, "HTTP_JSON_URL must begin with http:// or https://")
        }
        authorization = try Self.authorization(host)
        headers = try Self.headers(host)
        caFile = host.setting("ca_file") ?? ""
        plan = try ReadingPlan(host)
    }

    private static func authorization(_ host: AdapterHost) throws(AdapterError) -> HTTPRequest.Authorization {
        let user = host.setting("username") ?? ""
        let password = host.setting("password") ?? ""
        if let token = host.setting("token"), !token.isEmpty {
            guard user.isEmpty else {
                throw AdapterError(.misconfigured, "HTTP_JSON_TOKEN and HTTP_JSON_USERNAME exclude each other")
            }
            return .bearer(token)
        }
        guard !user.isEmpty else { return .none }
        return host.setting("auth") == "digest"
            ? .digest(user: user, password: password) : .basic(user: user, password: password)
    }

    private static func headers(_ host: AdapterHost) throws(AdapterError) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for part in Split.parts(host.setting("headers") ?? "", at: ",") {
            let sides = part.split(separator: ":", maxSplits: 1)
            let name = sides.first.map(String.init) ?? ""
            guard sides.count == 2, !name.isEmpty, name.utf8.allSatisfy(isToken) else {
                throw AdapterError(.misconfigured, "HTTP_JSON_HEADERS must be Name: value, comma-separated")
            }
            headers.append((name, Split.parts(sides[1], at: " ").joined(separator: " ")))
        }
        return headers
    }

    /// A letter, a digit, - or _.
    private static func isToken(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
    }

    /// The address as it may be shown: without a query, which often holds a key, and without a user.
    var place: String {
        let shown = url.prefix { $0 != "?" && $0 != "#" }
        guard let scheme = shown.firstRange(of: "://"), let at = shown.lastIndex(of: "@") else { return String(shown) }
        return "\(shown[..<scheme.upperBound])\(shown[shown.index(after: at)...])"
    }
}
