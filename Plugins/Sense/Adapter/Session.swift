import AdapterKit

/// The account at the cloud: answers questions with a token that is good, renews it when it is not, and logs in when
/// nothing else helps. New tokens are kept durably before they are used: the old ones are dead by then.
final class Session {
    let host: AdapterHost
    let preferences: Preferences
    private var account: Account?
    /// Whether the host's state has the account as it is.
    private var isKept = true
    /// Monotonic.
    private var loggedInAt: Int64?
    /// The access token was refused, and there was no time to renew it.
    private var isRenewalDue = false

    private enum Key {
        static let account = "account"
        static let usedCode = "used_code"
    }

    /// Between two logins with the password, and before a refusal is looked at again.
    private static let loginPause = 900.0
    /// An answer with tokens that comes too late is lost, and the tokens before are dead by then.
    private static let renewalSeconds = 5.0

    init(_ host: AdapterHost, _ preferences: Preferences) {
        self.host = host
        self.preferences = preferences
    }

    // MARK: Questions

    /// What the cloud answers to an address below the API's.
    /// - Parameter mayRenew: false = tokens that are refused are left to the next question that may.
    func json(_ path: String, _ deadline: Deadline?, mayRenew: Bool = true) throws(AdapterError) -> JSON {
        let cloud = try cloud()
        guard mayRenew || (account ?? stored()) != nil else { throw postponed }
        let isNew = isRenewalDue && mayRenew
        var response = try cloud.get(
            path, token: try (isNew ? renewed(deadline) : current(deadline)).accessToken, deadline)
        if response.status == 401, !isNew {
            isRenewalDue = true
            guard mayRenew else { throw postponed }
            response = try cloud.get(path, token: try renewed(deadline).accessToken, deadline)
        }
        if response.status == 401 {
            // Renewed, and refused all the same.
            response = try cloud.get(path, token: try logIn(deadline).accessToken, deadline)
        }
        let place = preferences.url + path.prefix { $0 != "?" }
        switch response.status {
        case 200:
            guard let json = JSON.parse(response.body), json.members != nil else {
                throw AdapterError(.badData, "\(place) answered something that is not JSON")
            }
            return json
        case 401:
            throw AdapterError(
                .unauthorized, "\(place) refuses a token that is new (asked again in 15 minutes)",
                retryAfterSeconds: Self.loginPause)
        case 403, 404:
            throw AdapterError(
                .unauthorized,
                "\(place) answered \(response.status): the account may not read this monitor; is SENSE_MONITOR_ID still "
                    + "right? (asked again in 15 minutes)", retryAfterSeconds: Self.loginPause)
        default: throw response.refusal(of: place)
        }
    }

    /// The monitor that is read.
    func monitor(_ deadline: Deadline?) throws(AdapterError) -> Monitor {
        let account = try current(deadline)
        let wanted = preferences.monitorID ?? account.chosenID
        if let monitor = account.monitors.first(where: { $0.id == wanted }) { return monitor }
        let list = account.monitors.map(\.words).joined(separator: ", ")
        if let wanted = preferences.monitorID {
            throw AdapterError(
                .misconfigured,
                "SENSE_MONITOR_ID: the account had no monitor \(wanted) at the last login, but \(list); "
                    + "`smart-meter login sense` looks again")
        }
        guard let only = account.monitors.first, account.monitors.count == 1 else {
            throw AdapterError(
                .misconfigured,
                account.monitors.isEmpty
                    ? "the Sense account of SENSE_EMAIL had no monitor at the last login; "
                        + "`smart-meter login sense` looks again"
                    : "the Sense account has several monitors: \(list); set SENSE_MONITOR_ID to one of them")
        }
        var chosen = account
        chosen.chosenID = only.id
        try take(chosen)
        return only
    }

    // MARK: Tokens

    /// The account with tokens that are kept: from before, or of a login.
    private func current(_ deadline: Deadline?) throws(AdapterError) -> Account {
        if account == nil { account = stored() }
        guard let account else { return try logIn(deadline) }
        if !isKept { try take(account) }
        return account
    }

    private func stored() -> Account? {
        guard let account = host.state(Key.account).flatMap(Account.init(stored:)),
            account.email == preferences.email, account.url == preferences.url
        else { return nil }
        return account
    }

    /// New tokens from here on, once they are on the disk.
    private func take(_ account: Account) throws(AdapterError) {
        self.account = account
        isKept = false
        isRenewalDue = false
        try host.setState(Key.account, account.encoded)
        isKept = true
    }

    private var postponed: AdapterError {
        AdapterError(.timeout, "there is no time to renew Sense's access token: the next reading begins with it")
    }

    private func checkTime(_ deadline: Deadline?) throws(AdapterError) {
        guard let deadline else { return }
        guard Double(deadline.monotonic - host.nowMonotonic) >= Self.renewalSeconds * 1e9 else { throw postponed }
    }

    private func renewed(_ deadline: Deadline?) throws(AdapterError) -> Account {
        var account = try current(deadline)
        try checkTime(deadline)
        let response = try cloud().post(
            "renew", [("user_id", account.userID), ("refresh_token", account.refreshToken)], deadline)
        switch response.status {
        case 200:
            guard let answer = JSON.parse(response.body), account.renew(answer) else {
                throw AdapterError(.badData, "\(preferences.url)renew answered something without tokens")
            }
            try take(account)
            host.log(.debug, "the access token was renewed")
            return account
        case 401: return try logIn(deadline)
        case 400, 403, 404:
            guard response.isOfSense else { throw foreign(response, "renew") }
            return try logIn(deadline)
        default: throw response.refusal(of: "\(preferences.url)renew")
        }
    }

