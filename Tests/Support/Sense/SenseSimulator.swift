import Foundation
import Synchronization

/// Sense's cloud on a loopback port, as its public client library and a recorded payload describe it.
public final class SenseSimulator: Sendable {
    public struct Account: Sendable {
        public var email: String
        public var password: String
        /// Whether a code is the right one at that time (seconds since the epoch); nil = no two-step login.
        public var takesCode: (@Sendable (String, Double) -> Bool)?

        public init(
            email: String = "ann@example.com", password: String = "pässwörd&=+ %41",
            takesCode: (@Sendable (String, Double) -> Bool)? = nil
        ) {
            self.email = email
            self.password = password
            self.takesCode = takesCode
        }
    }

    /// How long an access token is good, in seconds.
    public static let tokenLife = 3600.0

    public let account: Account
    public var url: String { "\(server.url)/apiservice/api/v1/" }
    public var port: UInt16 { server.port }

    /// - Parameter clock: the cloud's, in seconds since the epoch; nil = that of this machine.
    public init(
        _ monitors: [SenseModel] = [.house()], account: Account = Account(), clock: (@Sendable () -> Double)? = nil
    ) throws {
        self.account = account
        let clock = clock ?? { Date().timeIntervalSince1970 }
        let cloud = SenseCloud(monitors: monitors, account: account, clock: clock)
        self.cloud = cloud
        server = try FaultServer { cloud.answer($0) }
    }

    private let server: FaultServer
    private let cloud: SenseCloud

    public var requests: [FaultServer.Request] { server.requests }
    /// Below the API's address, without the query.
    public var paths: [String] {
        requests.map { String($0.path.dropFirst("/apiservice/api/v1/".count)) }
    }
    public func forgetRequests() { server.forgetRequests() }

    /// From the next request on.
    public func setMonitors(_ monitors: [SenseModel]) { cloud.state.withLock { $0.monitors = monitors } }

    /// Answers a request instead of the cloud; nil lets it through.
    public func setFault(_ fault: (@Sendable (FaultServer.Request) -> FaultServer.Answer?)?) {
        cloud.state.withLock { $0.fault = fault }
    }

    /// The access token in use is good no longer; the one that it can be renewed with is.
    public func expireToken() {
        cloud.state.withLock { state in
            for device in state.sessions.keys { state.sessions[device]?.accessEnds = 0 }
        }
    }

    /// Neither is any token, until somebody logs in.
    public func forgetTokens() {
        cloud.state.withLock { $0.sessions = [:] }
    }

    /// Every token that was ever given out.
    public var tokens: [String] { cloud.state.withLock { $0.givenOut } }
    public var deviceIDs: Set<String> { cloud.state.withLock { $0.deviceIDs } }
    public var loginCount: Int { cloud.state.withLock { $0.logins } }
    public var renewalCount: Int { cloud.state.withLock { $0.renewals } }
    /// What a client did that no client may do: used an old token to renew, sent a form without its type, and so on.
    public var complaints: [String] { cloud.state.withLock { $0.complaints } }
}

/// What the server's threads answer, on the state that they share.
final class SenseCloud: Sendable {
    struct State {
        var monitors: [SenseModel]
        var fault: (@Sendable (FaultServer.Request) -> FaultServer.Answer?)?
        /// Of the devices that are logged in.
        var sessions: [String: Session] = [:]
        var givenOut: [String] = []
        var deviceIDs: Set<String> = []
        var tickets: Set<String> = []
        var logins = 0
        var renewals = 0
        var complaints: [String] = []
    }

    struct Session {
        var access: String
        var refresh: String
        var accessEnds: Double
    }

    let state: Mutex<State>
    private let account: SenseSimulator.Account
    private let clock: @Sendable () -> Double

    private static let userID = 8841

    init(monitors: [SenseModel], account: SenseSimulator.Account, clock: @escaping @Sendable () -> Double) {
        state = Mutex(State(monitors: monitors))
        self.account = account
        self.clock = clock
    }

    func answer(_ request: FaultServer.Request) -> FaultServer.Answer {
        if let answer = state.withLock({ $0.fault })?(request) { return answer }
        let now = clock()
        return state.withLock { state in
            do {
                return .reply(try respond(to: request, now, &state))
            } catch {
                return .reply(FaultServer.Reply(500, "\(error)"))
            }
        }
    }

    private func respond(
        to request: FaultServer.Request, _ now: Double, _ state: inout State
    ) throws -> FaultServer.Reply {
        let prefix = "/apiservice/api/v1/"
        guard request.path.hasPrefix(prefix) else { return try Self.json(404, ["error_reason": "not found"]) }
        let path = String(request.path.dropFirst(prefix.count))
        let device = request.headers["x-sense-device-id"] ?? ""
        if device.count != 32 || !device.allSatisfy(\.isHexDigit) { state.complaints.append("device id '\(device)'") }
        state.deviceIDs.insert(device)
        if request.method == "POST" {
            let type = request.headers["content-type"] ?? ""
            if type != "application/x-www-form-urlencoded" { state.complaints.append("form as '\(type)'") }
            return try post(path, Self.form(request.text), device, now, &state)
        }
        guard request.method == "GET" else { return try Self.json(405, [:]) }
        guard isAuthorized(request.headers["authorization"], device, now, state) else {
            return try Self.json(401, ["status": "error", "error_reason": "Unauthorized"])
        }
        return try get(path, request, now, state)
    }

    private func isAuthorized(_ header: String?, _ device: String, _ now: Double, _ state: State) -> Bool {
        guard let session = state.sessions[device] else { return false }
        return header == "bearer \(session.access)" && now < session.accessEnds
    }

