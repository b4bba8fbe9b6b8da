import API
import Analysis
import Configuration
import Pipeline
import Platform
import Readings
import Storage

/// What was: on the query thread.
extension House {
    /// The house's identity, or the named instance's.
    func meter(_ name: String?) throws(Problem) -> InstanceIdentity {
        if let name { return try meter(named: name) }
        guard let entry = instances.house else {
            throw Problem(status: 503, title: "No Meter", detail: "No meter is configured.")
        }
        return entry.plan.identity
    }

    /// One that `METER_TYPE` names no more has its history all the same.
    private func meter(named name: String) throws(Problem) -> InstanceIdentity {
        if let entry = instances.entry(named: name) { return entry.plan.identity }
        guard let meter = MeterSelection.instance(named: name),
            try history.read({ (reader) throws(StorageError) in try reader.number(of: meter) != nil })
        else { throw .noSuchInstance(name) }
        return meter
    }

    // MARK: Energy

    func energy(_ question: EnergyReport.Question) throws(Problem) -> EnergyReport {
        let meter = try meter(question.instance)
        guard let period = LocalPeriod(rawValue: question.resolution) else {
            throw Problem(status: 400, title: "Bad Request", detail: "resolution is not allowed")
        }
        let from = period.bounds(containing: question.from, in: zone.zone).lowerBound
        let to = question.to.slotEnd(interval: Bucket.length)
        let periods = try history.read { (reader) throws(StorageError) in
            var sums = LocalSums(by: period, in: zone.zone)
            guard let number = try reader.number(of: meter) else { return [EnergyPeriod]() }
            _ = try reader.forEachBucket(of: number, from: from, to: to, takesCircuits: false) { bucket in
                sums.add(bucket)
                return true
            }
            return sums.periods()
        }
        var report = EnergyReport(
            meter: meter.name, zone: zone.zone.name, resolution: period.rawValue, from: from, to: to,
            currency: currency)
        report.periods = periods.map(Self.period)
        return report
    }

    private static func period(_ sum: EnergyPeriod) -> EnergyReport.Period {
        var period = EnergyReport.Period(start: sum.start, end: sum.end)
        for flow in Flow.allCases { period.kWh[flow] = sum.energy[flow].map(Shares.kWh) }
        period.powerW = sum.powerW.map(Shares.thousandths)
        period.minimumPowerW = sum.minimumPowerW
        period.maximumPowerW = sum.maximumPowerW
        period.coverage = Shares.thousandths(sum.coverage)
        period.importCost = sum.importCost.map(units)
        period.exportEarnings = sum.exportEarnings.map(units)
        period.fixedCost = sum.fixedCost.map(units)
        period.cost = sum.cost.map(units)
        period.unpricedKWh = Shares.kWh(sum.unpriced)
        return period
    }

    private static func units(_ amount: MicroCurrency) -> Double { Double(amount) / 1e6 }

    // MARK: History

    func history(_ question: HistoryReport.Question) throws(Problem) -> any HistorySource {
        try StoredHistory(
            question, of: try meter(question.instance), zone: zone.zone, history: history)
    }

    // MARK: Circuits

    func circuits(of instance: String?) throws(Problem) -> CircuitsReport {
        let meter = try meter(instance)
        let midnight = zone.zone.startOfDay(containing: .now)
        let (known, today) = try history.read { (reader) throws(StorageError) in
            guard let number = try reader.number(of: meter) else { return ([KnownCircuit](), [Int32: Millijoules]()) }
            var today: [Int32: Millijoules] = [:]
            _ = try reader.forEachBucket(of: number, from: midnight, to: .now + Duration.day, takesCircuits: true) {
                for circuit in $0.circuits { today[circuit.circuit] = today[circuit.circuit] +| circuit.energy }
                return true
            }
            return (try reader.knownCircuits(of: number), today)
        }
        let reading = readings().first { $0.instance == meter.name }
        let present = Dictionary(reading?.circuits.map { ($0.id, $0) } ?? []) { first, _ in first }
        var report = CircuitsReport(instance: meter.name, zone: zone.zone.name)
        report.timestamp = reading?.timestamp
        report.isStale = reading?.isStale ?? false
        report.circuits = known.map { circuit in
            let now = present[circuit.id]
            var made = CircuitsReport.Circuit(
                id: circuit.id, name: circuit.name, kind: (now?.kind ?? circuit.kind).word, parentID: circuit.parentID)
            made.isPresent = now != nil
            made.powerW = now?.powerW
            made.percentage = now?.percentage
            made.todayKWh = today[circuit.number].map(Shares.kWh)
            return made
        }
        return report
    }

    // MARK: Nights and alerts

    func phantom(nights count: Int, of instance: String?) throws(Problem) -> PhantomReport {
        let meter = try meter(instance)
        let (nights, circuits) = try history.read { (reader) throws(StorageError) in
            guard let number = try reader.number(of: meter) else { return ([NightRecord](), [KnownCircuit]()) }
            return (try reader.nights(of: number, limit: count), try reader.knownCircuits(of: number))
        }
        let byNumber = Dictionary(circuits.map { ($0.number, $0) }) { first, _ in first }
        var report = PhantomReport(
            instance: meter.name, thresholdW: options.phantomThresholdW, currency: currency)
        report.nights = nights.map { night($0, byNumber) }
        return report
    }

    private func night(_ record: NightRecord, _ circuits: [Int32: KnownCircuit]) -> PhantomReport.Night {
        let powerW = record.night.powerW.map(Shares.thousandths)
        var night = PhantomReport.Night(
            date: record.date, powerW: powerW, reason: record.night.reason,
            coverage: Shares.thousandths(record.night.coverage),
            isHigh: record.night.powerW ?? 0 > options.phantomThresholdW)
        night.kWhPerYear = powerW.map(PhantomLoad.kWhPerYear)
        night.costPerYear = night.kWhPerYear.flatMap(costPerYear)
        night.circuits = record.night.circuits.compactMap { share in
            guard let circuit = circuits[share.circuit] else { return nil }
            let kWh = PhantomLoad.kWhPerYear(powerW: share.powerW)
            return PhantomReport.Circuit(
                id: circuit.id, name: circuit.name, powerW: Shares.thousandths(share.powerW), kWhPerYear: kWh,
                costPerYear: costPerYear(kWh))
        }
        return night
    }

    private func costPerYear(_ kWh: Double) -> Double? {
        options.tariff.tariff.map { PhantomLoad.costPerYear(kWh: kWh, $0) }
    }

    func alerts(_ question: AlertReport.Question) throws(Problem) -> [AlertReport] {
        let isOpen: Bool? =
            switch question.state {
            case .all: nil
            case .raised: true
            case .ended: false
            }
        return try history.read { (reader) throws(StorageError) in
            try reader.alerts(
                isOpen: isOpen, before: question.before ?? Instant(nanoseconds: .max), limit: question.limit
            ).map { Self.report($0.alert, of: $0.meter) }
        }
    }

    func recentAlerts() -> [AlertReport] {
        let meters = Dictionary(instances.all.compactMap { entry in entry.number.map { ($0, entry.plan.identity) } }) {
            first, _ in first
        }
        return pipeline.recentAlerts.compactMap { alert in
            meters[alert.instance].map { Self.report(alert, of: $0) }
        }
    }

    private static func report(_ alert: AlertRecord, of meter: InstanceIdentity) -> AlertReport {
        AlertReport(
            id: alert.id(of: meter), instance: meter.name, kind: alert.kind, start: alert.start, end: alert.ended,
            peakW: alert.shownPeakW, detail: alert.detail)
    }
}
