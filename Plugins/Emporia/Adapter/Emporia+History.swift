public import AdapterKit

/// The past, from Emporia's charts: one request for each channel, so for gaps alone.
extension Emporia {
    /// From so long a span on, what is asked next probably lies before it: one chart has both.
    private static let longSpan: Int64 = 5 * 60 * minute
    /// A chart takes so long at most, mostly; the rest of a call.
    private static let reserve: Int64 = 800_000_000

    /// What zeros only stand for may yet come, so long after it was.
    private static let incident: Int64 = 60 * minute
    private static let incidentPause = 900.0

    public func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome {
        guard request.to > request.from else { return .complete }
        let house = try currentHouse(request.deadline)
        guard !nodes.isEmpty else {
            return .notYet(coveredTo: request.from, retryAfterSeconds: 60)
        }
        let grid = ChartGrid(request, now: host.nowWall)
        guard let first = grid.timestamps.first, let last = grid.timestamps.last else {
            return grid.outcome(coveredTo: request.from)
        }
        try fetch(grid, from: first - grid.period, to: last, request.deadline)
        guard let charts else { throw AdapterError(.failed, "there are no charts") }
        var left = request.maximumRecords
        for timestamp in grid.timestamps {
            let start = timestamp - grid.period
            let window = UsageWindow(count: Int(grid.period / charts.bucket), bucket: charts.bucket) { channel, index in
                charts.kWh(channel, at: start + Int64(index) * charts.bucket)
            }
            let zeros = house.monitors.isEmpty ? [] : window.zeros(of: nodes)
            guard zeros.isEmpty || timestamp <= host.nowWall - Self.incident else {
                self.charts = nil
                return .notYet(
                    coveredTo: max(request.from, timestamp - grid.period), retryAfterSeconds: Self.incidentPause)
            }
            var record = house.reading(nodes, window.without(zeros))
            guard record.isMeasured else { continue }
            record.timestamp = timestamp
            record.quality = .backfilled
            left -= 1
            guard put(record), left > 0 else { return grid.outcome(coveredTo: timestamp) }
        }
        // Nothing of it lies before what was asked for.
        if charts.from == first - grid.period { self.charts = nil }
        return grid.outcome(coveredTo: last)
    }

    /// Where the deadline comes before the last chart, the next call for the same span goes on.
    private func fetch(_ grid: ChartGrid, from: Int64, to: Int64, _ deadline: Deadline) throws(AdapterError) {
        if charts?.covers(grid.scale, from: from, to: to) != true {
            let begin = to - from >= Self.longSpan ? max(grid.earliest, to - grid.scale.longestChart) : from
            charts = ChartChunk(grid.scale, from: min(from, begin), to: to)
        }
        guard var chunk = charts else { return }
        defer { charts = chunk }
        for node in nodes where !chunk.has(node.id) {
            guard deadline.monotonic - host.nowMonotonic > Self.reserve else {
                throw AdapterError(
                    .timeout, "\(chunk.count) of \(nodes.count) channels' charts are there: the rest with the next call"
                )
            }
            let chart = try cloud.chart(of: node.id, from: chunk.from, to: chunk.to, chunk.scale, deadline)
            chunk.take(chart, of: node.id)
        }
    }
}
