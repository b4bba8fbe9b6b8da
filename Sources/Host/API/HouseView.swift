package import Readings

/// What the pages show of the host. Called on the http thread for every request: answers from snapshots, never waits.
package protocol HouseView: Sendable {
    func health() -> HealthReport
    /// Nil before the first reading.
    func consumption() -> ConsumptionReport?
    func energy(_ question: EnergyReport.Question) throws(Problem) -> EnergyReport
    /// Where its days begin.
    var houseZone: Zone { get }
    var now: Instant { get }
}
