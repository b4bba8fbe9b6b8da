import AdapterKit

/// What `/api/history/period` says of one sensor: from when on it had which number. Nanoseconds since the epoch.
struct StateTrack: Sendable {
    struct Change: Sendable {
        var at: Int64
        /// Nil = unavailable, unknown, or no number.
        var value: Double?
    }

    /// Ascending.
    var changes: [Change]
}

/// The answer of `/api/history/period`: a list of states for each sensor.
enum HistoryAnswer {
    /// Of which an hour of a lively house has a tenth.
    private static let mostStates = 200_000

    /// States that make no sense are left out and counted.
    ///
    /// - Parameter clockAhead: nanoseconds that its times are ahead of ours.
    static func parse(
        _ body: [UInt8], clockAhead: Int64, isCancelled: @escaping () -> Bool
    ) throws(AnswerFault) -> (tracks: [String: StateTrack], bad: Int) {
        var reader = AnswerReader(body, most: mostStates, isCancelled: isCancelled)
        guard reader.enterList() else { throw .noList }
        var tracks: [String: StateTrack] = [:]
        var bad = 0
        while try reader.hasNext() {
            guard reader.enterList() else {
                _ = reader.value()
                bad += 1
                continue
            }
            // Only the first state of a sensor says whose it is.
            var entity: String?
            var isFirst = true
            var changes: [StateTrack.Change] = []
            while try reader.hasNext() {
                let state = reader.value()
                if isFirst { entity = state?["entity_id"]?.text }
                isFirst = false
                if entity != nil, let change = state.flatMap({ change($0, clockAhead) }) {
                    changes.append(change)
                } else {
                    bad += 1
                }
            }
            if isFirst { bad += 1 }
            if let entity { tracks[entity, default: StateTrack(changes: [])].changes += changes }
        }
        guard reader.isWhole else { throw .noList }
        for entity in tracks.keys { tracks[entity]?.changes.sort { $0.at < $1.at } }
        return (tracks, bad)
    }

    private static func change(_ state: JSON, _ clockAhead: Int64) -> StateTrack.Change? {
        guard let value = state["state"]?.text, let at = state["last_changed"]?.text.flatMap(ISOTime.nanoseconds) else {
            return nil
        }
        return StateTrack.Change(at: at - clockAhead, value: Units.number(value))
    }
}
