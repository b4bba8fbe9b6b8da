import API
import Adapters
import Analysis
import Delivery
import Observability
import Pipeline
import Platform
import Readings
import Storage

/// What people and programs see of this run: the answers of `/health` and `/consumption`.
final class House: HouseView {
    let instances: Instances
    let board: LiveBoard
    let pipeline: Pipeline
    let delivery: DeliveryLoop?
    let webhook: WebhookLoop?
    let standIn: StandIn?
    let zone: SystemZone
    let shelf: AdapterShelf
    /// Why every adapter has a process of its own, where that is not as it was set.
    let isolationNote: String?
    let stale: Int64
    let isUnconfigured: Bool
    let history: History
    /// Of the tariff; may be empty.
    let currency: String
    let log: Log
    private let startedAt = Clock.monotonic()

    init(
        instances: Instances, board: LiveBoard, pipeline: Pipeline, delivery: DeliveryLoop?,
        webhook: WebhookLoop?, standIn: StandIn?, zone: SystemZone, shelf: AdapterShelf, isolationNote: String?,
        stale: Int64, isUnconfigured: Bool,
        history: History, currency: String, log: Log
    ) {
        self.instances = instances
        self.board = board
        self.pipeline = pipeline
        self.delivery = delivery
        self.webhook = webhook
        self.standIn = standIn
        self.zone = zone
        self.shelf = shelf
        self.isolationNote = isolationNote
        self.stale = stale
        self.isUnconfigured = isUnconfigured
        self.history = history
        self.currency = currency
        self.log = log
    }

    // MARK: Now

    /// The house's newest reading, and whether it is of now.
    private var newest: (emission: Emission, isLive: Bool, age: Int64)? {
        guard let entry = instances.house, let number = entry.number, let emission = board.newest(of: number) else {
            return nil
        }
        let age = Instant.now - emission.timestamp
        return (emission, age <= entry.sampling / 2 * 5 + 2 * Duration.second, age)
    }

    /// Begins or ends the stand-in. Answers when to look again (monotonic ns).
    func tendStandIn() -> Int64 {
        let now = Clock.monotonic()
        guard let standIn else { return now + Duration.hour }
        // The meter's adapter may be the next one that is found.
        guard shelf.catalog.isComplete else { return now + Duration.second / 2 }
        let newest = newest
        let isNeeded: Bool
        if let newest {
            isNeeded = newest.age > stale
        } else {
            // Nothing was ever read: at once, as soon as it is clear that the first try failed.
            isNeeded = instances.house.map { $0.status.failures > 0 || $0.running == nil } ?? true
        }
        standIn.tend(isNeeded: isNeeded, reason: isUnconfigured ? "no meter is configured" : "the meter cannot be read")
        guard let newest, !isNeeded else { return now + Duration.second / 2 }
        return now + max(Duration.second / 2, min(stale - newest.age, 10 * Duration.second))
    }

    func consumption() -> ConsumptionReport? {
        let newest = newest
        if let newest, newest.isLive || newest.age <= stale { return report(newest.emission, isStale: !newest.isLive) }
        if let simulated = standIn?.emission {
            var report = report(simulated, meter: StandIn.identity, view: nil)
            report.isSimulated = true
            return report
        }
        return newest.map { report($0.emission, isStale: true) }
    }

    private func report(_ emission: Emission, isStale: Bool) -> ConsumptionReport {
        let meter = instances.house?.plan.identity ?? StandIn.identity
        var report = report(emission, meter: meter, view: pipeline.view(of: emission.instance))
        report.isStale = isStale
        return report
    }

    private func report(_ emission: Emission, meter: InstanceIdentity, view: InstanceView?) -> ConsumptionReport {
        let known = emission.known
        var report = ConsumptionReport(
            timestamp: emission.timestamp, meterType: meter.meterType, totalIs: HousePowers.totalIs(known: known))
        report.totalPowerW = HousePowers.total(emission.powers, known: known)
        report.powers = emission.powers
        report.powers.consumptionW =
            HousePowers.knowsConsumption(known) ? HousePowers.consumption(emission.powers, known: known) : nil
        report.unmonitoredPowerW = Remainder.watts(of: emission).map(Shares.thousandths)
        report.quality = emission.quality
        report.dailyKWh = today(view) ?? emission.dayEnergy.map(Energy.kWh)
        let use = HousePowers.use(emission.powers, known: known)
        report.circuits = emission.circuits.map { sample in
            let identity = emission.catalog.circuits[Int(sample.circuit)]
            let shown = view?.shownNames
            let name = shown.flatMap { $0.indices.contains(Int(sample.circuit)) ? $0[Int(sample.circuit)] : nil }
            return ConsumptionReport.Circuit(
                id: identity.id, name: name ?? identity.name, powerW: sample.power,
                percentage: Shares.percentage(sample, use: use))
        }
        return report
    }

