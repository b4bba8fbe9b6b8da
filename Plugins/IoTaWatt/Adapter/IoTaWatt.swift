public import AdapterKit

/// Reads an IoTaWatt from its own log: what was measured since the last reading, without a gap and without a sample.
///
/// Sources: https://docs.iotawatt.com/en/master/query.html, and the device's firmware
/// (https://github.com/boblemaire/IoTaWatt: CSVquery.cpp, webServer.cpp, auth.cpp, dataLog.cpp).
public final class IoTaWatt: MeterAdapter, HistoryProviding {
    public static let descriptor = AdapterDescriptor(
        meterType: "iotawatt", name: "IoTaWatt", vendor: "smart-meter", version: "1.0.0",
        url: "https://www.iotawatt.com", summary: "The IoTaWatt monitor, from its own log, by its query interface",
        samplingSeconds: 60, minimumSamplingSeconds: 5, lateSeconds: 150, historyStepSeconds: 5,
        historyReachSeconds: 3650 * 86400, settings: Preferences.settings)

    private let host: AdapterHost
    private let preferences: Preferences
    private let device: Device
    private var house: House?
    /// Of this run: it does not change, also where a series goes.
    private var known: KnownPowers?
    private var clock = DeviceClock()
    private var logs: DeviceLogs?
    /// The device's set-up when it was last looked at; another one means new series.
    private var setUp: [String] = []
    private var orientation = Orientation(stored: nil)
    /// When `/status` was last read, monotonic.
    private var statusAt: Int64 = 0
    /// End of the newest stretch of the log that was read, in seconds of the device's clock.
    private var readTo: Int?
    private var history = HistoryPortion()
    /// Faults in answers that have been named and last.
    private var named: Set<String> = []

    private static let orientationKey = "orientation"
    private static let statusPause: Int64 = 3600 * 1_000_000_000
    /// How far back a reading reaches after missed ones; what is older is history.
    private static let longestReach = 960
    /// What the first reading describes at least. From a full minute on: after a restart it then says again, and not in
    /// part, what was said before.
    private static let firstStretch = 60
    /// The device writes a record a moment after the time that it is for.
    private static let settling = 1.2

