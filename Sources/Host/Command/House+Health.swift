import API
import Adapters
import Analysis
import Delivery
import Observability
import Pipeline
import Platform
import Readings
import Storage

/// `/health`: how this run fares, what is wrong, since when, and what to do about it.
extension House {
    /// What is delivered in order waits for a moment only; after an outage it may wait for longer, and that is said.
    private static let longestWait = 15 * Duration.minute
    /// So long a meter may be silent after its start.
    private static let longestSilence = 30 * Duration.second

    func health() -> HealthReport {
        let entries = instances.all
        var adapters = entries.map(adapterHealth)
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

    private func adapterHealth(_ entry: Instances.Entry) -> HealthReport.Adapter {
        let status = entry.status
        var adapter = HealthReport.Adapter(
            instance: status.identity.name, meterType: status.identity.meterType, state: status.state.word)
        adapter.since = status.since
        adapter.attempts = max(status.attempts, status.failures)
        adapter.failures = status.failures
        adapter.consecutiveFailures = status.consecutiveFailures
        adapter.lastSuccess = status.lastSuccess
        adapter.lastError = (status.lastError ?? status.state.reason ?? status.condition).map(log.redacted)
        adapter.lastErrorAt = status.lastErrorAt
        adapter.nextRun = status.nextRun
        adapter.missingSlots = entry.number.flatMap(pipeline.view(of:))?.repair?.missing
        return adapter
    }

    private func deliveryReport() -> HealthReport.Delivery {
        guard let status = delivery?.currentStatus else { return HealthReport.Delivery(state: "off") }
        var report = HealthReport.Delivery(state: status.state.rawValue)
        report.destination = status.destination
        report.backlogPoints = status.backlog.points
        report.oldestWaiting = status.backlog.oldest
        report.lastAnswer = status.lastAnswer.map(log.redacted)
        report.lastSuccess = status.lastSuccess
        report.delivered = status.delivered
        report.rejected = status.backlog.rejected
        return report
    }

    private func faults(_ entries: [Instances.Entry]) -> [HealthReport.Fault] {
        storeFaults() + clockFaults(entries) + entries.compactMap(fault)
            + houseFaults(entries.first { $0.plan.isHouse })
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
                    since: status.reserveGoneSince, todo: StorageError(.full, "").advice))
        }
        if status.lost > 0 {
            faults.append(
                .init(
                    .unhealthy, what: "\(status.lost) readings were lost: memory for them ran out",
                    since: status.lostSince, todo: StorageError(.full, "").advice))
        }
        if let aside = status.setAside {
            faults.append(
                .init(
                    .degraded, what: "the store was damaged, and a new one begun", since: startedWall,
                    todo: "the damaged file is \(aside); sqlite3's .recover may read it"))
        }
        if status.prunedUndelivered > 0 {
            faults.append(
                .init(
                    .degraded, what: "\(status.prunedUndelivered) slots were never delivered and are now too old",
                    since: status.prunedUndeliveredSince, todo: "see UNDELIVERED_DAYS"))
        }
        return faults
    }

    private func fault(_ entry: Instances.Entry) -> HealthReport.Fault? {
        let status = entry.status
        let name = status.identity.name
        if case .paused = status.state {
            return .init(
                .degraded, what: "\(name) is paused: nothing of it is read", since: status.since,
                todo: "resume it on the dashboard, or with POST /api/v1/adapters/\(name)/resume")
        }
        if let reason = status.state.reason {
            let todo =
                switch status.state {
                case .waiting: "put the adapter's file into a directory of ADAPTER_PATH, or correct METER_TYPE"
                case .misconfigured: "correct the setting, then send SIGHUP or restart"
                case .needsPerson: "mend the cause, then send SIGHUP or restart"
                case .needsLogin: "run: \(InstanceState.loginCommand(status.identity))"
                case .abandoned: "restart smart-meter; if it happens again, report it to the adapter's author"
                default: "it is tried again by itself"
                }
            return .init(
                .degraded, what: "\(name) \(Self.said(status.state)): \(log.redacted(reason))", since: status.since,
                todo: todo)
        }
        if let condition = status.condition {
            return .init(
                .degraded, what: "\(name): \(log.redacted(condition))", since: status.conditionSince,
                todo: "see the message")
        }
        return silence(entry)
    }

    /// A meter that hands over its readings by itself does not fail where there are none: that is said here.
    private func silence(_ entry: Instances.Entry) -> HealthReport.Fault? {
        let status = entry.status
        let patience = min(entry.sampling / 2 * 5 + 2 * Duration.second, Self.longestSilence)
        guard case .running = status.state, newest(of: entry) == nil, Instant.now - status.since > patience else {
            return nil
        }
        return .init(
            .degraded, what: "\(status.identity.name) has given no reading yet", since: status.since,
            todo: "see that the meter is on, and that it sends to where its adapter listens")
    }

    /// As a person says it, after the name.
    private static func said(_ state: InstanceState) -> String {
        switch state {
        case .backingOff: "is failing"
        case .needsPerson, .needsLogin: "needs you"
        default: "is \(state.word)"
        }
    }

    private func houseFaults(_ house: Instances.Entry?) -> [HealthReport.Fault] {
        var faults: [HealthReport.Fault] = []
        if standIn?.emission != nil {
            faults.append(
                .init(
                    .degraded, what: "mock data stands in; nothing of it is stored or delivered",
                    since: standIn?.since,
                    todo: options.isUnconfigured
                        ? "configure a meter: set HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN, or METER_TYPE"
                        : "mend what the adapter complains about"))
        } else if let newest = newest(of: house), !newest.isLive, house?.status.state != .paused {
            faults.append(
                .init(
                    .degraded, what: "the newest reading is old", since: newest.emission.timestamp,
                    todo: "see what the adapter complains about"))
        }
        guard let newest = newest(of: house), newest.isLive else { return faults }
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

    private static func said(_ state: DeliveryStatus.State) -> String {
        switch state {
        case .missingBucket: "finds no bucket"
        case .unreadable: "cannot read what waits"
        default: "is \(state.rawValue)"
        }
    }

    private func deliveryFaults() -> [HealthReport.Fault] {
        guard let status = delivery?.currentStatus else { return [] }
        var faults: [HealthReport.Fault] = []
        if let advice = status.advice {
            let answer = status.lastAnswer.map { ": " + log.redacted($0) } ?? ""
            let waiting = status.backlog.points > 0 ? "; \(status.backlog.points) points wait" : ""
            faults.append(
                .init(
                    .degraded, what: "delivery to \(status.destination) \(Self.said(status.state))\(answer)\(waiting)",
                    since: status.since, todo: advice))
        } else if let oldest = status.backlog.oldest, Instant.now - oldest > Self.longestWait {
            faults.append(
                .init(
                    .degraded,
                    what:
                        "\(status.backlog.points) points wait for delivery, although \(status.destination) takes some",
                    since: oldest, todo: "if it does not end by itself, look at the load of the server"))
        }
        if status.backlog.rejected > 0 {
            faults.append(
                .init(
                    .degraded, what: "\(status.backlog.rejected) lines were rejected by the server",
                    todo: "the dashboard and smart-meter outbox ls show why; outbox replay sends them again"))
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

    private func settingFaults() -> [HealthReport.Fault] {
        guard let note = restartNote else { return [] }
        let names = note.names.joined(separator: ", ")
        return [
            .init(
                .degraded, what: "changed, and not in force: \(names)", since: note.since,
                todo: "restart smart-meter; or take the change back, and send SIGHUP")
        ]
    }

    private func setupFaults() -> [HealthReport.Fault] {
        var faults = settingFaults()
        let catalog = shelf.catalog
        faults += catalog.refused.map { refusal in
            let isDirectory = catalog.directories.contains(refusal.path)
            return HealthReport.Fault(
                .degraded,
                what: "adapter \(isDirectory ? "directory" : "file refused"): \(refusal.path): \(refusal.reason)",
                todo: isDirectory
                    ? "create the directory, make it readable, or correct ADAPTER_PATH" : "replace or remove the file")
        }
        faults += catalog.waiting.map { wait in
            HealthReport.Fault(
                .degraded, what: "adapter file waits for the host: \(wait.path): \(wait.reason)", since: wait.since,
                todo: "\(wait.advice); it is tried again by itself, and at once by SIGHUP")
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
