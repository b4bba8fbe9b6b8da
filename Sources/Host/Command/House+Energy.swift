import API
import Analysis
import Platform
import Readings
import Storage

/// The energies of the house, summed over its buckets.
extension House {
    var now: Instant { .now }
    var houseZone: Zone { zone.zone }

    func energy(_ question: EnergyReport.Question) throws(Problem) -> EnergyReport {
        guard let period = LocalPeriod(rawValue: question.resolution), let meter = instances.house?.plan.identity else {
            throw Problem(status: 503, title: "No Meter", detail: "No meter is configured.")
        }
        let from = period.bounds(containing: question.from, in: zone.zone).lowerBound
        var sums = LocalSums(by: period, in: zone.zone)
        do throws(StorageError) {
            try history.read { (reader) throws(StorageError) in
                guard let number = try reader.number(of: meter) else { return }
                try reader.forEachBucket(of: number, from: from, to: question.to) { sums.add($0) }
            }
        } catch {
            throw Problem(status: 503, title: "Store Unavailable", detail: "\(error.message); \(error.advice)")
        }
        var report = EnergyReport(
            meter: meter.name, zone: zone.zone.name, resolution: period.rawValue,
            currency: currency.isEmpty ? nil : currency)
        report.periods = sums.periods().map(Self.period)
        return report
    }

    private static func period(_ sum: EnergyPeriod) -> EnergyReport.Period {
        var period = EnergyReport.Period(start: sum.start, end: sum.end)
        for flow in Flow.allCases { period.kWh[flow] = sum.energy[flow].map(Energy.kWh) }
        period.powerW = sum.powerW.map(Shares.thousandths)
        period.minimumPowerW = sum.minimumPowerW
        period.maximumPowerW = sum.maximumPowerW
        period.coverage = Shares.thousandths(sum.coverage)
        period.importCost = sum.importCost.map(units)
        period.exportEarnings = sum.exportEarnings.map(units)
        period.fixedCost = sum.fixedCost.map(units)
        period.cost = sum.cost.map(units)
        period.unpricedKWh = Energy.kWh(sum.unpriced)
        return period
    }

    private static func units(_ amount: MicroCurrency) -> Double { Double(amount) / 1e6 }
}