    public init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        preferences = try Preferences(host)
        device = Device(host, preferences)
    }

    public func start() throws(AdapterError) {
        known = nil
        readTo = nil
        named = []
        orientation = Orientation(stored: host.state(Self.orientationKey))
        try discover(nil)
    }

    // MARK: What there is

    /// Two requests, three where a roof's sign has to be found out.
    private func discover(_ deadline: Deadline?) throws(AdapterError) {
        let status = try takeStatus(deadline)
        let setup = try HouseSetup(status, try device.series(deadline), preferences)
        orientation.series = setup.unoriented
        try learnOrientation(of: setup.unoriented, deadline)
        for name in orientation.unknown {
            host.log(
                .info,
                "\(name) has produced nothing in the last 7 days: production is taken as positive until it has; "
                    + "IOTAWATT_SOLAR=-\(name) says otherwise")
        }
        let house = House(setup, orientation: orientation.isInverted, known: known)
        self.house = house
        known = house.known
        setUp = Self.signature(status)
        let version = status.version.map { ", firmware \($0)" } ?? ""
        host.log(.info, "series taken from the IoTaWatt\(version): \(setup.summary(orientation.isInverted))")
        let advice = setup.advice
        if let advice { host.log(.warning, advice) }
        host.condition(advice.map { AdapterError(.noData, $0) })
    }

    private static func signature(_ status: DeviceStatus) -> [String] {
        status.channels.map { "input \($0)" } + status.outputs
    }

    private func takeStatus(_ deadline: Deadline?) throws(AdapterError) -> DeviceStatus {
        let status = try device.status(deadline)
        statusAt = host.nowMonotonic
        logs = status.logs
        if let time = status.time, let skew = clock.set(device: time, wall: Double(host.nowWall) / 1e9) {
            host.log(
                .warning,
                skew == 0
                    ? "the device's clock is right again"
                    : "the device's clock is \(abs(skew)) s \(skew < 0 ? "behind" : "ahead"): its times are corrected")
        }
        return status
    }

    /// Finds out which of the series count production as negative: by their energy of the last week.
    private func learnOrientation(of series: [String], _ deadline: Deadline?) throws(AdapterError) {
        guard !series.isEmpty else { return }
        let end = clock.now(host) / 60 * 60
        let query = LogQuery(columns: series.map { "\($0).wh" }, begin: end - 7 * 86400, end: end, group: 7 * 86400)
        let before = orientation.isInverted
        orientation.learn(try device.rows(query, deadline).rows.first?.values ?? [], of: series)
        guard orientation.isInverted != before else { return }
        do throws(AdapterError) { try host.setState(Self.orientationKey, orientation.encoded) } catch {
            host.log(.warning, "cannot remember which way the roof counts: \(error.message)")
        }
    }

    /// A roof that has told nothing may have done so by now.
    private func learnMore(_ deadline: Deadline) throws(AdapterError) {
        let unknown = orientation.unknown
        guard !unknown.isEmpty else { return }
        do throws(AdapterError) { try learnOrientation(of: unknown, deadline) } catch {
            guard error.code != .cancelled else { throw error }
            host.log(.debug, "the direction of the roof was not to be had: \(error.message)")
        }
        if orientation.unknown != unknown { house = nil }
    }

    /// The house, found out again where the device has changed. Once an hour `/status` is read beside the log.
    private func currentHouse(_ deadline: Deadline) throws(AdapterError) -> House {
        if house != nil, host.nowMonotonic - statusAt >= Self.statusPause {
            let status = try takeStatus(deadline)
            if Self.signature(status) != setUp { house = nil } else { try learnMore(deadline) }
        }
        if house == nil { try discover(deadline) }
        guard let house else { throw AdapterError(.failed, "read before start") }
        return house
    }

    // MARK: Live

    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        let house = try currentHouse(deadline)
        guard host.wait(seconds: clock.untilSettled(host, Self.settling)) else {
            throw AdapterError(.cancelled, "the host asked to stop")
        }
        let end = clock.now(host) / 5 * 5
        var begin = (end - Self.firstStretch) / 60 * 60
        if let readTo, readTo <= end, end - readTo <= Self.longestReach { begin = readTo }
        let rows = try ask(LogQuery(columns: house.columns, begin: begin, end: end, group: 5), deadline)
        var readings = Self.stretches(rows.rows).compactMap { stretch -> Reading? in
            guard let first = stretch.first, let last = stretch.last else { return nil }
            var reading = house.reading(stretch, group: 5, seconds: last.start + 5 - first.start, isHistory: false)
            reading?.timestamp = clock.wall(last.start + 5)
            return reading
        }
        guard let newest = readings.popLast() else { throw try nothingNew(begin, end, deadline) }
        for reading in readings { host.emit(reading) }
        if let last = rows.rows.last(where: \.isMeasured) { readTo = last.start + 5 }
        return newest
    }

    /// Rows in a row that were measured, cut at full minutes: no reading lies across the border of a slot, and none
    /// says that it covers time in which the device was off.
    private static func stretches(_ rows: [LogRows.Row]) -> [ArraySlice<LogRows.Row>] {
        var stretches: [ArraySlice<LogRows.Row>] = []
        var start = 0
        for index in rows.indices {
            let isEnd =
                index + 1 == rows.count || !rows[index + 1].isMeasured || rows[index + 1].start != rows[index].start + 5
                || (rows[index].start + 5).isMultiple(of: 60)
            if !rows[index].isMeasured {
                start = index + 1
            } else if isEnd {
                stretches.append(rows[start...index])
                start = index + 1
            }
        }
        return stretches
    }

    /// The log has nothing of the time asked for: off, or its clock is wrong.
    private func nothingNew(_ begin: Int, _ end: Int, _ deadline: Deadline) throws(AdapterError) -> AdapterError {
        _ = try takeStatus(deadline)
        let last = logs.map { "; its newest record is \(max(0, clock.now(host) - $0.currentTo)) s old" } ?? ""
        return AdapterError(.noData, "the device's log has nothing of the last \(end - begin) s\(last)")
    }

    private func ask(_ query: LogQuery, _ deadline: Deadline) throws(AdapterError) -> LogRows {
        do throws(AdapterError) {
            let rows = try device.rows(query, deadline)
            name(rows.problems)
            return rows
        } catch {
            // A series was renamed, or is gone: the next call finds out.
            if error.code == .badData, error.message.contains("Invalid series") { house = nil }
            throw error
        }
    }

    /// Each fault once, until an answer comes without it.
    private func name(_ problems: [String]) {
        for problem in problems where !named.contains(problem) { host.log(.warning, "the device's answer: \(problem)") }
        named = Set(problems)
    }

    // MARK: History

    public func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome {
        let house = try currentHouse(request.deadline)
        var logs = try knownLogs(request.deadline)
        if request.from < clock.wall(logs.from) { return .noneBefore(clock.wall(logs.from)) }
        let grid = HistoryGrid(request, logs, clock)
        if let last = grid.timestamps.last, grid.device(last) > logs.currentTo {
            logs = try takeStatus(request.deadline).logs ?? logs
        }
        let written = grid.timestamps.filter { grid.device($0) <= logs.currentTo }
        let portion = written.prefix(history.records(of: grid))
        guard let first = portion.first, let last = portion.last else {
            return grid.outcome(coveredTo: request.from, written: written, logs)
        }
        let query = LogQuery(
            columns: house.historyColumns, begin: grid.device(first) - grid.period, end: grid.device(last),
            group: grid.group)
        let rows = try history.count { () throws(AdapterError) in try ask(query, request.deadline) }
        let coveredTo = hand(portion.filter { grid.device($0) <= rows.answeredTo }, of: rows, grid, house, put)
        guard let coveredTo else {
            throw AdapterError(.badData, "\(preferences.url)/query gave no row of \(query.rowCount)")
        }
        return grid.outcome(coveredTo: coveredTo, written: written, logs)
    }

    /// - Returns: the timestamp up to which everything was put; nil = of none.
    private func hand(
        _ instants: [Int64], of rows: LogRows, _ grid: HistoryGrid, _ house: House, _ put: (Reading) -> Bool
    ) -> Int64? {
        for instant in instants {
            let end = grid.device(instant)
            let rows = rows.between(end - grid.period, end)
            let found = house.reading(rows, group: grid.group, seconds: grid.period, isHistory: true)
            guard var record = found, record.isMeasured else { continue }
            record.timestamp = instant
            record.quality = .backfilled
            guard put(record) else { return instant }
        }
        return instants.last
    }

    private func knownLogs(_ deadline: Deadline) throws(AdapterError) -> DeviceLogs {
        if let logs { return logs }
        guard let logs = try takeStatus(deadline).logs else {
            throw AdapterError(
                .unsupported, "\(preferences.url)/status does not say how far the log reaches (datalogs)")
        }
        return logs
    }
}
