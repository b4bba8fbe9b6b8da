import API
import Platform
import Readings
import Synchronization

/// A house that says what a test puts into it.
final class FakeHouse: HouseView {
    static let noon = Instant(seconds: 1_795_435_590)

    let houseZone: Zone
    let version = "1.2.3"
    /// Noon, until somebody follows the events: then it runs.
    var now: Instant {
        let passed = listeningSince.withLock { $0.map { Clock.monotonic() - $0 } }
        return Self.noon + (passed ?? 0) + seen.clockShift
    }
    private let listeningSince = Mutex<Int64?>(nil)
    private let state: Mutex<State>

    /// What the snapshots show; a test may change it at any time.
    struct State: Sendable {
        var health: HealthReport
        var readings: [ReadingReport]
        var adapters: [AdapterReport] = []
        var delivery = DeliveryReport(state: "off")
        var alerts: [AlertReport] = []
        var changes = 0
        /// By how much its clock was set.
        var clockShift: Int64 = 0
        /// Of a history: periods that it has, and how long each takes.
        var periods = 3
        var pause: Int64 = 0
        /// The store fails after so many periods.
        var failsAfter = Int.max
        /// Histories that were read to their end, or given up.
        var asked: [HistoryReport.Question] = []
        var actions: [String] = []
    }

    init(
        health: HealthReport = HealthReport(version: "1.2.3", timestamp: noon, uptimeSeconds: 12.5),
        readings: [ReadingReport] = [], zone: Zone = .utc
    ) {
        houseZone = zone
        state = Mutex(State(health: health, readings: readings))
    }

    func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.changes += 1
        }
        listener.withLock { $0 }?()
    }

    private let listener = Mutex<(@Sendable () -> Void)?>(nil)
    func listen(_ ring: (@Sendable () -> Void)?) {
        listeningSince.withLock { $0 = ring == nil ? nil : $0 ?? Clock.monotonic() }
        listener.withLock { $0 = ring }
    }

    var seen: State { state.withLock { $0 } }

    func health() -> HealthReport { seen.health }
    func houseReading() -> ReadingReport? { seen.readings.first }
    func readings() -> [ReadingReport] { seen.readings }
    var readingCount: Int { seen.changes }
    func adapters() -> AdaptersReport { AdaptersReport(adapters: seen.adapters, refused: [], waiting: []) }
    func deliveryStatus() -> DeliveryReport { seen.delivery }
    func recentAlerts() -> [AlertReport] { seen.alerts }

    func metrics() -> MetricsReport {
        let state = seen
        return MetricsReport(
            version: version, now: now, startedAt: now, health: state.health.status,
            meters: state.adapters.map { adapter in
                var meter = MetricsReport.Meter(adapter: adapter)
                meter.reading = state.readings.first { $0.instance == adapter.instance }
                return meter
            }, delivery: state.delivery, rejectedSinceStart: 0, store: MetricsReport.Store(), alerts: state.alerts,
            process: .now())
    }

    func circuits(of instance: String?) throws(Problem) -> CircuitsReport {
        if let instance, instance != "mock" { throw .noSuchInstance(instance) }
        return CircuitsReport(instance: "mock", zone: houseZone.name)
    }

    /// One period: what was asked, as it arrived.
    func energy(_ question: EnergyReport.Question) throws(Problem) -> EnergyReport {
        var report = EnergyReport(
            meter: question.instance ?? "mock", zone: houseZone.name, resolution: question.resolution,
            from: question.from, to: question.to, currency: "EUR")
        var period = EnergyReport.Period(start: question.from, end: question.to)
        period.kWh.imported = 1.5
        period.cost = 0.3
        report.periods = [period]
        return report
    }

    func history(_ question: HistoryReport.Question) throws(Problem) -> any HistorySource {
        change { $0.asked.append(question) }
        return FakeHistory(question, house: self)
    }

    func phantom(nights: Int, of instance: String?) throws(Problem) -> PhantomReport {
        var report = PhantomReport(instance: instance ?? "mock", thresholdW: 200, currency: nil)
        report.nights = (0..<min(nights, 2)).map { index in
            PhantomReport.Night(
                date: "2026-11-2\(index)", powerW: nil, reason: "nobody looked", coverage: 0, isHigh: false)
        }
        return report
    }

    func alerts(_ question: AlertReport.Question) throws(Problem) -> [AlertReport] { seen.alerts }
    func deliveryDetails(rejectedLines: Int) throws(Problem) -> DeliveryReport { seen.delivery }

    func ask(_ action: InstanceAction, of instance: String) throws(Problem) {
        guard instance == "mock" else { throw .noSuchInstance(instance) }
        change { $0.actions.append(action.rawValue) }
    }
}

/// As many periods of an hour as the house says, of the series that were asked for.
private struct FakeHistory: HistorySource {
    let report: HistoryReport
    private let house: FakeHouse
    private var made = 0

    init(_ question: HistoryReport.Question, house: FakeHouse) {
        self.house = house
        let series = question.selections.map { selection in
            switch selection {
            case .circuit(let id): HistoryReport.Series(id: id, name: id, kind: .load, isCircuit: true)
            case .total, .unmonitored, .all:
                HistoryReport.Series(id: "\(selection)", name: "Total", kind: .total, isCircuit: false)
            }
        }
        report = HistoryReport(
            instance: "mock", zone: house.houseZone.name, resolution: question.resolution.rawValue,
            from: question.from, to: question.to, series: series)
    }

    mutating func read(
        until deadline: Int64, _ body: (HistoryReport.Period) -> Bool
    ) throws(Problem) -> Bool {
        let state = house.seen
        while made < state.periods {
            guard made < state.failsAfter else {
                throw Problem(status: 503, title: "Store Unavailable", detail: "the disk is gone")
            }
            if state.pause > 0 { _ = Poll.readable(-1, until: Clock.monotonic() + state.pause) }
            let start = FakeHouse.noon + Int64(made) * Duration.hour
            var value = HistoryReport.Value()
            value.powerW = Double(made) + 0.5
            value.coverage = 1
            value.quality = .measured
            made += 1
            let period = HistoryReport.Period(
                start: start, end: start + Duration.hour, values: report.series.map { _ in value })
            if !body(period) || Clock.monotonic() > deadline { return true }
        }
        return false
    }
}
