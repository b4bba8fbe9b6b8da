import API
import Adapters
import Configuration
import Delivery
import Observability
import Pipeline
import Readings
import Storage

/// The meters, what can be asked of them, and the way to InfluxDB.
extension House {
    func adapters() -> AdaptersReport {
        let catalog = shelf.catalog
        return AdaptersReport(
            adapters: instances.all.map(report),
            refused: catalog.refused.map { AdaptersReport.Refusal(file: $0.path, reason: $0.reason) },
            waiting: catalog.waiting.map {
                AdaptersReport.Wait(file: $0.path, reason: $0.reason, since: $0.since, todo: $0.advice)
            })
    }

    func report(_ entry: Instances.Entry) -> AdapterReport {
        let status = entry.status
        var report = AdapterReport(
            instance: status.identity.name, meterType: status.identity.meterType, isHouse: entry.plan.isHouse,
            state: status.state.word, since: status.since)
        report.reason = status.state.reason.map(log.redacted)
        report.condition = status.condition.map(log.redacted)
        report.attempts = max(status.attempts, status.failures)
        report.failures = status.failures
        report.consecutiveFailures = status.consecutiveFailures
        report.lastSuccess = status.lastSuccess
        report.lastError = status.lastError.map(log.redacted)
        report.lastErrorAt = status.lastErrorAt
        report.lastReadSeconds = status.lastReadDuration.map { Double($0) / 1e9 }
        report.nextRun = status.nextRun
        report.requestsLeft = status.rationLeft
        report.gaps = entry.number.flatMap(pipeline.view(of:))?.repair.map { repair in
            AdapterReport.Gaps(
                missingSlots: repair.missing, filledSlots: repair.filled, retryAt: repair.retryAt,
                lastError: status.historyError.map(log.redacted))
        }
        report.readings.accepted = status.counts.accepted
        report.readings.busy = status.counts.busy
        report.readings.invalid = status.counts.invalid
        report.readings.badValues = status.counts.badValues
        report.readings.tooLate = entry.number.flatMap(pipeline.view(of:))?.tooLate ?? 0
        guard let (adapter, settings) = entry.plan.adapter else { return report }
        let description = adapter.description
        report.schedule = entry.running.map { _ in schedule(entry, description, settings) }
        report.descriptor = AdapterReport.Descriptor(
            name: description.name, vendor: description.vendor, version: description.version, url: description.url,
            summary: description.summary, isPush: description.delivery == .push, file: adapter.path)
        report.settings = settings.effective.map { setting in
            AdapterReport.Setting(
                name: setting.name, value: log.redacted(setting.shown), source: setting.source.description)
        }
        return report
    }

    private func schedule(
        _ entry: Instances.Entry, _ description: AdapterDescription, _ settings: ResolvedAdapterSettings
    ) -> AdapterReport.Schedule {
        AdapterReport.Schedule(
            sampleSeconds: Double(entry.sampling) / 1e9, minimumSeconds: Double(description.minimumSampling) / 1e9,
            intervalSeconds: Double(entry.interval) / 1e9, lateSeconds: Double(description.late) / 1e9,
            requestsPerDay: settings.ration(description))
    }

    // MARK: Requests

    func ask(_ action: InstanceAction, of instance: String) throws(Problem) {
        guard let entry = instances.entry(named: instance) else { throw .noSuchInstance(instance) }
        let state = entry.status.state
        guard let running = entry.running, state.takesRequests else {
            throw .conflict("\(instance) is \(state.word): there is nothing to \(action.rawValue).")
        }
        switch action {
        case .pause: running.pause()
        case .resume: running.resume()
        case .read:
            if entry.plan.adapter?.adapter.description.delivery == .push {
                throw .conflict("\(instance) hands over its readings by itself.")
            }
            guard state.isReadable else {
                throw .conflict("\(instance) is \(state.word): it cannot be read now.")
            }
            running.readNow()
        }
    }

    // MARK: Delivery

    func deliveryStatus() -> DeliveryReport {
        guard let status = delivery?.currentStatus else { return DeliveryReport(state: "off") }
        var report = DeliveryReport(state: status.state.rawValue)
        report.since = status.since
        report.destination = status.destination
        report.interface = status.api
        report.todo = status.advice
        report.backlog.slots = status.backlog.slots
        report.backlog.points = status.backlog.points
        report.backlog.bytes = Int(exactly: (Double(status.backlog.points) * status.bytesPerLine).rounded()) ?? 0
        report.backlog.oldest = status.backlog.oldest
        report.backlog.newest = status.backlog.newest
        report.lastAnswer = status.lastAnswer.map(log.redacted)
        report.lastSuccess = status.lastSuccess
        report.nextAttempt = status.nextAttempt
        report.delivered = status.delivered
        report.rejected = status.backlog.rejected
        return report
    }

    func deliveryDetails(rejectedLines limit: Int) throws(Problem) -> DeliveryReport {
        var report = deliveryStatus()
        let isOn = delivery != nil
        let (waiting, rejected) = try history.read { (reader) throws(StorageError) in
            // Without delivery nothing waits: what is stored is all there is.
            (isOn ? try reader.backlogByInstance() : [], try reader.rejectedLines(limit: limit))
        }
        report.instances = waiting.map { meter, backlog in
            DeliveryReport.InstanceBacklog(
                instance: meter.name, slots: backlog.slots, points: backlog.points, oldest: backlog.oldest,
                newest: backlog.newest)
        }
        report.rejectedLines = rejected.map { line in
            DeliveryReport.RejectedLine(at: line.at, line: line.line, reason: log.redacted(line.reason))
        }
        return report
    }
}

extension InstanceState {
    /// Its thread is there to hear them.
    fileprivate var takesRequests: Bool {
        switch self {
        case .waiting, .abandoned, .stopped: false
        // Of an adapter that was never created there is no thread; one that refused its settings has one.
        case .misconfigured, .starting, .running, .paused, .backingOff, .needsPerson, .needsLogin, .restarting:
            true
        }
    }

    /// A reading that is asked for will be tried.
    fileprivate var isReadable: Bool {
        switch self {
        case .starting, .running, .backingOff, .restarting: true
        case .waiting, .misconfigured, .paused, .needsPerson, .needsLogin, .abandoned, .stopped: false
        }
    }
}
