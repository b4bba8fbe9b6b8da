import Observability
import Readings
import Storage

/// Watches over one instance: whether readings come, and whether its adapter works. Waits are monotonic; an episode is
/// stamped with the wall clock of the moment in which it is raised, less what has passed.
struct InstanceWatch {
    static let noData = "no_data"
    static let adapterFailing = "adapter_failing"

    struct Moment {
        var wall: Instant
        var monotonic: Int64

        func wall(at monotonic: Int64) -> Instant { wall - (self.monotonic - monotonic) }
    }

    /// What the adapter has failed with, and since when without a success between.
    private struct Failing {
        var since: Int64
        var reason: String
        var needsPerson: Bool
    }

    let identity: InstanceIdentity
    private let number: Int
    /// For how long it may be silent or fail, in ns: as it was set up, and by the plan of the newest reading, which a
    /// ration may have made slower. The longer one counts.
    private var patience: Int64 { max(usualPatience, plannedPatience) }
    private var usualPatience: Int64 = .max
    private var plannedPatience: Int64 = 0
    /// Whether the pipeline takes its readings.
    private var isRegistered = false
    /// Whether nobody wants it to run now.
    private var isOff = false
    /// When it was last heard of, or began to be listened to; nil = nobody listens.
    private var heard: Int64?
    private var failing: Failing?
    /// The episodes that go on.
    private var silence: AlertRecord?
    private var failure: AlertRecord?

    /// - Parameter open: its alerts that have not ended.
    init(number: Int, identity: InstanceIdentity, open: [AlertRecord]) {
        self.number = number
        self.identity = identity
        silence = open.last { $0.kind == Self.noData }
        failure = open.last { $0.kind == Self.adapterFailing }
    }

    /// When there is something to judge (monotonic ns).
    var due: Int64? {
        let silent = silence == nil ? heard.map { Self.sum($0, patience) } : nil
        let failed = failure == nil ? failing.map { $0.needsPerson ? $0.since : Self.sum($0.since, patience) } : nil
        guard let silent, let failed else { return silent ?? failed }
        return min(silent, failed)
    }

    private static func sum(_ moment: Int64, _ wait: Int64) -> Int64 {
        let (sum, overflow) = moment.addingReportingOverflow(wait)
        return overflow ? .max : sum
    }

    /// From now on readings are expected, unless nobody wants them.
    mutating func begin(patience: Int64, at moment: Moment) {
        usualPatience = patience
        plannedPatience = 0
        isRegistered = true
        if heard == nil, !isOff { heard = moment.monotonic }
    }

    /// A reading has come.
    /// - Parameter sampling: ns between readings, as planned when it was taken.
    mutating func hear(sampling: Int64, at moment: Moment) -> [AlertRecord] {
        plannedPatience = InstanceReport.patience(interval: 0, sampling: sampling)
        guard heard != nil else { return [] }
        defer { heard = moment.monotonic }
        return ended(&silence, at: moment)
    }

    mutating func take(_ report: InstanceReport, at moment: Moment) -> [AlertRecord] {
        usualPatience = report.patience
        isOff = report.condition == .off
        switch report.condition {
        case .off:
            heard = nil
            failing = nil
            return ended(&silence, at: moment) + ended(&failure, at: moment)
        case .starting: break
        case .working:
            failing = nil
            if isRegistered, heard == nil { heard = moment.monotonic }
            return ended(&failure, at: moment)
        case .failing(let reason): fail(reason, needsPerson: false, at: moment)
        case .stuck(let reason): fail(reason, needsPerson: true, at: moment)
        }
        if isRegistered, heard == nil { heard = moment.monotonic }
        return []
    }

    private mutating func fail(_ reason: String, needsPerson: Bool, at moment: Moment) {
        failing = Failing(since: failing?.since ?? moment.monotonic, reason: reason, needsPerson: needsPerson)
    }

    /// Raises what is due.
    mutating func judge(at moment: Moment) -> [AlertRecord] {
        var raised: [AlertRecord] = []
        if silence == nil, let heard, moment.monotonic >= Self.sum(heard, patience) {
            let alert = alert(
                Self.noData, since: heard, "no reading for \(Self.words(moment.monotonic - heard))", at: moment)
            silence = alert
            raised.append(alert)
        }
        if failure == nil, let failing, failing.needsPerson || moment.monotonic >= Self.sum(failing.since, patience) {
            let alert = alert(Self.adapterFailing, since: failing.since, failing.reason, at: moment)
            failure = alert
            raised.append(alert)
        }
        return raised
    }

    private func alert(_ kind: String, since: Int64, _ detail: String, at moment: Moment) -> AlertRecord {
        AlertRecord(
            instance: number, kind: kind, start: moment.wall(at: since), peakW: nil, ended: nil, detail: detail,
            isNews: true)
    }

    private func ended(_ episode: inout AlertRecord?, at moment: Moment) -> [AlertRecord] {
        guard var alert = episode else { return [] }
        episode = nil
        // A clock that was set back meanwhile must not end it before it began.
        alert.ended = max(moment.wall, alert.start)
        alert.isNews = true
        return [alert]
    }

    private static func words(_ length: Int64) -> String {
        let seconds = length / Duration.second
        return seconds < 180 ? "\(seconds) s" : "\(seconds / 60) min"
    }
}
