import Storage

/// Alerts as they are now, for who shows them: those that go on, and the last few that have ended.
struct RecentAlerts: Sendable {
    private var open: [AlertRecord] = []
    private var ended: [AlertRecord] = []

    private static let endedLimit = 32

    var all: [AlertRecord] { open + ended }

    /// New episodes, and those that have changed.
    mutating func take(_ alerts: [AlertRecord]) {
        for alert in alerts {
            open.removeAll { $0.isSameEpisode(as: alert) }
            ended.removeAll { $0.isSameEpisode(as: alert) }
            if alert.ended == nil { open.append(alert) } else { ended.append(alert) }
        }
        ended.removeFirst(max(0, ended.count - Self.endedLimit))
    }
}

extension AlertRecord {
    fileprivate func isSameEpisode(as other: AlertRecord) -> Bool {
        instance == other.instance && kind == other.kind && start == other.start
    }
}
