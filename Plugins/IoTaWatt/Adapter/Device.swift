import AdapterKit

/// Asks the device: one request at a time, small ones. It stops measuring while it answers.
struct Device: Sendable {
    private let host: AdapterHost
    private let preferences: Preferences

    /// A refused password is tried again after so long.
    private static let refusedPause = 300.0
    /// The device has memory for about 100 kB.
    private static let largestAnswer: UInt64 = 1 << 20

    init(_ host: AdapterHost, _ preferences: Preferences) {
        self.host = host
        self.preferences = preferences
    }

    func status(_ deadline: Deadline?) throws(AdapterError) -> DeviceStatus {
        let json = try json("/status?stats=yes&inputs=yes&outputs=yes&datalogs=yes", deadline).value
        guard let status = DeviceStatus(json) else {
            throw AdapterError(.badData, "\(preferences.url)/status answered something that is not an IoTaWatt's")
        }
        return status
    }

    func series(_ deadline: Deadline?) throws(AdapterError) -> [Series] {
        let (json, isWhole) = try json("/query?show=series", deadline)
        guard let series = Series.list(json), isWhole else {
            throw AdapterError(
                .badData, "\(preferences.url)/query?show=series answered something that is no list of series")
        }
        return series
    }

    func rows(_ query: LogQuery, _ deadline: Deadline?) throws(AdapterError) -> LogRows {
        let (json, isWhole) = try json(query.target, deadline)
        guard let rows = LogRows(json, isWhole: isWhole, to: query) else {
            throw AdapterError(.badData, "\(preferences.url)/query answered something that is no table")
        }
        return rows
    }

    private func json(
        _ target: String, _ deadline: Deadline?
    ) throws(AdapterError) -> (value: JSON, isWhole: Bool) {
        var request = HTTPRequest(.get, preferences.url + target)
        if !preferences.password.isEmpty {
            request.authorization = .digest(user: preferences.user, password: preferences.password)
        }
        // The password is for this address alone.
        request.followsRedirects = false
        request.deadline = deadline
        request.maximumBodyBytes = Self.largestAnswer
        let response = try host.http(request)
        let place = preferences.url + target.prefix { $0 != "?" }
        try check(response, place)
        guard let parsed = JSON.parseLoosely(response.body) else {
            throw AdapterError(.badData, "\(place) answered something that is not JSON")
        }
        return parsed
    }

    private func check(_ response: HTTPResponse, _ place: String) throws(AdapterError) {
        switch response.status {
        case 200: return
        case 400: throw AdapterError(.badData, "\(place): \(Self.complaint(response.body))")
        case 401, 403:
            let advice =
                preferences.password.isEmpty
                ? "asks for a password: set IOTAWATT_PASSWORD"
                : "refuses the password of '\(preferences.user)': check IOTAWATT_USERNAME and IOTAWATT_PASSWORD"
            throw AdapterError(
                .unauthorized, "\(place) \(advice) (asked again in 5 minutes)",
                retryAfterSeconds: Self.refusedPause)
        case 404:
            throw AdapterError(
                .notFound,
                "\(place) does not exist: is IOTAWATT_URL the address of an IoTaWatt, with a firmware that has /query?")
        default: throw response.refusal(of: place, setting: "IOTAWATT_URL")
        }
    }

    /// What the device says of a query: `{"error":"invalid query. Invalid series: heap_pump"}`.
    private static func complaint(_ body: [UInt8]) -> String {
        let said = JSON.parseLoosely(body)?.value["error"]?.text ?? String(decoding: body.prefix(200), as: UTF8.self)
        return String(said.filter { !$0.isNewline }.prefix(200))
    }
}
