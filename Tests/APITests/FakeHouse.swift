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
        consumption: ConsumptionReport? = nil
    ) {
        healthReport = Mutex(health)
        consumptionReport = Mutex(consumption)
    }

    func health() -> HealthReport { healthReport.withLock { $0 } }
    func consumption() -> ConsumptionReport? { consumptionReport.withLock { $0 } }
}
