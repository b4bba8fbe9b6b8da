public import AdapterKit

/// The past, from Home Assistant's recorder.
extension HomeAssistant {
    private static let second: Int64 = 1_000_000_000
    /// The recorder writes every 5 s what has changed.
    private static let recorderDelay = 10 * second
    private static let finestStep = 10 * second
    private static let longestStale = 86_400.0
    private static let largestAnswer: UInt64 = 16 << 20
    /// A request line may have 8 kB.
    private static let longestFilter = 6000

    public func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome {
        guard let reader else { throw AdapterError(.failed, "history before start") }
        let step = max(request.step, Self.finestStep)
        let written = host.nowWall - Self.recorderDelay
        let timestamps = request.timestamps(period: step)
        guard let first = timestamps.first(where: { _ in true }) else { return .complete }
        guard first <= written else {
            return .notYet(coveredTo: request.from, retryAfterSeconds: Double(first - written) / 1e9 + 1)
        }
        let last = timestamps.prefix { $0 <= min(written, max(first, request.from + portion.length)) }.last ?? first
        let history = HouseHistory(reader, sensors: sensors, circuits: reader.circuits(of: known))
        let stale = Int64(min(preferences.staleSeconds, Self.longestStale)) * Self.second
        let tracks = try fetch(history.entities, from: first - step - stale, to: last, request.deadline)
        let time = history.time(tracks, end: last, stale: stale)
        var coveredTo = request.from
        for end in stride(from: first, through: last, by: Int64.Stride(step)) {
            coveredTo = end
            let record = history.record(time, end: end, period: step)
            guard record.isMeasured else { continue }
            guard put(record) else { break }
        }
        let next = coveredTo + step
        guard coveredTo == last, next <= request.to, next > written else {
            return request.outcome(coveredTo: coveredTo, period: step)
        }
        return .notYet(coveredTo: coveredTo, retryAfterSeconds: Double(next - written) / 1e9 + 1)
    }

    /// The sensors of the newest answer; one that is unavailable has lost its unit.
    private var known: [SensorRow] { latest.rows.map { sensors[$0.entityID] ?? $0 } }

    /// The states of all entities, in as many requests as their names need.
    private func fetch(
        _ entities: [String], from: Int64, to: Int64, _ deadline: Deadline
    ) throws(AdapterError) -> [String: StateTrack] {
        var tracks: [String: StateTrack] = [:]
        var bytes = 0
        var bad = 0
        for filter in Self.filters(entities) {
            let answer = try portion.count { () throws(AdapterError) in
                let body = try ask(filter, from: from, to: to, deadline).body
                bytes += body.count
                do throws(AnswerFault) {
                    return try HistoryAnswer.parse(body, clockAhead: clockAhead) { [host] in host.isCancelled }
                } catch {
                    throw error.failure(of: "\(preferences.url)/api/history/period")
                }
            }
            tracks.merge(answer.tracks) { first, _ in first }
            bad += answer.bad
        }
        portion.learn(bytes: bytes)
        if bad > 0 { host.log(.warning, "\(bad) states of the recorder make no sense: left out") }
        return tracks
    }

    /// Entity ids, joined by commas, in lists that a request line can hold.
    private static func filters(_ entities: [String]) -> [String] {
        var filters: [String] = []
        for entity in entities {
            if let last = filters.last, last.utf8.count + entity.utf8.count < longestFilter {
                filters[filters.count - 1] = "\(last),\(entity)"
            } else {
                filters.append(entity)
            }
        }
        return filters
    }

    private func ask(
        _ filter: String, from: Int64, to: Int64, _ deadline: Deadline
    ) throws(AdapterError) -> HTTPResponse {
        let path = "/api/history/period/\(ISOTime.text(from + clockAhead))"
        var request = request(
            .get,
            "\(path)?filter_entity_id=\(filter)&end_time=\(ISOTime.text(to + clockAhead + Self.second))&minimal_response&no_attributes"
                + "&significant_changes_only=0", deadline)
        request.maximumBodyBytes = Self.largestAnswer
        let response = try host.http(request)
        guard response.status != 404 else {
            // While it starts and without a recorder it says the same.
            throw AdapterError(
                .unavailable,
                "\(preferences.url)/api/history does not exist: Home Assistant is still loading, or runs without "
                    + "'history:' and 'recorder:'")
        }
        try check(response, "/api/history/period")
        return response
    }
}

/// How long a time is asked for at once: about a megabyte of states.
struct HistoryPortion: Sendable {
    /// Nanoseconds.
    private(set) var length = hour

    private static let hour: Int64 = 3600 * 1_000_000_000
    private static let shortest = hour / 12
    private static let longest = 12 * hour
    private static let fewBytes = 256 << 10
    private static let manyBytes = 2 << 20

    mutating func learn(bytes: Int) {
        if bytes > Self.manyBytes { length = max(Self.shortest, length / 2) }
        if bytes < Self.fewBytes { length = min(Self.longest, length * 2) }
    }

    /// Makes a request; of what is too much or takes too long, less is asked for the next time.
    mutating func count<Answer>(
        _ request: () throws(AdapterError) -> Answer
    ) throws(AdapterError) -> Answer {
        do throws(AdapterError) {
            return try request()
        } catch {
            if error.code == .tooLarge || error.code == .timeout { length = max(Self.shortest, length / 2) }
            throw error
        }
    }
}
