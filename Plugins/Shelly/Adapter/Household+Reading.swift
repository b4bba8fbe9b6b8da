import AdapterKit

// When a reading is made, and what a person is told.
extension Household {
    /// What comes within this time belongs to one reading: the topics of a meter follow one another.
    private static let assembly = Moment.second / 2
    /// Readings are no closer together.
    private static let shortestPause = Moment.second
    /// So long after a connection the meters of the house are looked for before the first reading.
    private static let discovery = 3 * Moment.second

    /// Monotonic; nil = nothing is new.
    var readingDue: Int64? {
        guard let changedAt, let connectedAt else { return nil }
        return max(
            changedAt + Self.assembly, (emittedAt ?? .min / 2) + Self.shortestPause,
            isComplete ? 0 : connectedAt + Self.discovery)
    }

    /// Whether there is nobody left to be looked for.
    var isComplete: Bool {
        !preferences.devices.isEmpty
            && preferences.devices.allSatisfy { device in meters.contains { $0.prefix == device && $0.isReady } }
    }

    /// Whether further meters may show up any moment.
    func isDiscovering(at now: Moment) -> Bool {
        guard let connectedAt else { return true }
        return !isComplete && now.monotonic - connectedAt < Self.discovery
    }

    /// The reading that is due, stamped with the moment of the newest message in it; nil where nothing is measured.
    mutating func takeReading(at now: Moment) -> Reading? {
        refreshLayout()
        changedAt = nil
        guard var reading = layout.reading(meters) else { return nil }
        emittedAt = now.monotonic
        reading.timestamp = newest.wall
        return reading
    }

    mutating func refreshLayout() {
        guard isLayoutStale else { return }
        isLayoutStale = false
        let before = layout
        layout = HouseLayout(
            meters, preferences, rememberedMains: rememberedMains,
            isMainsAwaited: rememberedMains.map(awaited.contains) ?? false)
        if let found = layout.foundMains { rememberedMains = found }
        if layout.summary != before.summary, !layout.branches.isEmpty {
            news.append("channels taken from Shelly meters: \(layout.summary)")
        }
        if layout.mains.isEmpty, preferences.mains == .unsaid, layout.problems.isEmpty, !layout.branches.isEmpty,
            layout.summary != before.summary
        {
            news.append("nothing is taken for the grid: SHELLY_MAINS names the channels that are (or none)")
        }
    }

    /// What is amiss with the meters; nil = nothing.
    func complaint(at now: Moment) -> AdapterError? {
        guard let connectedAt else { return nil }
        let present = meters.filter { !$0.isForeign }
        let offline = present.filter(\.isOffline).map { "\($0.id) is offline" }
        let silent = present.filter { $0.isReady && !$0.isOffline && $0.heardAt == nil }.map {
            "\($0.id) has not been heard of"
        }
        let missing = preferences.devices.filter { device in
            !meters.contains { $0.prefix == device && ($0.isReady || $0.isOffline) }
        }.map { "\($0) has not been heard of: is it its id or topic prefix, and is MQTT enabled in its settings?" }
        guard offline.isEmpty else {
            return AdapterError(.unreachable, Self.list(offline + silent + missing))
        }
        // What was just found or lost has its time to speak.
        guard now.monotonic - connectedAt >= Self.patience else { return nil }
        let problems = silent + missing + layout.problems
        if !problems.isEmpty { return AdapterError(.noData, Self.list(problems)) }
        guard !present.contains(where: \.isReady) else { return nil }
        return AdapterError(
            .noData,
            "no Shelly energy meter has been heard of at \(preferences.broker.text): is MQTT enabled in its settings?")
    }

    private static let patience = 60 * Moment.second

    private static func list(_ problems: [String]) -> String {
        let shown = problems.prefix(3).joined(separator: "; ")
        return problems.count > 3 ? "\(shown); and \(problems.count - 3) more" : shown
    }
}
