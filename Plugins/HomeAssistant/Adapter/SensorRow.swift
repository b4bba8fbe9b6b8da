import AdapterKit
import FoundationEssentials

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
    /// Nil where it does not begin as the template makes it. A line that makes no sense is left out.
    static func parse(_ body: [UInt8]) -> Snapshot? {
        let lines = body.split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, let now = Units.number(String(decoding: first, as: UTF8.self)) else {
            return nil
        }
        let decoder = JSONDecoder()
        let rows = lines.dropFirst().compactMap { try? decoder.decode(Row.self, from: Data($0)).sensor }
        return Snapshot(rows: rows, now: now)
    }

    /// [entity_id, state, name, unit, device_class, reported]
    private struct Row: Decodable {
        let sensor: SensorRow

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            sensor = SensorRow(
                entityID: try values.decode(String.self), state: try values.decode(String.self),
                name: try values.decodeIfPresent(String.self) ?? "",
                unit: try values.decodeIfPresent(String.self) ?? "",
                deviceClass: try values.decodeIfPresent(String.self) ?? "",
                reportedAt: try values.decodeIfPresent(Double.self))
        }
    }
}

/// The answer of `/api/states`: all entities of the house, of which the sensors count.
enum StatesAnswer {
    /// Nil where it is not a JSON array. An entity that makes no sense is left out.
    static func parse(_ body: [UInt8]) -> Snapshot? {
        guard let entities = try? JSONDecoder().decode([Lenient].self, from: Data(body)) else { return nil }
        return Snapshot(rows: entities.compactMap(\.row), now: nil)
    }

    private struct Lenient: Decodable {
        let row: SensorRow?

        init(from decoder: any Decoder) throws {
            row = (try? Entity(from: decoder)).map(\.row)
        }
    }

    private struct Entity: Decodable {
        var entity_id: String
        var state: String
        var attributes: Attributes?
        var last_reported: String?
        var last_updated: String?

        struct Attributes: Decodable {
            var friendly_name: String?
            var unit_of_measurement: String?
            var device_class: String?

            private enum CodingKeys: String, CodingKey {
                case friendly_name
                case unit_of_measurement
                case device_class
            }

            /// A wrong type of one attribute is no reason to lose the sensor.
            init(from decoder: any Decoder) throws {
                let values = try decoder.container(keyedBy: CodingKeys.self)
                friendly_name = try? values.decode(String.self, forKey: .friendly_name)
                unit_of_measurement = try? values.decode(String.self, forKey: .unit_of_measurement)
                device_class = try? values.decode(String.self, forKey: .device_class)
            }
        }

        var row: SensorRow {
            SensorRow(
                entityID: entity_id, state: state, name: attributes?.friendly_name ?? "",
                unit: attributes?.unit_of_measurement ?? "", deviceClass: attributes?.device_class ?? "",
                reportedAt: (last_reported ?? last_updated).flatMap(ISOTime.nanoseconds).map { Double($0) / 1e9 })
        }
    }
}
