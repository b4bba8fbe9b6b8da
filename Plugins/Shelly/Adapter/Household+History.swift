import AdapterKit

// What history has to know, and for whom it waits: what was answered once is never asked again.
extension Household {
    /// A meter that was not heard of for so long, while the broker was there, is not waited for any more. Logs reach
    /// back 60 days: those of the others lose nothing by waiting.
    static let longestAbsence = 7 * 86_400 * Moment.second
    /// A meter may speak for the first time so late. Until then, that none keeps a log is not for good.
    private static let firstWords = 600 * Moment.second

    func historyPlan(at now: Moment) -> HistoryPlan {
        var plan = HistoryPlan(meters, layout)
        plan.logs.removeAll { isGone(meters[$0.meter], now) }
        plan.missing = missing(at: now)
        plan.isSettled = !isDiscovering(at: now)
        plan.isLogless =
            !meters.contains(where: \.keepsLog) && (isComplete || connectedTime(at: now) >= Self.firstWords)
        return plan
    }

    /// Who has to be heard of before history can be answered.
    private func missing(at now: Moment) -> [String] {
        guard connectedTime(at: now) < Self.longestAbsence else { return [] }
        let named = preferences.devices.filter { device in !meters.contains { $0.prefix == device && $0.isReady } }
        return named + layout.missing + awaited.sorted()
    }

    private func isGone(_ meter: Meter, _ now: Moment) -> Bool {
        connectedTime(at: now) - meter.heardAfter >= Self.longestAbsence
    }

    /// Meters to be waited for in the next run.
    func logKeepers(at now: Moment) -> Set<String> {
        let here = meters.filter { $0.keepsLog && !isGone($0, now) }.map(\.id)
        return logsAwaited.union(here)
    }

    /// Strikes out who has been heard of, and everybody once it has been long enough.
    mutating func wait(at now: Moment) {
        guard !awaited.isEmpty else { return }
        for meter in meters where meter.isReady {
            strike(meter.id)
            strike(meter.prefix)
        }
        guard isComplete || connectedTime(at: now) >= Self.longestAbsence else { return }
        for id in awaited {
            strike(id)
            if id == rememberedMains { rememberedMains = nil }
        }
    }
}
