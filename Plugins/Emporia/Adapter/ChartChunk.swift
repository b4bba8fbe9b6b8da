import AdapterKit

/// A stretch of history: charts of all channels, as far as they have been asked for. A house has more channels than a
/// call has time for; what is there is kept for the next call.
struct ChartChunk: Sendable {
    let scale: Cloud.Scale
    /// Nanoseconds since the epoch, on the grid of the buckets.
    let from: Int64
    let to: Int64
    private var charts: [ChannelID: ChartAnswer] = [:]

    init(_ scale: Cloud.Scale, from: Int64, to: Int64) {
        self.scale = scale
        self.from = from
        self.to = to
    }

    var bucket: Int64 { scale.bucket }
    /// Charts that are there.
    var count: Int { charts.count }

    func covers(_ scale: Cloud.Scale, from: Int64, to: Int64) -> Bool {
        scale == self.scale && self.from <= from && to <= self.to
    }

    func has(_ channel: ChannelID) -> Bool { charts[channel] != nil }

    mutating func take(_ chart: ChartAnswer, of channel: ChannelID) { charts[channel] = chart }

    /// kWh of the bucket that begins at `start`; nil = not measured.
    func kWh(_ channel: ChannelID, at start: Int64) -> Double? {
        guard let chart = charts[channel] else { return nil }
        let (ahead, isBeyond) = start.subtractingReportingOverflow(chart.start)
        guard !isBeyond, ahead >= 0, ahead.isMultiple(of: bucket), ahead / bucket < Int64(chart.kWh.count) else {
            return nil
        }
        return chart.kWh[Int(ahead / bucket)]
    }
}

extension Cloud.Scale {
    /// Nanoseconds of a bucket.
    var bucket: Int64 {
        switch self {
        case .minute: 60_000_000_000
        case .hour: 3_600_000_000_000
        case .day: 86_400_000_000_000
        }
    }

    /// What Emporia answers at once, in nanoseconds: 12 h of minutes, 30 days of hours.
    var longestChart: Int64 { 720 * bucket }
}
