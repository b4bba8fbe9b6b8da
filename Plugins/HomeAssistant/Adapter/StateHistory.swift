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

/// Times as Home Assistant writes them: ISO 8601 with an offset, and mostly with microseconds.
enum ISOTime {
    /// `2026-11-24T06:21:33.575527+00:00`, as nanoseconds since the epoch; nil for anything else.
    static func nanoseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, 4), take(&rest, "-"), let month = number(&rest, 2), take(&rest, "-"),
            let day = number(&rest, 2), take(&rest, "T"), let hour = number(&rest, 2), take(&rest, ":"),
            let minute = number(&rest, 2), take(&rest, ":"), let second = number(&rest, 2),
            (1970...2199).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        let nanoseconds = take(&rest, ".") ? fraction(&rest) : 0
        guard let offset = offset(&rest), rest.isEmpty else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Int64(seconds) * 1_000_000_000 + nanoseconds
    }

    /// With whole seconds, in UTC.
    static func text(_ nanoseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(nanoseconds / 1_000_000_000)).formatted(.iso8601)
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, _ digits: Int) -> Int? {
        let part = rest.prefix(digits)
        guard part.count == digits, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return part.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Nanoseconds of the digits behind the point.
    private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int64 {
        var value: Int64 = 0
        var unit: Int64 = 100_000_000
        while let digit = rest.first, (0x30...0x39).contains(digit) {
            value += Int64(digit - 0x30) * unit
            unit /= 10
            rest.removeFirst()
        }
        return value
    }

    /// Seconds ahead of UTC.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int? {
        if take(&rest, "Z") { return 0 }
        let isNegative = rest.first == UInt8(ascii: "-")
        guard take(&rest, "+") || take(&rest, "-"), let hours = number(&rest, 2), take(&rest, ":"),
            let minutes = number(&rest, 2)
        else { return nil }
        return (isNegative ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// Days since 1970-01-01 of a day of the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