    /// The day's energy, where it is still that day.
    private func today(_ view: InstanceView?) -> Double? {
        guard let view, let energy = view.dayEnergy, let at = view.dayEnergyAt else { return nil }
        guard zone.zone.localDate(at: at) == zone.zone.localDate(at: .now) else { return nil }
        return Energy.kWh(energy)
    }

    // MARK: Health

    func health() -> HealthReport {
        let entries = instances.all
        var adapters = entries.map { adapter($0.status) }
        if standIn?.emission != nil {
            var simulated = HealthReport.Adapter(instance: "mock (stand-in)", meterType: "mock", state: "running")
            simulated.isSimulated = true
            adapters.append(simulated)
        }
        return HealthReport(
            version: HostVersion.text, timestamp: .now,
            uptimeSeconds: Double(Clock.monotonic() - startedAt) / 1e9, adapters: adapters,
            delivery: deliveryReport(), problems: faults(entries))
    }

    private func adapter(_ status: InstanceStatus) -> HealthReport.Adapter {
        var adapter = HealthReport.Adapter(
            instance: status.identity.name, meterType: status.identity.meterType, state: status.state.word)
        adapter.since = status.since
        adapter.attempts = UInt64(max(status.attempts, status.failures))
        adapter.failures = UInt64(status.failures)
        adapter.consecutiveFailures = UInt64(status.consecutiveFailures)
        adapter.lastSuccess = status.lastSuccess
        adapter.lastError = (status.lastError ?? status.state.reason ?? status.condition).map(log.redacted)
        adapter.lastErrorAt = status.lastErrorAt
        adapter.nextRun = status.nextRun
        return adapter
    }

    private func deliveryReport() -> HealthReport.Delivery {
        guard let status = delivery?.currentStatus else { return HealthReport.Delivery(state: "off") }
        var report = HealthReport.Delivery(state: status.state.rawValue)
        report.destination = status.destination
        report.backlogPoints = Int64(status.backlog.points)
        report.oldestWaiting = status.backlog.oldest
        report.lastAnswer = status.lastAnswer.map(log.redacted)
        report.lastSuccess = status.lastSuccess
        report.delivered = UInt64(status.delivered)
        report.rejected = UInt64(status.backlog.rejected)
        return report
    }

    private func faults(_ entries: [Instances.Entry]) -> [HealthReport.Fault] {
        storeFaults() + clockFaults(entries) + entries.compactMap { fault($0.status) } + houseFaults()
            + deliveryFaults() + webhookFaults() + setupFaults()
    }

    private func storeFaults() -> [HealthReport.Fault] {
        let status = pipeline.status
        var faults: [HealthReport.Fault] = []
        if let problem = status.problem {
            faults.append(
                .init(
                    .unhealthy, what: "the store takes nothing: \(problem); \(status.held) readings wait in memory",
                    since: status.since, todo: status.advice))
        }
        if !status.hasReserve {
            faults.append(
                .init(
                    .degraded, what: "the disk that holds DATA_DIR is almost full: the store's reserve is gone",
                    todo: StorageError(.full, "").advice))
        }
        if status.lost > 0 {
            faults.append(
                .init(
                    .unhealthy, what: "\(status.lost) readings were lost: memory for them ran out", todo: status.advice)
            )
        }
        if let aside = status.setAside {
            faults.append(
                .init(
                    .degraded, what: "the store was damaged, and a new one begun",
                    todo: "the damaged file is \(aside); sqlite3's .recover may read it"))
        }
        if status.prunedUndelivered > 0 {
            faults.append(
                .init(
                    .degraded, what: "\(status.prunedUndelivered) slots were never delivered and are now too old",
                    todo: "see UNDELIVERED_DAYS"))
        }
        return faults
    }