    // MARK: Login

    /// With what the settings have.
    private func logIn(_ deadline: Deadline?) throws(AdapterError) -> Account {
        guard !preferences.password.isEmpty else {
            throw AdapterError(
                .loginRequired,
                "nobody is logged in to Sense: run `smart-meter login sense`, or set SENSE_PASSWORD")
        }
        let pause = loggedInAt.map { Self.loginPause - Double(host.nowMonotonic - $0) / 1e9 } ?? 0
        guard pause <= 0 else {
            throw AdapterError(
                .unauthorized, "Sense refuses the tokens of a login of a moment ago (tried again later)",
                retryAfterSeconds: pause)
        }
        try checkTime(deadline)
        switch try authenticate(preferences.password, deadline) {
        case .done(let account): return account
        case .needsCode(let ticket): return try answer(ticket, preferences.password, deadline)
        }
    }

    /// With a code that nobody has to be asked for.
    func answer(
        _ ticket: String, _ password: String, _ deadline: Deadline?
    ) throws(AdapterError) -> Account {
        switch try answer(ticket, with: try code(), password, deadline) {
        case .taken(let account): return account
        case .refused(let reason): throw refusal(reason)
        }
    }

    enum Step {
        case done(Account)
        /// The account has two-step login; what the code has to come with.
        case needsCode(String)
    }

    func authenticate(_ password: String, _ deadline: Deadline?) throws(AdapterError) -> Step {
        let response = try cloud().post(
            "authenticate", [("email", preferences.email), ("password", password)], deadline)
        switch response.status {
        case 200: return .done(try takeLogin(response))
        case 429, 500...: throw response.refusal(of: "\(preferences.url)authenticate")
        default: break
        }
        if response.status == 401, let ticket = JSON.parse(response.body)?["mfa_token"]?.text {
            return .needsCode(ticket)
        }
        guard response.status == 401 || response.isOfSense else { throw foreign(response, "authenticate") }
        throw AdapterError(
            .credentialsRefused,
            "Sense refuses the login of \(preferences.email): check SENSE_EMAIL and SENSE_PASSWORD; "
                + Cloud.reason(response, hiding: [password]))
    }

    enum CodeAnswer {
        case taken(Account)
        case refused(String)
    }

    func answer(
        _ ticket: String, with code: String, _ password: String, _ deadline: Deadline?
    ) throws(AdapterError) -> CodeAnswer {
        let fields = [
            ("totp", code), ("mfa_token", ticket), ("client_time", ISOTime.text(host.nowWall)),
        ]
        let response = try cloud().post("authenticate/mfa", fields, deadline)
        switch response.status {
        case 200: return .taken(try takeLogin(response))
        case 429, 500...: throw response.refusal(of: "\(preferences.url)authenticate/mfa")
        default:
            guard response.status == 401 || response.isOfSense else { throw foreign(response, "authenticate/mfa") }
            return .refused(Cloud.reason(response, hiding: [password, ticket, code]))
        }
    }

    /// What somebody on the way says, a proxy or a gate: it is no word on the password.
    private func foreign(_ response: HTTPResponse, _ path: String) -> AdapterError {
        AdapterError(
            .unavailable,
            "\(preferences.url)\(path) answered \(response.status) with something that is not of Sense's API: does a proxy "
                + "or a firewall stand between? (asked again in 15 minutes)", retryAfterSeconds: Self.loginPause)
    }

    private func takeLogin(_ response: HTTPResponse) throws(AdapterError) -> Account {
        guard let answer = JSON.parse(response.body),
            var account = Account(answer: answer, email: preferences.email, url: preferences.url)
        else { throw AdapterError(.badData, "\(preferences.url)authenticate answered something without tokens") }
        let before = self.account ?? stored()
        account.chosenID = before?.chosenID
        loggedInAt = host.nowMonotonic
        try take(account)
        host.log(.info, "logged in to Sense as \(account.email)")
        return account
    }

    // MARK: One-time codes without a person

    private func code() throws(AdapterError) -> String {
        if let codes = preferences.codes { return codes.code(at: host.nowWall / Time.second) }
        guard let code = preferences.code else {
            throw AdapterError(
                .loginRequired,
                "Sense asks for a one-time code: run `smart-meter login sense`, or set SENSE_TOTP_SECRET (for good) or "
                    + "SENSE_MFA_CODE (for one login)")
        }
        guard host.state(Key.usedCode) != Array(code.utf8) else {
            throw AdapterError(
                .loginRequired,
                "SENSE_MFA_CODE has been used: run `smart-meter login sense`, set the code of this moment, or set "
                    + "SENSE_TOTP_SECRET")
        }
        // Before it is used: a code that was sent is of no use, whatever comes of it.
        try host.setState(Key.usedCode, Array(code.utf8))
        return code
    }

    private func refusal(_ reason: String) -> AdapterError {
        preferences.codes != nil
            ? AdapterError(
                .credentialsRefused,
                "Sense refuses the one-time code: check SENSE_TOTP_SECRET and this machine's clock; \(reason)")
            : AdapterError(
                .loginRequired,
                "Sense refuses SENSE_MFA_CODE, which is good for half a minute: run `smart-meter login sense`, or set "
                    + "SENSE_TOTP_SECRET; \(reason)")
    }

    private var madeCloud: Cloud?

    private func cloud() throws(AdapterError) -> Cloud {
        if let madeCloud { return madeCloud }
        let cloud = try Cloud(host, url: preferences.url)
        madeCloud = cloud
        return cloud
    }
}
