import Observability
import Readings
import Storage

/// The watches over all instances, and what the log and the store are told of them.
struct InstanceWatches {
    private var watches: [Int: InstanceWatch] = [:]
    /// The newest reports; nil once they were taken.
    private var waiting: [InstanceReport]?
    /// Whether episodes that an earlier run left open were looked for.
    private var hasLooked = false

    private static let kinds = [InstanceWatch.noData, InstanceWatch.adapterFailing]
    /// What is watched over the house alone.
    private static let houseKinds = [InstanceWork.highConsumption, NightWatch.phantomLoad]

    /// When there is something to judge (monotonic ns).
    var due: Int64? { watches.values.compactMap(\.due).min() }

    /// An instance's readings are expected from now on.
    mutating func begin(
        _ number: Int, _ registration: InstanceRegistration, at moment: InstanceWatch.Moment, store: Store
    ) throws(StorageError) {
        try make(number, registration.identity, store)
        let patience = InstanceReport.patience(interval: registration.interval, sampling: registration.sampling)
        watches[number]?.begin(patience: patience, at: moment)
    }

    /// How all instances do: one that is not named is not there any more.
    mutating func take(_ reports: [InstanceReport]) { waiting = reports }

    /// A reading of an instance has come. Answers whether a commit is due at once.
    mutating func hear(
        _ emission: Emission, at moment: InstanceWatch.Moment, plan: inout CommitPlan, log: Log
    ) -> Bool {
        guard let alerts = watches[emission.instance]?.hear(sampling: emission.sampling, at: moment), !alerts.isEmpty
        else { return false }
        tell(alerts, &plan, log)
        return true
    }

    /// Takes the reports, and raises what is due. Answers whether a commit is due at once.
    mutating func judge(
        at moment: InstanceWatch.Moment, plan: inout CommitPlan, store: Store, log: Log
    ) -> Bool {
        var alerts: [AlertRecord] = []
        do throws(StorageError) {
            alerts = try takeReports(at: moment, store: store)
        } catch {
            log.write(.warning, "instances not watched", [LogField("error", error.message)])
        }
        for number in watches.keys { alerts += watches[number]?.judge(at: moment) ?? [] }
        tell(alerts, &plan, log)
        return !alerts.isEmpty
    }

    /// What the store does not let it do is done the next time.
    private mutating func takeReports(
        at moment: InstanceWatch.Moment, store: Store
    ) throws(StorageError) -> [AlertRecord] {
        guard let reports = waiting else { return [] }
        if !hasLooked {
            for (number, identity) in try store.instancesWithOpenAlerts(kinds: Self.kinds) {
                try make(number, identity, store)
            }
            hasLooked = true
        }
        for report in reports where report.condition.isFailure { try make(report.identity, store) }
        var alerts = try endsOfHouses(reports, at: moment, store: store)
        waiting = nil
        for (number, watch) in watches {
            let report =
                reports.first { $0.identity == watch.identity }
                ?? InstanceReport(identity: watch.identity, condition: .off, isHouse: false, interval: 0, sampling: 0)
            alerts += watches[number]?.take(report, at: moment) ?? []
        }
        return alerts
    }

    /// Nobody watches over an instance that was the house as over the house: what was raised then ends.
    private mutating func endsOfHouses(
        _ reports: [InstanceReport], at moment: InstanceWatch.Moment, store: Store
    ) throws(StorageError) -> [AlertRecord] {
        var alerts: [AlertRecord] = []
        for (number, identity) in try store.instancesWithOpenAlerts(kinds: Self.houseKinds)
        where !reports.contains(where: { $0.identity == identity && $0.isHouse }) {
            try make(number, identity, store)
            for var alert in try store.openAlerts(of: number) where Self.houseKinds.contains(alert.kind) {
                alert.ended = max(moment.wall, alert.start)
                alert.isNews = true
                alerts.append(alert)
            }
        }
        return alerts
    }

    /// One that has never run may fail, too.
    private mutating func make(_ identity: InstanceIdentity, _ store: Store) throws(StorageError) {
        guard !watches.values.contains(where: { $0.identity == identity }) else { return }
        try make(try store.number(of: identity), identity, store)
    }

    private mutating func make(_ number: Int, _ identity: InstanceIdentity, _ store: Store) throws(StorageError) {
        guard watches[number] == nil else { return }
        watches[number] = InstanceWatch(
            number: number, identity: identity, open: try store.openAlerts(of: number))
    }

    private func tell(_ alerts: [AlertRecord], _ plan: inout CommitPlan, _ log: Log) {
        for alert in alerts {
            plan.alerts.append(alert)
            let fields = [
                LogField("instance", watches[alert.instance]?.identity.name ?? ""),
                LogField("since", Timestamp.text(alert.start)), LogField("detail", alert.detail),
            ]
            switch (alert.kind, alert.ended) {
            case (InstanceWatch.noData, nil): log.write(.warning, "no data", fields)
            case (InstanceWatch.noData, _): log.write(.info, "no data ended", fields)
            case (InstanceWork.highConsumption, _), (NightWatch.phantomLoad, _):
                log.write(
                    .info, "alert ended: the instance is not the house any more",
                    [LogField("kind", alert.kind)] + fields)
            case (_, nil): log.write(.warning, "adapter failing", fields)
            case (_, _): log.write(.info, "adapter failing ended", fields)
            }
        }
    }
}

extension InstanceReport.Condition {
    fileprivate var isFailure: Bool {
        switch self {
        case .failing, .stuck: true
        case .off, .starting, .working: false
        }
    }
}
