import AdapterKit

/// A token for Emporia's service: the one there is, else a renewed one, and only without a usable refresh token a login
/// with the password. The refresh token outlives a restart in the host's state.
final class Session {
    private let host: AdapterHost
    private let preferences: Preferences
    private let cognito: Cognito
    /// What the service wants to see, and until when (monotonic); nil = none that counts.
    private var token: (text: String, until: Int64)?
    private var refreshToken: String?

    private static let key = "tokens"
    /// A token is given up so long before its end.
    private static let margin = 60.0

    init(_ host: AdapterHost, _ preferences: Preferences) {
        self.host = host
        self.preferences = preferences
        cognito = Cognito(host, preferences)
    }

    /// Takes up what a run before has left; that of another account or for another address is none.
    func resume() {
        token = nil
        let stored = host.state(Self.key).flatMap(JSON.parse)
        guard stored?["email"]?.text == preferences.email, stored?["server"]?.text == preferences.authURL else {
            refreshToken = nil
            return
        }
        refreshToken = stored?["refresh_token"]?.text.flatMap { Cognito.isToken($0) ? $0 : nil }
    }

    func token(_ deadline: Deadline?) throws(AdapterError) -> String {
        if let token, host.nowMonotonic < token.until { return token.text }
        token = nil
        if let refreshToken {
            if let tokens = try cognito.renew(refreshToken, deadline) { return take(tokens) }
            host.log(.info, "the refresh token no longer counts: logging in again")
            keep(nil)
        }
        let tokens = try cognito.login(deadline)
        host.log(.info, "logged in to Emporia")
        return take(tokens)
    }

    /// The service does not take the token: the next call renews it.
    func discard() { token = nil }

    private func take(_ tokens: Cognito.Tokens) -> String {
        if let refresh = tokens.refresh, refresh != refreshToken { keep(refresh) }
        let seconds = max(tokens.lifeSeconds / 2, tokens.lifeSeconds - Self.margin)
        token = (tokens.id, host.nowMonotonic + Int64(seconds) * 1_000_000_000)
        return tokens.id
    }

    private func keep(_ refresh: String?) {
        refreshToken = refresh
        let value = refresh.map { refresh in
            "{\"email\":\(JSON.quoted(preferences.email)),\"server\":\(JSON.quoted(preferences.authURL)),"
                + "\"refresh_token\":\(JSON.quoted(refresh))}"
        }
        do throws(AdapterError) {
            try host.setState(Self.key, value.map { Array($0.utf8) })
        } catch {
            host.log(.warning, "the login cannot be kept for the next start: \(error.message)")
        }
    }
}