    private func fault(_ status: InstanceStatus) -> HealthReport.Fault? {
        let name = status.identity.name
        if let reason = status.state.reason {
            let todo =
                switch status.state {
                case .waiting: "put the adapter's file into a directory of ADAPTER_PATH, or correct METER_TYPE"
                case .misconfigured: "correct the setting, then send SIGHUP or restart"
                case .needsPerson: "mend the cause, then send SIGHUP or restart"
                case .abandoned: "restart smart-meter; if it happens again, report it to the adapter's author"
                default: "it is tried again by itself"
                }
            return .init(
                .degraded, what: "\(name) is \(status.state.word): \(log.redacted(reason))", since: status.since,
                todo: todo)
        }
        return status.condition.map { .init(.degraded, what: "\(name): \(log.redacted($0))", todo: "see the message") }
    }

    private func houseFaults() -> [HealthReport.Fault] {
        var faults: [HealthReport.Fault] = []
        if standIn?.emission != nil {
            faults.append(
                .init(
                    .degraded, what: "mock data stands in; nothing of it is stored or delivered",
                    todo: isUnconfigured
                        ? "configure a meter: set HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN, or METER_TYPE"
                        : "mend what the adapter complains about"))
        } else if let newest, !newest.isLive {
            faults.append(
                .init(
                    .degraded, what: "the newest reading is old", since: newest.emission.timestamp,
                    todo: "see what the adapter complains about"))
        }
        guard let newest, newest.isLive else { return faults }
        let emission = newest.emission
        if HousePowers.total(emission.powers, known: emission.known) == nil {
            faults.append(
                .init(
                    .degraded, what: "the house's total is not measured", since: nil,
                    todo: "tell the adapter which sensor it is; its settings are listed by smart-meter adapters"))
        } else if !HousePowers.knowsConsumption(emission.known), let grid = emission.powers.gridW, grid < 0 {
            faults.append(
                .init(
                    .degraded, what: "the total is negative: the sensor looks like a net meter of a house with solar",
                    todo: "tell the adapter which sensors are grid and solar"))
        }
        return faults
    }

    private func deliveryFaults() -> [HealthReport.Fault] {
        guard let status = delivery?.currentStatus else { return [] }
        var faults: [HealthReport.Fault] = []
        if let advice = status.advice {
            let answer = status.lastAnswer.map { ": " + log.redacted($0) } ?? ""
            faults.append(
                .init(
                    .degraded, what: "delivery to \(status.destination) is \(status.state.rawValue)\(answer)",
                    since: status.since, todo: advice))
        }
        if status.backlog.rejected > 0 {
            faults.append(
                .init(
                    .degraded, what: "\(status.backlog.rejected) lines were rejected by the server",
                    todo: "smart-meter outbox ls shows them with the server's words; outbox replay sends them again"))
        }
        return faults
    }

    private func clockFaults(_ entries: [Instances.Entry]) -> [HealthReport.Fault] {
        if let before = pipeline.status.clockIsBefore {
            return [
                .init(
                    .degraded, what: "the clock is wrong: it shows a time before \(Timestamp.text(before))",
                    todo: "set it, or let NTP do so")
            ]
        }
        let now = Instant.now
        return entries.compactMap { entry in
            guard let until = entry.number.flatMap(pipeline.view(of:))?.newestSlot, until > now else { return nil }
            return .init(
                .degraded,
                what:
                    "the clock was set back: readings of \(entry.plan.identity.name) are left out until \(Timestamp.text(until))",
                todo: "where the clock is right, let NTP say so: then they replace what was stored for that time")
        }
    }

    private func setupFaults() -> [HealthReport.Fault] {
        var faults = shelf.catalog.refused.map { refusal in
            HealthReport.Fault(
                .degraded, what: "adapter file refused: \(refusal.path): \(refusal.reason)",
                todo: "replace or remove the file")
        }
        if let isolationNote {
            faults.append(
                .init(
                    .degraded, what: isolationNote,
                    todo:
                        "see the log for the adapter that crashes; a restart later goes back to ADAPTER_ISOLATION=auto"
                ))
        }
        if zone.isGuess {
            faults.append(
                .init(.degraded, what: "the time zone is unknown: days begin at UTC midnight", todo: "set TZ"))
        }
        return faults
    }
}
