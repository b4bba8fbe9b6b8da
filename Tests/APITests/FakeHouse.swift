import API
import Readings
import Synchronization

/// A house that says what a test puts into it.
final class FakeHouse: HouseView {
    static let noon = Instant(seconds: 1_795_435_590)

    private let healthReport: Mutex<HealthReport>
    private let consumptionReport: Mutex<ConsumptionReport?>

    init(
        health: HealthReport = HealthReport(version: "1.2.3", timestamp: noon, uptimeSeconds: 12.5),
        consumption: ConsumptionReport? = nil, zone: Zone = .utc
    ) {
        healthReport = Mutex(health)
        houseZone = zone
        consumptionReport = Mutex(consumption)
    }

    func health() -> HealthReport { healthReport.withLock { $0 } }
    func consumption() -> ConsumptionReport? { consumptionReport.withLock { $0 } }
    let houseZone: Zone
    var now: Instant { Self.noon }

    /// One period: what was asked, as it arrived.
    func energy(_ question: EnergyReport.Question) throws(Problem) -> EnergyReport {
        var report = EnergyReport(
            meter: "mock", zone: houseZone.name, resolution: question.resolution, currency: "EUR")
        var period = EnergyReport.Period(start: question.from, end: question.to)
        period.kWh.imported = 1.5
        period.cost = 0.3
        report.periods = [period]
        return report
    }
}
