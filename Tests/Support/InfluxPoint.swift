/// A point as a store gave it back.
public struct InfluxPoint: Sendable, Equatable {
    public var measurement: String
    public var tags: [String: String]
    public var fields: [String: Value]
    /// Nanoseconds since the epoch.
    public var time: Int64

    public enum Value: Sendable, Equatable {
        case number(Double)
        case text(String)
    }

    public func number(_ field: String) -> Double? {
        if case .number(let number) = fields[field] { number } else { nil }
    }

    public func text(_ field: String) -> String? {
        if case .text(let text) = fields[field] { text } else { nil }
    }
}
