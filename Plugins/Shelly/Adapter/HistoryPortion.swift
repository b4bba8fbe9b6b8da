import AdapterKit

/// Answers a request for history a portion a call: an hour or two of each log, less where the devices prove slow.
struct HistoryPortion {
    private var minutes = most
    /// Where each log begins, and when that was asked.
    private var beginnings: [HistoryPlan.Log: (seconds: Int64?, askedAt: Int64)] = [:]

    /// An answer of three phases with as many minutes has 50 kB.
    private static let most: Int64 = 120
    private static let fewest: Int64 = 15
    /// A minute is written down a moment after its end.
    private static let settling: Int64 = 90
    /// Seconds in which the meters are found.
    private static let discovery = 5.0
    /// Seconds between two looks for a meter with a log.
    private static let absence = 60.0
    /// Logs grow at their beginning, and a device may be reset.
    private static let memory = 3600 * Moment.second

    mutating func answer(
        _ request: HistoryRequest, _ devices: DeviceLogs, now: Int64, put: (Reading) -> Bool
    ) throws(AdapterError) -> HistoryOutcome {
        let plan = try devices.plan()
        guard plan.isSettled else { return .notYet(coveredTo: request.from, retryAfterSeconds: Self.discovery) }
        guard plan.missing.isEmpty else {
            throw AdapterError(.noData, "\(plan.missing[0]) has not been heard of yet: history waits for it")
        }
        guard !plan.logs.isEmpty else {
            guard plan.isLogless else {
                return .notYet(coveredTo: request.from, retryAfterSeconds: Self.absence)
            }
            throw AdapterError(.unsupported, "no Shelly of the second generation or later is here: others keep no log")
        }
        let beginning = try beginning(plan.logs, devices, now)
        if request.from / Moment.second < beginning { return .noneBefore(beginning * Moment.second) }
        let period = Self.period(atLeast: request.step)
        let wanted = Array(request.timestamps(period: period * Moment.second))
        let written = wanted.filter { $0 <= now - Self.settling * Moment.second }
        let portion = written.prefix(max(1, Int(minutes * 60 / period)))
        guard let first = portion.first, let last = portion.last else {
            return wanted.isEmpty
                ? .complete : .notYet(coveredTo: request.from, retryAfterSeconds: Double(Self.settling))
        }
        let house = try house(
            plan, devices, from: first / Moment.second - period, to: last / Moment.second)
        for end in portion {
            guard let record = house.reading(end: end / Moment.second, period: period) else { continue }
            guard put(record) else { return request.outcome(coveredTo: end, period: period * Moment.second) }
        }
        if let next = wanted.first(where: { $0 > last }), !written.contains(next) {
            return .notYet(coveredTo: last, retryAfterSeconds: Double(Self.settling))
        }
        return request.outcome(coveredTo: last, period: period * Moment.second)
    }

    /// In seconds: whole minutes that fit into a quarter hour; longer ones are quarter hours.
    private static func period(atLeast step: Int64) -> Int64 {
        let seconds = min(86_400, max(60, (step - 1) / Moment.second + 1))
        let fits = [Int64(60), 180, 300, 900].first { $0 >= seconds }
        return fits ?? (seconds + 899) / 900 * 900
    }

    private mutating func beginning(
        _ logs: [HistoryPlan.Log], _ devices: DeviceLogs, _ now: Int64
    ) throws(AdapterError) -> Int64 {
        var found: [Int64] = []
        for log in logs {
            if let known = beginnings[log], now - known.askedAt < Self.memory, now >= known.askedAt {
                if let seconds = known.seconds { found.append(seconds) }
                continue
            }
            let seconds = try devices.beginning(of: log)
            beginnings[log] = (seconds, now)
            if let seconds { found.append(seconds) }
        }
        guard let first = found.min() else {
            throw AdapterError(.noData, "the devices have not written anything down yet")
        }
        return first
    }

    /// Learns from how it went.
    private mutating func house(
        _ plan: HistoryPlan, _ devices: DeviceLogs, from: Int64, to: Int64
    ) throws(AdapterError) -> MinuteHouse {
        var house = MinuteHouse(plan)
        do throws(AdapterError) {
            for log in plan.logs {
                // One that reaches into the time from before it.
                house.add(try devices.minutes(of: log, from: from - 60, to: to), of: log)
            }
            minutes = min(Self.most, minutes + Self.fewest)
        } catch {
            if error.code == .timeout { minutes = max(Self.fewest, minutes / 2) }
            throw error
        }
        return house
    }
}
