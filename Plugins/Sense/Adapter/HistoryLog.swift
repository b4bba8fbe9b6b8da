import AdapterKit

/// Answers spans of history out of the cloud's days, which it keeps for a while: the host asks for a few hours at a time,
/// the cloud answers whole days.
struct HistoryLog: Sendable {
    /// The newest last.
    private var days: [DayLog] = []

    private static let mostDays = 4
    /// So long after an hour it is sure to be in the log; where it is not, it is asked for again for a while.
    private static let settling = 900 * Time.second
    private static let patience = 6 * Time.hour
    private static let pause = 1800 * Time.second
    private static let longestPeriod = Time.day
    /// Of a record: less is not measured.
    private static let fullCoverage = 0.8

    typealias Hour = (day: DayLog, index: Int)

    /// - Parameter ask: the day of an instant, by the cloud. One a call, so that other questions have their turn.
    mutating func answer(
        _ request: HistoryRequest, _ setUp: Sense.SetUp, _ devices: Devices, now: Int64, put: (Reading) -> Bool,
        ask: (Int64) throws(AdapterError) -> DayLog
    ) throws(AdapterError) -> HistoryOutcome {
        guard request.step <= Self.longestPeriod else {
            throw AdapterError(.invalid, "Sense's history is given in records of a day at most")
        }
        let period = max(1, (request.step + Time.hour - 1) / Time.hour) * Time.hour
        var coveredTo = request.from
        var asked = 0
        for timestamp in request.timestamps(period: period) {
            let settled = timestamp + Self.settling
            guard settled <= now else {
                return .notYet(
                    coveredTo: coveredTo, retryAfterSeconds: Double(settled - now) / Double(Time.second))
            }
            var hours: [Hour] = []
            for begin in stride(from: timestamp - period, to: timestamp, by: Int64.Stride(Time.hour)) {
                if let known = self.hour(begin, now) {
                    hours.append(known)
                    continue
                }
                guard asked == 0 || coveredTo == request.from else { return .more(coveredTo: coveredTo) }
                asked += 1
                let day = try ask(begin)
                keep(day)
                hours.append((day, day.hour(beginning: begin) ?? 0))
            }
            let record = HourRecord(hours, hasSolar: setUp.hasSolar)
            if record.measured < hours.count, timestamp > now - Self.patience {
                return .notYet(coveredTo: coveredTo, retryAfterSeconds: Double(Self.pause / Time.second))
            }
            coveredTo = timestamp
            guard Double(record.measured) >= Self.fullCoverage * Double(hours.count) else { continue }
            var reading = record.reading(setUp, devices)
            reading.timestamp = timestamp
            reading.period = period
            guard put(reading) else { break }
        }
        return request.outcome(coveredTo: coveredTo, period: period)
    }

    private mutating func keep(_ day: DayLog) {
        days.removeAll { $0.start == day.start }
        days.append(day)
        if days.count > Self.mostDays { days.removeFirst() }
    }

    /// Of a day that is at hand, and new enough to have it.
    private func hour(_ begin: Int64, _ now: Int64) -> Hour? {
        let end = begin + Time.hour
        for day in days {
            guard let index = day.hour(beginning: begin), day.askedAt >= end + Self.settling else { continue }
            let mayCome = day.hoursKWh[index] == nil && end > day.askedAt - Self.patience
            // A little sooner than the host was told to ask again.
            guard !mayCome || now - day.askedAt < Self.pause * 9 / 10 else { continue }
            return (day, index)
        }
        return nil
    }
}

/// The sums of the hours of a record. Hours of which the house is not measured are left out.
struct HourRecord: Sendable {
    private let hours: [HistoryLog.Hour]
    private let hasSolar: Bool

    init(_ hours: [HistoryLog.Hour], hasSolar: Bool) {
        self.hours = hours.filter { $0.day.hoursKWh[$0.index] != nil && (!hasSolar || Self.made($0) != nil) }
        self.hasSolar = hasSolar
    }

    var measured: Int { hours.count }

    private static func used(_ hour: HistoryLog.Hour) -> Double { hour.day.hoursKWh[hour.index] ?? 0 }

    private static func made(_ hour: HistoryLog.Hour) -> Double? {
        hour.day.productionKWh.indices.contains(hour.index) ? hour.day.productionKWh[hour.index] : nil
    }

    /// Watts of so much energy in the measured hours.
    private func mean(_ energyKWh: Double) -> Double { energyKWh * 1000 / Double(max(1, hours.count)) }

    /// Without time.
    func reading(_ setUp: Sense.SetUp, _ devices: Devices) -> Reading {
        var reading = Reading(known: setUp.known)
        reading.quality = .backfilled
        let used = hours.reduce(0) { $0 + Self.used($1) }
        if hasSolar {
            let made = hours.reduce(0) { $0 + (Self.made($1) ?? 0) }
            reading.gridPowerW = mean(used - made)
            reading.solarPowerW = mean(made)
            var energy = Energies()
            energy.productionKWh = hours.reduce(0) { $0 + max(0, Self.made($1) ?? 0) }
            energy.importKWh = hours.reduce(0) { sum, hour in
                sum + max(0, Self.used(hour) - (Self.made(hour) ?? 0)) + hour.day.passedKWh(hour.index)
            }
            energy.exportKWh = hours.reduce(0) { sum, hour in
                sum + max(0, (Self.made(hour) ?? 0) - Self.used(hour)) + hour.day.passedKWh(hour.index)
            }
            reading.periodEnergy = energy
            var solar = Devices.solarCircuit(powerW: reading.solarPowerW)
            solar.periodEnergyKWh = energy.productionKWh
            reading.circuits = [solar]
        } else {
            reading.consumptionPowerW = mean(used)
            reading.periodEnergy.consumptionKWh = used
        }
        reading.circuits += circuits(devices)
        return reading
    }

    /// Of the devices that are measured in all these hours.
    private func circuits(_ devices: Devices) -> [Circuit] {
        var sums: [String: (energyKWh: Double, hours: Int)] = [:]
        var order: [DayLog.Device] = []
        for hour in hours {
            for device in hour.day.devices where device.id != Devices.solar && !devices.hidden.contains(device.id) {
                guard device.hoursKWh.indices.contains(hour.index), let energy = device.hoursKWh[hour.index] else {
                    continue
                }
                if sums[device.id] == nil { order.append(device) }
                let sum = sums[device.id] ?? (0, 0)
                sums[device.id] = (sum.energyKWh + energy, sum.hours + 1)
            }
        }
        return order.compactMap { device in
            guard let sum = sums[device.id], sum.hours == hours.count else { return nil }
            var circuit = devices.circuit(device.id, device.name, device.icon)
            circuit.powerW = mean(sum.energyKWh)
            circuit.periodEnergyKWh = sum.energyKWh
            return circuit
        }
    }
}
