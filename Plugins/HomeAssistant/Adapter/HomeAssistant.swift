public import AdapterKit

/// Reads a Home Assistant over its REST API: one request a sample, whatever the number of sensors.
///
/// Sources: https://developers.home-assistant.io/docs/api/rest, and what was tried against Home Assistant 2024.3.
public final class HomeAssistant: MeterAdapter, HistoryProviding {
    public static let descriptor = AdapterDescriptor(
        meterType: "home_assistant", name: "Home Assistant", vendor: "smart-meter", version: "1.0.0",
        url: "https://www.home-assistant.io", summary: "Power and energy sensors of a Home Assistant, by its REST API",
        samplingSeconds: 30, minimumSamplingSeconds: 1, historyStepSeconds: 10, historyReachSeconds: recorderKeeps,
        settings: Preferences.settings)

    /// The recorder's default, `purge_keep_days: 10`: what it keeps longer cannot be asked for.
    private static let recorderKeeps = 10 * 86400.0

    /// How the sensors are asked for: decided once a start. Each refused template counts as a failed login there, and
    /// enough of them get the address banned.
    private enum Access {
        case template
        case states
    }

    let host: AdapterHost
    let preferences: Preferences
    private let query: String
    private var access: Access?
    private(set) var reader: HouseReader?
    private var absences = Absences()
    /// What start has read, for the first sample.
    private var first: Snapshot?
    /// The newest answer, and every sensor as it was last seen with a unit: what history is of.
    private(set) var latest = Snapshot(rows: [])
    private(set) var sensors: [String: SensorRow] = [:]
    /// Nanoseconds that Home Assistant's clock is ahead of ours; 0 while they agree.
    private(set) var clockAhead: Int64 = 0
    var portion = HistoryPortion()

    private static let refusedPause = 900.0
    /// Nanoseconds. Less is what an answer may take, more (ten years) is no clock.
    private static let clockDifferences: ClosedRange<UInt64> = 5_000_000_000...315_360_000_000_000_000
    private static let largestTemplateAnswer: UInt64 = 4 << 20
    private static let largestStatesAnswer: UInt64 = 32 << 20

    public init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        preferences = try Preferences(host)
        query = TemplateQuery.body(named: preferences.named)
    }

    public func start() throws(AdapterError) {
        access = nil
        let snapshot = try ask(nil)
        sensors = [:]
        remember(snapshot)
        let reader = HouseReader(preferences, snapshot)
        self.reader = reader
        first = snapshot
        absences = Absences()
        host.condition(nil)
        name(snapshot, reader)
    }

    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        let snapshot = if let first { first } else { try ask(deadline) }
        first = nil
        remember(snapshot)
        guard var reader else { throw AdapterError(.failed, "read before start") }
        let added = reader.look(at: snapshot)
        if !added.isEmpty { host.log(.warning, "new in the sum of the circuits: \(Absences.list(added))") }
        name(snapshot, reader)
        let reading = reader.reading(snapshot, now: snapshot.now ?? Double(host.nowWall) / 1e9) { warning in
            host.log(.warning, warning)
        }
        self.reader = reader
        return reading
    }

    /// Says what is not there and should be.
    private func name(_ snapshot: Snapshot, _ reader: HouseReader) {
        let (news, hasChanged) = absences.look(at: snapshot, reader)
        for words in news { host.log(.warning, words) }
        if hasChanged { host.condition(absences.condition) }
    }

    private func remember(_ snapshot: Snapshot) {
        latest = snapshot
        for row in snapshot.rows where !row.unit.isEmpty { sensors[row.entityID] = row }
        guard let now = snapshot.now.flatMap({ Int64(exactly: ($0 * 1000).rounded()) }) else { return }
        let (ahead, isNoTime) = now.multipliedReportingOverflow(by: 1_000_000)
        let difference = isNoTime ? 0 : ahead &- host.nowWall
        clockAhead = Self.clockDifferences.contains(difference.magnitude) ? difference : 0
    }

    // MARK: Asking

    /// The template where Home Assistant takes it from this token, all states where it does not.
    private func ask(_ deadline: Deadline?) throws(AdapterError) -> Snapshot {
        if case .states = access { return try states(deadline) }
        let response = try template(deadline)
        switch response.status {
        case 401 where access == nil, 403 where access == nil:
            return try fallBack(deadline, .info, "the token is not an administrator's")
        case 400:
            return try fallBack(deadline, .warning, "Home Assistant refuses the template: \(Self.complaint(response))")
        default:
            let snapshot = try parse(response)
            access = .template
            return snapshot
        }
    }

    private func fallBack(
        _ deadline: Deadline?, _ level: AdapterHost.LogLevel, _ reason: String
    ) throws(AdapterError) -> Snapshot {
        let snapshot = try states(deadline)
        access = .states
        host.log(level, "\(reason): every poll reads all states of the house (/api/states)")
        return snapshot
    }

    /// What Home Assistant says of a request, in one line: `{"message":"Error rendering template: ..."}`.
    private static func complaint(_ response: HTTPResponse) -> String {
        let said =
            JSON.parse(response.body)?["message"]?.text ?? String(decoding: response.body.prefix(800), as: UTF8.self)
        return String(said.prefix(200).map { $0.isNewline ? " " : $0 })
    }

    private func template(_ deadline: Deadline?) throws(AdapterError) -> HTTPResponse {
        var request = request(.post, "/api/template", deadline)
        request.headers.append(("Content-Type", "application/json"))
        request.body = query
        request.maximumBodyBytes = Self.largestTemplateAnswer
        return try host.http(request)
    }

    private func parse(_ response: HTTPResponse) throws(AdapterError) -> Snapshot {
        try check(response, "/api/template")
        guard let snapshot = TemplateAnswer.parse(response.body) else {
            throw AdapterError(
                .badData, "\(preferences.url)/api/template answered something that is not Home Assistant's")
        }
        return snapshot
    }

    private func states(_ deadline: Deadline?) throws(AdapterError) -> Snapshot {
        var request = request(.get, "/api/states", deadline)
        request.maximumBodyBytes = Self.largestStatesAnswer
        let response = try host.http(request)
        try check(response, "/api/states")
        do throws(AnswerFault) {
            return try StatesAnswer.parse(response.body) { [host] in host.isCancelled }
        } catch {
            throw error.failure(of: "\(preferences.url)/api/states")
        }
    }

    func request(_ method: HTTPRequest.Method, _ path: String, _ deadline: Deadline?) -> HTTPRequest {
        var request = HTTPRequest(method, preferences.url + path)
        request.authorization = .bearer(preferences.token)
        request.caFile = preferences.caFile
        // Elsewhere it would arrive without its token, which counts there as a failed login.
        request.followsRedirects = false
        request.deadline = deadline
        return request
    }

    func check(_ response: HTTPResponse, _ path: String) throws(AdapterError) {
        let place = preferences.url + path
        switch response.status {
        case 200: return
        case 401, 403:
            throw AdapterError(
                .unauthorized, "\(place) refuses the token: check HOME_ASSISTANT_TOKEN (asked again in 15 minutes)",
                retryAfterSeconds: Self.refusedPause)
        case 404:
            throw AdapterError(
                .notFound, "\(place) does not exist: is HOME_ASSISTANT_URL the address of a Home Assistant with 'api:'?"
            )
        default: throw response.refusal(of: place, setting: "HOME_ASSISTANT_URL")
        }
    }
}
