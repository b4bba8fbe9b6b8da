import AdapterKit

/// Where the records of a request for history lie: by minutes as far back as Emporia has these, by hours before.
struct ChartGrid: Sendable {
    let scale: Cloud.Scale
    /// Of a record, in nanoseconds.
    let period: Int64
    /// As many as one chart has.
    let timestamps: [Int64]
    /// No chart of this scale goes further back.
    let earliest: Int64
    private let request: HistoryRequest
    /// From here on there are minutes.
    private let border: Int64
    private let periods: (minutes: Int64?, hours: Int64)
    private let settledTo: Int64

    private static let minute = Cloud.Scale.minute.bucket
    private static let hour = Cloud.Scale.hour.bucket
    /// Minutes are kept for about three days; older ones are refused.
    private static let minutesReach = 71 * hour
    /// What is younger may still change.
    private static let settling = 4 * minute

    /// - Parameter now: nanoseconds since the epoch.
    init(_ request: HistoryRequest, now: Int64) {
        self.request = request
        border = ((now - Self.minutesReach) / Self.hour + 1) * Self.hour
        settledTo = (now - Self.settling) / Self.minute * Self.minute
        periods = (Self.minutes(request.step), Self.whole(request.step, Self.hour))
        if request.from >= border, let minutes = periods.minutes {
            (scale, period, earliest) = (.minute, minutes, border)
        } else {
            (scale, period, earliest) = (.hour, periods.hours, 0)
        }
        let most = Int(max(1, scale.longestChart / period))
        let last = request.from >= border ? Int64.max : Self.whole(border, period)
        // A chart has more than one call may put: the rest is for the next ones.
        var chart = request
        chart.maximumRecords = most
        timestamps = chart.timestamps(period: period).filter { [settledTo] in $0 <= min(settledTo, last) }
    }

    /// What to say once everything up to `coveredTo` was put.
    func outcome(coveredTo: Int64) -> HistoryOutcome {
        let period = coveredTo >= border ? periods.minutes ?? periods.hours : periods.hours
        let outcome = request.outcome(coveredTo: coveredTo, period: period)
        guard outcome != .complete else { return outcome }
        let next = Self.whole(coveredTo + 1, period)
        // It is there once it has settled.
        guard next > settledTo else { return .more(coveredTo: coveredTo) }
        return .notYet(coveredTo: coveredTo, retryAfterSeconds: Double((next - settledTo) / 1_000_000_000 + 60))
    }

    /// Whole minutes of which an hour holds a whole number; nil = hours will do.
    private static func minutes(_ step: Int64) -> Int64? {
        let count = whole(step, minute) / minute
        return count < 60 ? (count..<60).first { 60 % $0 == 0 }.map { $0 * minute } : nil
    }

    /// The smallest multiple of a unit that is not less.
    private static func whole(_ value: Int64, _ unit: Int64) -> Int64 {
        let value = min(max(1, value), .max / 2)
        return (value + unit - 1) / unit * unit
    }
}
