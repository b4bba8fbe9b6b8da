import Foundation

/// Digest authentication as the device does it: MD5, a session for each nonce, whose count has to rise.
struct DigestGate {
    struct Account: Sendable {
        var user: String
        var password: String
    }

    let realm: String
    let accounts: [Account]
    private var sessions: [String: (count: Int, usedAt: Double)] = [:]
    private var made = 0
    /// A session that is not used ends.
    private static let sessionSeconds = 600.0

    init(realm: String, accounts: [Account]) {
        self.realm = realm
        self.accounts = accounts
    }

    /// - Parameter header: of Authorization.
    mutating func admits(_ header: String?, method: String, now: Double) -> Bool {
        guard !accounts.isEmpty else { return true }
        guard let header, header.hasPrefix("Digest") else { return false }
        let said = Self.parameters(header)
        guard let user = said["username"], let nonce = said["nonce"], let uri = said["uri"], said["realm"] != nil,
            let response = said["response"], let cnonce = said["cnonce"], let count = said["nc"],
            let account = accounts.first(where: { $0.user == user })
        else { return false }
        sessions = sessions.filter { $0.value.usedAt + Self.sessionSeconds >= now }
        guard let session = sessions[nonce], let number = Int(count, radix: 16), number > session.count else {
            return false
        }
        sessions[nonce]?.count = number
        let first = MD5.hex("\(user):\(realm):\(account.password)")
        let second = MD5.hex("\(method):\(uri)")
        let expected =
            said["qop"] == "auth"
            ? MD5.hex("\(first):\(nonce):\(count):\(cnonce):auth:\(second)") : MD5.hex("\(first):\(nonce):\(second)")
        guard response == expected else { return false }
        sessions[nonce]?.usedAt = now
        return true
    }

    /// A new session, as the value of WWW-Authenticate.
    mutating func challenge(now: Double) -> String {
        sessions = sessions.filter { $0.value.count == 0 }
        made += 1
        let nonce = MD5.hex("\(now) \(made) \(realm)")
        sessions[nonce] = (0, now)
        return "Digest realm=\"\(realm)\",qop=\"auth\",nonce=\"\(nonce)\""
    }

    /// name=value and name="value", separated by commas.
    private static func parameters(_ header: String) -> [String: String] {
        var found: [String: String] = [:]
        var rest = header.dropFirst("Digest".count)
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].trimmingCharacters(in: CharacterSet(charactersIn: " ,"))
            rest = rest[rest.index(after: equals)...]
            let isQuoted = rest.first == "\""
            if isQuoted { rest.removeFirst() }
            let end = rest.firstIndex(of: isQuoted ? "\"" : ",") ?? rest.endIndex
            found[name] = String(rest[..<end])
            rest = rest[end...].dropFirst()
        }
        return found
    }
}
