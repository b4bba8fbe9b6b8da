public import AdapterKit

/// Any meter that answers an HTTP request with JSON: settings say which number stands where.
public final class HTTPJSON: MeterAdapter {
    public static let descriptor = AdapterDescriptor(
        meterType: "http_json", name: "HTTP JSON", vendor: "smart-meter", version: "1.0.0",
        summary: "Any device or service that answers with JSON: settings say which number stands where",
        samplingSeconds: 10, minimumSamplingSeconds: 1, settings: Preferences.settings)

    private let host: AdapterHost
    private let preferences: Preferences
    /// What was missing in the answer before, and has been said.
    private var named: Set<String> = []

    private static let largestAnswer: UInt64 = 1 << 20

    public init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        preferences = try Preferences(host)
    }

    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        let json = try answer(deadline)
        var missing: [String] = []
        let reading = preferences.plan.reading(json) { missing.append($0) }
        guard reading.isMeasured else {
            throw AdapterError(
                .badData,
                "\(preferences.place) answers, but \(missing.first ?? "says null where a number is looked for")")
        }
        for fault in Set(missing).subtracting(named).sorted() {
            host.log(.warning, "\(preferences.place): \(fault): it is left out")
        }
        named = Set(missing)
        return reading
    }

    private func answer(_ deadline: Deadline) throws(AdapterError) -> JSON {
        var request = HTTPRequest(.get, preferences.url)
        request.authorization = preferences.authorization
        request.headers = [("Accept", "application/json")] + preferences.headers
        request.caFile = preferences.caFile
        // They may hold a key, which is for this server alone.
        request.followsRedirects = preferences.headers.isEmpty
        request.deadline = deadline
        request.maximumBodyBytes = Self.largestAnswer
        let response = try host.http(request)
        try check(response)
        guard let json = JSON.parse(response.body) else {
            throw AdapterError(.badData, "\(preferences.place) answered something that is not JSON")
        }
        return json
    }

    private func check(_ response: HTTPResponse) throws(AdapterError) {
        switch response.status {
        case 200: return
        case 401, 403:
            throw AdapterError(
                .unauthorized,
                "\(preferences.place) answered \(response.status): check HTTP_JSON_TOKEN, "
                    + "or HTTP_JSON_USERNAME and HTTP_JSON_PASSWORD"
            )
        case 404: throw AdapterError(.notFound, "\(preferences.place) does not exist: check HTTP_JSON_URL")
        default: throw response.refusal(of: preferences.place, setting: "HTTP_JSON_URL")
        }
    }
}