    /// As a server takes a form apart; nil for a name that is not text.
    private static func form(_ body: String) -> [String: String] {
        let pairs = body.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? ""
            }
            return (sides[0], sides.count > 1 ? sides[1] : "")
        }
        return Dictionary(pairs) { $1 }
    }

    // MARK: Login

    private func post(
        _ path: String, _ form: [String: String], _ device: String, _ now: Double, _ state: inout State
    ) throws -> FaultServer.Reply {
        switch path {
        case "authenticate":
            guard form["email"] == account.email, form["password"] == account.password else {
                return try Self.json(401, ["status": "error", "error_reason": "Invalid email address or password."])
            }
            guard account.takesCode != nil else { return try logIn(device, now, &state) }
            let ticket = "mfa.\(state.tickets.count).\(UUID().uuidString)"
            state.tickets.insert(ticket)
            return try Self.json(
                401,
                [
                    "status": "mfa_required", "mfa_type": "totp", "mfa_token": ticket,
                    "error_reason": "Multi-factor authentication required.",
                ])
        case "authenticate/mfa":
            guard let ticket = form["mfa_token"], state.tickets.contains(ticket),
                let time = form["client_time"], Self.instant(time, "yyyy-MM-dd'T'HH:mm:ss'Z'") != nil
            else { return try Self.json(400, ["status": "error", "error_reason": "Bad request"]) }
            guard let code = form["totp"], account.takesCode?(code, now) == true else {
                return try Self.json(401, ["status": "error", "error_reason": "Invalid authentication code."])
            }
            state.tickets.remove(ticket)
            return try logIn(device, now, &state)
        case "renew":
            guard form["user_id"] == "\(Self.userID)", let refresh = form["refresh_token"],
                refresh == state.sessions[device]?.refresh
            else {
                if state.givenOut.contains(form["refresh_token"] ?? ""), state.sessions[device] != nil {
                    state.complaints.append("renewed with a token that was used up")
                }
                return try Self.json(401, ["status": "error", "error_reason": "Invalid refresh token"])
            }
            state.renewals += 1
            return try Self.json(200, giveTokens(device, now, &state))
        default: return try Self.json(404, ["error_reason": "not found"])
        }
    }

    private func logIn(_ device: String, _ now: Double, _ state: inout State) throws -> FaultServer.Reply {
        state.logins += 1
        var answer = giveTokens(device, now, &state)
        answer["authorized"] = true
        answer["account_id"] = 7702
        answer["monitors"] = state.monitors.map { SenseAnswers(model: $0, now: now).monitor() }
        return try Self.json(200, answer)
    }

    private func giveTokens(_ device: String, _ now: Double, _ state: inout State) -> [String: Any] {
        let session = Session(
            access: "t1.v2.\(UUID().uuidString)", refresh: "r-\(UUID().uuidString)",
            accessEnds: now + SenseSimulator.tokenLife)
        state.sessions[device] = session
        state.givenOut += [session.access, session.refresh]
        return ["user_id": Self.userID, "access_token": session.access, "refresh_token": session.refresh]
    }

    // MARK: Monitors

    private func get(
        _ path: String, _ request: FaultServer.Request, _ now: Double, _ state: State
    ) throws -> FaultServer.Reply {
        let parts = path.split(separator: "/").map(String.init)
        // app/<id>/realtime_update, else app/monitors/<id>/…
        let isRealtime = parts.count == 3 && parts[2] == "realtime_update"
        guard parts.count >= 3, parts[0] == "app", isRealtime || parts[1] == "monitors" else {
            return try Self.json(404, ["error_reason": "not found"])
        }
        guard let model = state.monitors.first(where: { "\($0.id)" == parts[isRealtime ? 1 : 2] }) else {
            return try Self.json(403, ["status": "error", "error_reason": "Forbidden"])
        }
        let answers = SenseAnswers(model: model, now: now)
        if isRealtime {
            // Older firmware is to be had over the websocket only.
            let numbers = model.version.split(separator: ".").prefix(2).compactMap { Int($0) }
            guard !numbers.lexicographicallyPrecedes([1, 64]) else {
                return try Self.json(404, ["error_reason": "not found"])
            }
            return try Self.json(200, answers.realtime())
        }
        switch parts[3...].joined(separator: "/") {
        case "status": return try Self.json(200, answers.status())
        case "overview": return try Self.json(200, answers.overview())
        case "devices/overview": return try Self.json(200, answers.devicesOverview())
        case "history/usage": return try history(request) { try answers.usage($0, start: $1) }
        case "history/usage/solar": return try history(request) { try answers.solarUsage($0, start: $1) }
        default: return try Self.json(404, ["error_reason": "not found"])
        }
    }

    private func history(
        _ request: FaultServer.Request, _ answer: (String, Double) throws -> [String: Any]?
    ) throws -> FaultServer.Reply {
        guard let scale = request.parameter("scale"), let text = request.parameter("start"),
            let start = Self.instant(text, "yyyy-MM-dd'T'HH:mm:ss"), let body = try answer(scale, start)
        else { return try Self.json(400, ["status": "error", "error_reason": "Bad request"]) }
        return try Self.json(200, body)
    }

    private static func instant(_ text: String, _ format: String) -> Double? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = format
        return formatter.date(from: text)?.timeIntervalSince1970
    }

    private static func json(_ status: Int, _ body: [String: Any]) throws -> FaultServer.Reply {
        .json(status, String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self))
    }
}
