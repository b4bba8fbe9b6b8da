import AdapterKit

/// Where the records of a request for history lie, and in which groups the log is asked for them.
struct HistoryGrid: Sendable {
    /// Seconds of a record, and of a row of the log.
    let period: Int
    let group: Int
    /// Wall time, nanoseconds.
    let timestamps: [Int64]
    private let request: HistoryRequest
    private let clock: DeviceClock

    /// The log of 5 s for the last year, that of 1 min before.
    private static let finest = 5
    private static let historyStep = 60
    private static let quarterHour = 900
    /// Of longer records the rows are longer too.
    private static let longestOfMinutes = 14_400

    init(_ request: HistoryRequest, _ logs: DeviceLogs, _ clock: DeviceClock) {
        self.request = request
        let fine = Self.period(atLeast: request.step, multipleOf: Self.finest)
        let fineTimes = Self.timestamps(request, fine)
        let coarse = Self.period(atLeast: request.step, multipleOf: Self.historyStep)
        // What the finer log has is left to the next call.
        let coarseTimes = Self.timestamps(request, coarse).filter {
            Int($0 / 1_000_000_000) - coarse < logs.currentFrom
        }
        let isDeep = !coarseTimes.isEmpty && fineTimes.contains { clock.device($0) - fine < logs.currentFrom }
        // What the clock showed years ago nobody knows; the rows of that log lie on full minutes.
        self.clock = isDeep ? DeviceClock() : clock
        period = isDeep ? coarse : fine
        timestamps = isDeep ? coarseTimes : fineTimes
        group =
            period > Self.longestOfMinutes
            ? Self.quarterHour : isDeep ? Self.historyStep : Self.greatestDivisor(period, Self.historyStep)
    }

    private static func timestamps(_ request: HistoryRequest, _ period: Int) -> [Int64] {
        Array(request.timestamps(period: Int64(period) * 1_000_000_000).prefix(HistoryPortion.mostRecords))
    }

    /// The shortest period that the log has and that fits into a quarter hour; longer ones are quarter hours.
    private static func period(atLeast step: Int64, multipleOf base: Int) -> Int {
        let seconds = Int(clamping: max(1, step) / 1_000_000_000 + (step % 1_000_000_000 > 0 ? 1 : 0))
        let fits = stride(from: base, through: quarterHour, by: base).first {
            $0 >= seconds && quarterHour.isMultiple(of: $0)
        }
        return fits ?? min(86_400 * 365, (seconds - 1) / quarterHour * quarterHour + quarterHour)
    }

    private static func greatestDivisor(_ one: Int, _ other: Int) -> Int {
        other == 0 ? one : greatestDivisor(other, one % other)
    }

    var rowsPerRecord: Int { max(1, period / group) }

    func device(_ instant: Int64) -> Int { clock.device(instant) }

    /// What to say once everything up to `coveredTo` was put, where the log has `written` these records.
    func outcome(coveredTo: Int64, written: [Int64], _ logs: DeviceLogs) -> HistoryOutcome {
        let next = timestamps.first { $0 > coveredTo }
        guard let next, !written.contains(next) else {
            return request.outcome(coveredTo: coveredTo, period: Int64(period) * 1_000_000_000)
        }
        // It will be in the log once the device's clock is there.
        let missing = Double(device(next) - logs.currentTo)
        return .notYet(coveredTo: coveredTo, retryAfterSeconds: min(300, max(5, missing + 2)))
    }
}

/// How much history is asked for at once: a portion that keeps the device busy for a second or two, less where it
/// proves slow.
struct HistoryPortion: Sendable {
    private var rows = most

    private static let most = 240
    private static let fewest = 24
    static let mostRecords = most

    func records(of grid: HistoryGrid) -> Int { max(1, rows / grid.rowsPerRecord) }

    /// Makes a request, and learns from how it went.
    mutating func count<Answer>(
        _ request: () throws(AdapterError) -> Answer
    ) throws(AdapterError) -> Answer {
        do throws(AdapterError) {
            let answer = try request()
            rows = min(Self.most, rows + Self.fewest)
            return answer
        } catch {
            if error.code == .timeout || error.code == .unreachable { rows = max(Self.fewest, rows / 2) }
            throw error
        }
    }
}
