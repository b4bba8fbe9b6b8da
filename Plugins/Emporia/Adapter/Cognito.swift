import AdapterKit

/// Emporia's login: a user pool of Amazon Cognito. It answers tokens; nothing of them, and nothing of what it says in
/// words, goes into a message.
///
/// Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference, and pycognito.
struct Cognito: Sendable {
    struct Tokens: Sendable {
        /// What the service wants to see.
        var id: String
        /// Of a renewal there is none: the old one goes on.
        var refresh: String?
        var lifeSeconds: Double
    }

    private let host: AdapterHost
    private let preferences: Preferences

    private static let client = "4qte47jbstod8apnfic0bunmrq"
    private static let pool = "ghlOXVLi1"
    private static let longestToken = 16_384
    /// After it has asked for fewer attempts.
    private static let throttledPause = 900.0

    init(_ host: AdapterHost, _ preferences: Preferences) {
        self.host = host
        self.preferences = preferences
    }

    /// Two requests. A refused password is `credentialsRefused`: the account locks after some.
    func login(_ deadline: Deadline?) throws(AdapterError) -> Tokens {
        let handshake = try SRPHandshake(secret: try Digest.random(128))
        let opening = try call(
            "InitiateAuth",
            """
            {"AuthFlow":"USER_SRP_AUTH","ClientId":"\(Self.client)","AuthParameters":\
            {"USERNAME":\(JSON.quoted(preferences.email)),"SRP_A":"\(handshake.publicValue)"}}
            """, deadline)
        guard opening["ChallengeName"]?.text == "PASSWORD_VERIFIER", let parameters = opening["ChallengeParameters"],
            let userName = parameters["USERNAME"]?.text, let userID = parameters["USER_ID_FOR_SRP"]?.text,
            let salt = parameters["SALT"]?.text, let serverValue = parameters["SRP_B"]?.text,
            let block = parameters["SECRET_BLOCK"]?.text
        else { throw unexpected(opening) }
        let timestamp = Self.timestamp(host.nowWall)
        let challenge = SRPHandshake.Challenge(
            userID: userID, salt: salt, serverValue: serverValue, secretBlock: block)
        let signature = try handshake.signature(
            challenge, pool: Self.pool, password: preferences.password, timestamp: timestamp)
        let answer = try call(
            "RespondToAuthChallenge",
            """
            {"ClientId":"\(Self.client)","ChallengeName":"PASSWORD_VERIFIER","ChallengeResponses":\
            {"USERNAME":\(JSON.quoted(userName)),"TIMESTAMP":"\(timestamp)",\
            "PASSWORD_CLAIM_SECRET_BLOCK":\(JSON.quoted(block)),"PASSWORD_CLAIM_SIGNATURE":"\(signature)"}}
            """, deadline)
        let tokens = try tokens(answer)
        guard tokens.refresh != nil else { throw nonsense }
        return tokens
    }

    /// One request; nil where the refresh token no longer counts.
    func renew(_ refreshToken: String, _ deadline: Deadline?) throws(AdapterError) -> Tokens? {
        let (status, answer) = try ask(
            "InitiateAuth",
            """
            {"AuthFlow":"REFRESH_TOKEN_AUTH","ClientId":"\(Self.client)","AuthParameters":\
            {"REFRESH_TOKEN":\(JSON.quoted(refreshToken))}}
            """, deadline)
        if status == 400, Self.kind(answer) == "NotAuthorizedException" { return nil }
        try check(status, answer)
        return try tokens(answer)
    }

    // MARK: Requests

    private func call(_ name: String, _ body: String, _ deadline: Deadline?) throws(AdapterError) -> JSON {
        let (status, answer) = try ask(name, body, deadline)
        try check(status, answer)
        return answer
    }

    private func ask(
        _ name: String, _ body: String, _ deadline: Deadline?
    ) throws(AdapterError) -> (status: Int, answer: JSON) {
        var request = HTTPRequest(.post, preferences.authURL + "/")
        request.headers = [
            (name: "Content-Type", value: "application/x-amz-json-1.1"),
            (name: "X-Amz-Target", value: "AWSCognitoIdentityProviderService.\(name)"),
        ]
        request.body = body
        request.followsRedirects = false
        request.deadline = deadline
        request.maximumBodyBytes = 1 << 18
        let response = try host.http(request)
        if response.status == 429 || response.status >= 500 { throw response.refusal(of: preferences.authURL) }
        guard response.status == 200 || response.status == 400, let answer = JSON.parse(response.body) else {
            throw AdapterError(
                response.status == 401 ? .unauthorized : .badData,
                "\(preferences.authURL) answered \(response.status), and nothing that a login server says")
        }
        return (response.status, answer)
    }

    /// `NotAuthorizedException`; older servers write a name space before it.
    private static func kind(_ answer: JSON) -> String {
        let name = (answer["__type"]?.text ?? "").split(separator: "#").last ?? ""
        return String(name.prefix(64).filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }

    private func check(_ status: Int, _ answer: JSON) throws(AdapterError) {
        guard status != 200 else { return }
        let kind = Self.kind(answer)
        switch kind {
        case "NotAuthorizedException", "UserNotFoundException":
            throw refused(
                "Emporia refuses EMPORIA_EMAIL and EMPORIA_PASSWORD; they are not tried again, since the account locks: "
                    + "correct them (a login with Google or Apple has no password of its own)")
        case "PasswordResetRequiredException":
            throw refused("Emporia wants the password to be reset: do it in the app, then set EMPORIA_PASSWORD")
        case "UserNotConfirmedException":
            throw refused("the Emporia account is not confirmed yet: follow the link in Emporia's email")
        case "TooManyRequestsException", "LimitExceededException":
            throw AdapterError(
                .rateLimited, "Emporia's login asks for fewer attempts", retryAfterSeconds: Self.throttledPause)
        case "InternalErrorException": throw AdapterError(.unavailable, "Emporia's login does not work at present")
        default: throw AdapterError(.badData, "Emporia's login answered \(kind.isEmpty ? "an error" : kind)")
        }
    }

    private func refused(_ message: String) -> AdapterError { AdapterError(.credentialsRefused, message) }

    // MARK: Answers

    private func tokens(_ answer: JSON) throws(AdapterError) -> Tokens {
        guard let result = answer["AuthenticationResult"], case .object = result else { throw unexpected(answer) }
        guard let id = result["IdToken"]?.text, Self.isToken(id) else { throw nonsense }
        let refresh = result["RefreshToken"]?.text
        guard refresh.map(Self.isToken) ?? true else { throw nonsense }
        let life = result["ExpiresIn"]?.number ?? 3600
        return Tokens(id: id, refresh: refresh, lifeSeconds: min(max(life, 60), 86_400))
    }

    /// What can stand in a header.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= longestToken && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// A challenge that a program cannot meet.
    private func unexpected(_ answer: JSON) -> AdapterError {
        guard let name = answer["ChallengeName"]?.text else { return nonsense }
        let shown = name.prefix(40).filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        return refused(
            "Emporia asks for more than a password (\(shown)), which smart-meter cannot give: log in with the app, and "
                + "switch it off there")
    }

    private var nonsense: AdapterError {
        AdapterError(.badData, "\(preferences.authURL) answered something that is no answer to a login")
    }

    /// `Mon Jan 5 07:08:09 UTC 2026`.
    static func timestamp(_ nanoseconds: Int64) -> String {
        let time = UTCTime(nanoseconds: nanoseconds)
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(weekdays[time.weekday]) \(months[time.month - 1]) \(time.day) \(time.clock) UTC \(time.year)"
    }
}
