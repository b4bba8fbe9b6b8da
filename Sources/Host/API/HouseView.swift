package import Readings

/// What the API shows of the host, and what it may ask of it.
package protocol HouseView: Sendable {
    /// Where its days begin.
    var houseZone: Zone { get }
    var now: Instant { get }
    var version: String { get }

    // Snapshots: on the http thread, for every request and several times a second; they never wait.

    func health() -> HealthReport
    /// What stands for the house now; nil before the first reading.
    func houseReading() -> ReadingReport?
    /// Of every instance, the one that stands for the house first.
    func readings() -> [ReadingReport]
    /// Rises with every reading.
    var readingCount: Int { get }
    /// `ring` is called after every reading, on any thread; nil = no more.
    func listen(_ ring: (@Sendable () -> Void)?)
    func adapters() -> AdaptersReport
    func deliveryStatus() -> DeliveryReport
    func metrics() -> MetricsReport
    /// Those that have not ended, and those that have ended a moment ago.
    func recentAlerts() -> [AlertReport]

    // From the store: on the query thread.

    func circuits(of instance: String?) throws(Problem) -> CircuitsReport
    func energy(_ question: EnergyReport.Question) throws(Problem) -> EnergyReport
    func history(_ question: HistoryReport.Question) throws(Problem) -> any HistorySource
    func phantom(nights: Int, of instance: String?) throws(Problem) -> PhantomReport
    func alerts(_ question: AlertReport.Question) throws(Problem) -> [AlertReport]
    /// With what waits of each instance, and the newest rejected lines.
    func deliveryDetails(rejectedLines: Int) throws(Problem) -> DeliveryReport

    /// Takes a request to an instance; what comes of it shows later.
    func ask(_ action: InstanceAction, of instance: String) throws(Problem)
}

/// What can be asked of an instance.
package enum InstanceAction: String, CaseIterable, Sendable {
    case read, pause, resume
}
