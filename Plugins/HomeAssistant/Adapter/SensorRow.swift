import AdapterKit

/// A sensor as Home Assistant shows it at one moment. Everything in it is text from outside.
struct SensorRow: Hashable, Sendable {
    var entityID: String
    /// "2450.5", "unavailable", "unknown", or any other text.
    var state: String
    var name: String
    var unit: String
    var deviceClass: String
    /// When its value was last reported: seconds since the epoch, of Home Assistant's clock.
    var reportedAt: Double?

    /// Watts; nil = not measured.
    var powerW: Double? {
        guard let value = Units.number(state), let factor = Units.watts(per: unit) else { return nil }
        return value * factor
    }

    /// kWh; nil = not measured.
    var energyKWh: Double? {
        guard let value = Units.number(state), let factor = Units.kWh(per: unit) else { return nil }
        return value * factor
    }
}

/// The sensors of one answer, and what Home Assistant's clock said.
struct Snapshot: Sendable {
    var rows: [SensorRow]
    /// Seconds since the epoch; nil = the answer did not say.
    var now: Double?

    var byID: [String: SensorRow] {
        Dictionary(rows.map { ($0.entityID, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func row(_ entityID: String) -> SensorRow? { rows.first { $0.entityID == entityID } }
}

/// The answer of the template: the clock, then a JSON array a line.
enum TemplateAnswer {
    private static let mostRows = 20_000

    /// Nil where it does not begin as the template makes it. A line that makes no sense is left out.
    static func parse(_ body: [UInt8]) -> Snapshot? {
        let lines = body.split(separator: UInt8(ascii: "\n"), maxSplits: mostRows)
        guard let first = lines.first, let now = Units.number(String(decoding: first, as: UTF8.self)) else {
            return nil
        }
        return Snapshot(rows: lines.dropFirst().prefix(mostRows).compactMap(row), now: now)
    }

    /// [entity_id, state, name, unit, device_class, reported]
    private static func row(_ line: ArraySlice<UInt8>) -> SensorRow? {
        guard let values = JSON.parse(Array(line))?.list, values.count >= 2, let entityID = values[0].text,
            let state = values[1].text
        else { return nil }
        func text(_ index: Int) -> String { index < values.count ? values[index].text ?? "" : "" }
        return SensorRow(
            entityID: entityID, state: state, name: text(2), unit: text(3), deviceClass: text(4),
            reportedAt: values.count > 5 ? values[5].number : nil)
    }
}

/// The answer of `/api/states`: all entities of the house, of which the sensors count.
enum StatesAnswer {
    /// Of large houses' some thousands.
    private static let mostEntities = 20_000

    /// An entity that makes no sense is left out.
    static func parse(_ body: [UInt8], isCancelled: @escaping () -> Bool) throws(AnswerFault) -> Snapshot {
        var reader = AnswerReader(body, most: mostEntities, isCancelled: isCancelled)
        guard reader.enterList() else { throw .noList }
        var rows: [SensorRow] = []
        while try reader.hasNext() {
            if let row = reader.value().flatMap(row) { rows.append(row) }
        }
        guard reader.isWhole else { throw .noList }
        return Snapshot(rows: rows, now: nil)
    }

    private static func row(_ entity: JSON) -> SensorRow? {
        guard let entityID = entity["entity_id"]?.text, let state = entity["state"]?.text else { return nil }
        let attributes = entity["attributes"]
        let reported = (entity["last_reported"] ?? entity["last_updated"])?.text
        return SensorRow(
            entityID: entityID, state: state, name: attributes?["friendly_name"]?.text ?? "",
            unit: attributes?["unit_of_measurement"]?.text ?? "",
            deviceClass: attributes?["device_class"]?.text ?? "",
            reportedAt: reported.flatMap(ISOTime.nanoseconds).map { Double($0) / 1e9 })
    }
}
