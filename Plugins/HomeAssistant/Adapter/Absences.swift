import AdapterKit

/// What is not there and should be: a total, sensors that settings name, parts of the sum. Each is named once an
/// episode, and is the adapter's condition for as long as it lasts.
struct Absences: Sendable {
    /// What is absent at present, and what was said of it.
    private var said: [(what: String, words: String)] = []

    private static let mostNamed = 12

    var condition: AdapterError? {
        said.isEmpty ? nil : AdapterError(.noData, said.map(\.words).joined(separator: "; "))
    }

    /// - Returns: what to say, and whether the condition is another one now.
    mutating func look(at snapshot: Snapshot, _ reader: HouseReader) -> (news: [String], hasChanged: Bool) {
        let last = said
        var news: [String] = []
        said = Self.absent(from: snapshot.byID, reader).map { what, why in
            if let known = last.first(where: { $0.what == what }) { return known }
            news.append(Self.words(what, why, snapshot))
            return (what, news[news.count - 1])
        }
        return (news, last.map(\.what) != said.map(\.what))
    }

    private enum Reason {
        case noTotal
        case noSuchSensor(variable: String)
        case isGone
        case partsOfSumAreGone
    }

    private static func absent(
        from rows: [String: SensorRow], _ reader: HouseReader
    ) -> [(what: String, why: Reason)] {
        var absent: [(what: String, why: Reason)] = []
        if reader.isWithoutTotal { absent.append(("", .noTotal)) }
        let configured = reader.preferences.configured
        for (entity, variable) in configured where rows[entity] == nil {
            absent.append((entity, .noSuchSensor(variable: variable)))
        }
        for entity in [reader.total, reader.daily].compactMap({ $0 }) where rows[entity] == nil {
            if !configured.contains(where: { $0.entity == entity }) { absent.append((entity, .isGone)) }
        }
        let parts = reader.summed.filter { rows[$0].map(reader.rules.isCircuit) != true }.sorted()
        if !parts.isEmpty { absent.append((list(parts), .partsOfSumAreGone)) }
        return absent
    }

    private static func words(_ what: String, _ why: Reason, _ snapshot: Snapshot) -> String {
        switch why {
        case .noTotal: advice(snapshot)
        case .noSuchSensor(let variable):
            "\(what) does not exist in Home Assistant (\(variable))"
                + (nearest(to: what, in: snapshot).map { ": is it \($0)?" } ?? "")
        case .isGone: "\(what) is gone from Home Assistant: not measured until it is back"
        case .partsOfSumAreGone:
            "no sum of the circuits until these are back in Home Assistant with a unit of power, or the adapter is "
                + "restarted: \(what)"
        }
    }

    /// What to tell a person whose house has no total.
    private static func advice(_ snapshot: Snapshot) -> String {
        let candidates = snapshot.rows.filter { Units.watts(per: $0.unit) != nil && Units.number($0.state) != nil }
            .map(\.entityID).sorted()
        let found =
            candidates.isEmpty
            ? "no sensor of power was found" : "sensors of power that were found: \(list(candidates))"
        return "no sensor of the whole home: set HOME_ASSISTANT_TOTAL (consumption) or HOME_ASSISTANT_GRID; \(found)"
    }

    static func list(_ entities: [String]) -> String {
        let more = entities.count > mostNamed ? " and \(entities.count - mostNamed) more" : ""
        return entities.prefix(mostNamed).joined(separator: ", ") + more
    }

    /// The sensor whose name differs least; nil where none is near.
    private static func nearest(to entity: String, in snapshot: Snapshot) -> String? {
        let name = Array(entity.utf8)
        let most = max(1, min(4, (name.count - 7) / 4))
        let candidates = snapshot.rows.map(\.entityID).filter { abs($0.utf8.count - name.count) <= most }
        let distances = candidates.map { (entity: $0, distance: distance(name, Array($0.utf8))) }
        return distances.filter { $0.distance <= most }.min { ($0.distance, $0.entity) < ($1.distance, $1.entity) }?
            .entity
    }

    /// How many letters have to be put in, taken out or changed.
    private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var row = Array(0...other.count)
        for (index, letter) in one.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (place, otherLetter) in other.enumerated() {
                let changed = diagonal + (letter == otherLetter ? 0 : 1)
                diagonal = row[place + 1]
                row[place + 1] = min(changed, diagonal + 1, row[place] + 1)
            }
        }
        return row[other.count]
    }
}
