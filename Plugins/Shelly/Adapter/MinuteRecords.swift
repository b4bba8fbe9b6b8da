import AdapterKit

/// What a device has written down of one stretch of time, a minute as a rule. Energies are of the stretch.
struct Minute: Hashable, Sendable {
    /// Seconds since the epoch.
    var start: Int64
    var seconds: Int64
    var forwardWh: Double
    var returnedWh: Double
}

/// The minutes of one log, by channel.
struct MinuteRecords {
    private let log: HistoryPlan.Log
    private(set) var channels: [ChannelName: [Minute]] = [:]

    /// A record is a minute; nothing says that it always will be.
    private static let longestSeconds: Int64 = 3600

    init(_ log: HistoryPlan.Log) {
        self.log = log
    }

    /// Takes the minutes that begin in from..<to out of an answer of GetData: a power cut splits it into blocks.
    /// - Returns: false where it makes no sense.
    mutating func add(_ result: JSON, from: Int64, to: Int64) -> Bool {
        guard let blocks = result["data"]?.list else { return false }
        guard !blocks.isEmpty else { return true }
        guard let keys = result["keys"]?.list?.map({ $0.text ?? "" }) else { return false }
        let columns = log.channels.map { channel, prefix in
            (
                channel, keys.firstIndex(of: "\(prefix)total_act_energy"),
                keys.firstIndex(of: "\(prefix)total_act_ret_energy")
            )
        }
        for block in blocks {
            guard let begin = block["ts"]?.integer, let seconds = block["period"]?.integer,
                let rows = block["values"]?.list, (1...Self.longestSeconds).contains(seconds),
                (0..<1 << 40).contains(begin)
            else { return false }
            for (index, row) in rows.enumerated() {
                let start = begin + Int64(index) * seconds
                guard start >= from, start < to, let values = row.list else { continue }
                for (channel, forward, returned) in columns {
                    guard let forward = forward.flatMap({ Self.energy(values, $0) }),
                        let returned = returned.flatMap({ Self.energy(values, $0) })
                    else { continue }
                    channels[channel, default: []].append(
                        Minute(start: start, seconds: seconds, forwardWh: forward, returnedWh: returned))
                }
            }
        }
        return true
    }

    private static func energy(_ values: [JSON], _ column: Int) -> Double? {
        guard values.indices.contains(column), let value = values[column].number, value >= 0 else { return nil }
        return value
    }
}
