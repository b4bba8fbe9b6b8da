import Foundation

/// A Shelly EM or 3EM of the first generation, as its messages show it: one value a topic.
public struct ShellyGen1: Sendable {
    public struct Emeter: Sendable {
        public var load: ShellyLoad
        public var totalWh: Double
        public var returnedWh: Double
        var wattMinutes = 0.0
        var returnedWattMinutes = 0.0
    }

    public let id: String
    public private(set) var emeters: [Emeter]
    /// Seconds since the epoch up to which it has measured.
    public private(set) var second: Int
    /// It has started and has not read its counters from flash yet.
    private var isWaking = false

    public init(_ id: String, _ loads: [ShellyLoad], totalWh: Double = 544_587, at second: Int) {
        self.id = id
        self.second = second
        emeters = loads.map {
            Emeter(load: $0, totalWh: totalWh, returnedWh: 0)
        }
    }

    public mutating func advance(to end: Int) {
        for now in second..<max(second, end) {
            for index in emeters.indices {
                let power = emeters[index].load.watts(now)
                if power > 0 {
                    emeters[index].totalWh += power / 3600
                    emeters[index].wattMinutes += power / 60
                } else {
                    emeters[index].returnedWh -= power / 3600
                    emeters[index].returnedWattMinutes -= power / 60
                }
            }
        }
        second = max(second, end)
    }

    /// Off and on again at `end`: for a moment it has no counters, then whole watt hours, as flash has them; watt
    /// minutes begin anew.
    public mutating func reboot(at end: Int) {
        second = max(second, end)
        isWaking = true
        for index in emeters.indices {
            emeters[index].totalWh = emeters[index].totalWh.rounded(.down)
            emeters[index].returnedWh = emeters[index].returnedWh.rounded(.down)
            emeters[index].wattMinutes = 0
            emeters[index].returnedWattMinutes = 0
        }
    }

    /// Everything, as it is published every 30 s, on a change of power and when `update` is asked for.
    public mutating func state() -> [MQTTMessage] {
        defer { isWaking = false }
        return emeters.indices.flatMap { index -> [MQTTMessage] in
            let emeter = emeters[index]
            let power = emeter.load.watts(second)
            var values = [
                ("power", Self.text(power)), ("voltage", "230.52"), ("pf", power < 0 ? "-0.98" : "0.98"),
                ("energy", "\(Int(emeter.wattMinutes))"), ("returned_energy", "\(Int(emeter.returnedWattMinutes))"),
                ("total", isWaking ? "-1" : Self.text(emeter.totalWh)),
                ("total_returned", isWaking ? "-1" : Self.text(emeter.returnedWh)),
            ]
            values +=
                emeters.count == 3 ? [("current", Self.text(abs(power) / 230.52))] : [("reactive_power", "-12.30")]
            return values.map { MQTTMessage("shellies/\(id)/emeter/\(index)/\($0.0)", $0.1) }
        }
    }

    public var announcement: MQTTMessage {
        let model = emeters.count == 3 ? "SHEM-3" : "SHEM"
        return MQTTMessage(
            "shellies/announce",
            "{\"id\":\"\(id)\",\"model\":\"\(model)\",\"mac\":\"A4CF12B1E6D2\",\"ip\":\"192.168.1.7\",\"new_fw\":false,"
                + "\"fw_ver\":\"20230913-114150/v1.14.0-gcb84623\"}")
    }

    public func online(_ isOnline: Bool) -> MQTTMessage {
        MQTTMessage("shellies/\(id)/online", isOnline ? "true" : "false", isRetained: true)
    }

    private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
}
