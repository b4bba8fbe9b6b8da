/// Who may ask what: the settings behind it, which a reload may change.
package struct AccessRules: Sendable {
    /// Nil = everybody.
    private let token: [UInt8]?
    /// Metrics are told without the token.
    let areMetricsOpen: Bool
    let hosts: HostCheck

    package init(token: String? = nil, areMetricsOpen: Bool = false, hosts: HostCheck = HostCheck()) {
        self.token = token.map { Array($0.utf8) }
        self.areMetricsOpen = areMetricsOpen
        self.hosts = hosts
    }

    var needsToken: Bool { token != nil }

    func hasToken(of other: AccessRules) -> Bool { token == other.token }

    /// Whether the request has the token, where one is needed.
    func trusts(authorization: String?) -> Bool {
        guard let token else { return true }
        guard let authorization else { return false }
        let parts = authorization.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard parts.count == 2, String(parts[0])?.lowercased() == "bearer" else { return false }
        return Self.areEqual(Array(parts[1]), token)
    }

    /// Takes as long for any wrong text of the same length: how much of it is right must not show in the time.
    private static func areEqual(_ given: [UInt8], _ token: [UInt8]) -> Bool {
        var difference: UInt8 = given.count == token.count ? 0 : 1
        for index in given.indices { difference |= given[index] ^ token[index % token.count] }
        return difference == 0
    }
}

/// Whether a request that changes something comes from a page of another site. Browsers say where a request comes from;
/// a program that says nothing is no page.
enum OriginCheck {
    static func accepts(site: String?, origin: String?, host: String?) -> Bool {
        if let site { return site == "same-origin" || site == "none" }
        guard let origin else { return true }
        guard let host, let scheme = origin.range(ofFirst: "://") else { return false }
        return withoutDefaultPort(String(origin[scheme.upperBound...])) == withoutDefaultPort(host)
    }

    /// A browser leaves the scheme's own port out of both.
    private static func withoutDefaultPort(_ authority: String) -> String {
        let lower = authority.lowercased()
        for port in [":80", ":443"] where lower.hasSuffix(port) { return String(lower.dropLast(port.count)) }
        return lower
    }
}

extension String {
    fileprivate func range(ofFirst text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
