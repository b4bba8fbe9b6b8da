import AdapterKit

/// Emporia's service: what there is, and what was used. One request after another; each counts against the day's ration.
///
/// Source: PyEmVue's notes (https://github.com/magico13/PyEmVue/blob/master/api_docs.md); there is no official one.
struct Cloud {
    private let host: AdapterHost
    private let preferences: Preferences
    let session: Session

    private static let maintenance =
        "https://s3.amazonaws.com/com.emporiaenergy.manual.ota/maintenance/maintenance.json"
    private static let maintenancePause = 900.0
    private static let refusedPause = 900.0
    private static let second: Int64 = 1_000_000_000

    /// A bucket of usage.
    enum Scale: String, Sendable {
        case minute = "1MIN"
        case hour = "1H"
        /// The day so far, in the device's zone.
        case day = "1D"
    }

    init(_ host: AdapterHost, _ preferences: Preferences) {
        self.host = host
        self.preferences = preferences
        session = Session(host, preferences)
    }

    func devices(_ deadline: Deadline?) throws(AdapterError) -> DeviceTree {
        guard let tree = DeviceTree(try get("/customers/devices", deadline)) else { throw nonsense("devices") }
        return tree
    }

    /// What was used in the bucket that holds `instant` (nanoseconds since the epoch), of all devices at once.
    func usage(
        of devices: [Int64], at instant: Int64, _ scale: Scale, _ deadline: Deadline?
    ) throws(AdapterError) -> UsageAnswer {
        let gids = devices.map(String.init).joined(separator: "+")
        let json = try get(
            "/AppAPI?apiMethod=getDeviceListUsages&deviceGids=\(gids)&instant=\(ISOTime.text(instant))"
                + "&scale=\(scale.rawValue)&energyUnit=KilowattHours", deadline)
        guard let answer = UsageAnswer(json) else { throw nonsense("usage") }
        return answer
    }

    /// What a channel used, bucket by bucket, from one instant to another.
    func chart(
        of channel: ChannelID, from: Int64, to: Int64, _ scale: Scale, _ deadline: Deadline?
    ) throws(AdapterError) -> ChartAnswer {
        let json = try get(
            "/AppAPI?apiMethod=getChartUsage&deviceGid=\(channel.device)&channel=\(channel.number)"
                + "&start=\(ISOTime.text(from))&end=\(ISOTime.text(to))&scale=\(scale.rawValue)"
                + "&energyUnit=KilowattHours", deadline)
        guard let answer = ChartAnswer(json, start: from) else { throw nonsense("chart") }
        return answer
    }

    // MARK: Requests

    private func get(_ target: String, _ deadline: Deadline?) throws(AdapterError) -> JSON {
        var response = try ask(target, deadline)
        if response.status == 401 {
            session.discard()
            response = try ask(target, deadline)
        }
        let place = preferences.apiURL + target.prefix { $0 != "?" }
        switch response.status {
        case 200: break
        case 401, 403:
            throw AdapterError(
                .unauthorized, "\(place) refuses a fresh login (asked again in 15 minutes)",
                retryAfterSeconds: Self.refusedPause)
        case 500...: throw failure(of: response, place, deadline)
        default: throw response.refusal(of: place)
        }
        guard let json = JSON.parse(response.body) else {
            throw AdapterError(.badData, "\(place) answered something that is not JSON")
        }
        return json
    }

    private func ask(_ target: String, _ deadline: Deadline?) throws(AdapterError) -> HTTPResponse {
        var request = HTTPRequest(.get, preferences.apiURL + target)
        request.headers = [(name: "authtoken", value: try session.token(deadline))]
        request.followsRedirects = false
        request.deadline = deadline
        return try host.http(request)
    }

    /// Where it is Emporia's own service that does not work, their notice says whether it is meant to.
    private func failure(of response: HTTPResponse, _ place: String, _ deadline: Deadline?) -> AdapterError {
        let failure = response.refusal(of: place)
        guard preferences.apiURL == Preferences.vendorAPI else { return failure }
        var request = HTTPRequest(.get, Self.maintenance)
        request.deadline = deadline
        request.maximumBodyBytes = 4096
        guard let notice = try? host.http(request), notice.status == 200,
            JSON.parse(notice.body)?["msg"]?.text == "down"
        else { return failure }
        return AdapterError(
            .unavailable, "Emporia is down for maintenance",
            retryAfterSeconds: max(Self.maintenancePause, failure.retryAfterSeconds))
    }

    private func nonsense(_ what: String) -> AdapterError {
        AdapterError(.badData, "\(preferences.apiURL) answered something that is no list of \(what)")
    }
}
