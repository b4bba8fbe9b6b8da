import AdapterKit
import FoundationEssentials

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
    /// Nil where it is no list of lists. States that make no sense are left out and counted.
    ///
    /// - Parameter clockAhead: nanoseconds that its times are ahead of ours.
    static func parse(_ body: [UInt8], clockAhead: Int64) -> (tracks: [String: StateTrack], bad: Int)? {
        guard let lists = try? JSONDecoder().decode([LenientList].self, from: Data(body)) else { return nil }
        var tracks: [String: StateTrack] = [:]
        var bad = 0
        for list in lists {
            // Only the first state of a sensor says whose it is.
            guard let states = list.states, let entity = states.first?.state?.entity_id else {
                bad += max(1, list.states?.count ?? 1)
                continue
            }
            let changes = states.compactMap(\.state).compactMap { state -> StateTrack.Change? in
                ISOTime.nanoseconds(state.last_changed).map {
                    .init(at: $0 - clockAhead, value: Units.number(state.state))
                }
            }
            bad += states.count - changes.count
            tracks[entity, default: StateTrack(changes: [])].changes += changes
        }
        for entity in tracks.keys { tracks[entity]?.changes.sort { $0.at < $1.at } }
        return (tracks, bad)
    }

    private struct LenientList: Decodable {
        let states: [LenientState]?

        init(from decoder: any Decoder) throws {
            states = try? [LenientState](from: decoder)
        }
    }

    private struct LenientState: Decodable {
        let state: State?

        init(from decoder: any Decoder) throws {
            state = try? State(from: decoder)
        }
    }

    private struct State: Decodable {
        var entity_id: String?
        var state: String
        var last_changed: String
    }
}
