import Readings

/// How often an adapter's process has ended by itself, and when it is started again: after a growing pause.
struct Restarts: Sendable {
    private(set) var count = 0
    private var streak = 0
    /// A process that has lived for so long begins anew.
    private static let goodLife = 10 * Duration.minute

    /// Notes an end; answers the pause, in ns.
    /// - Parameters:
    ///   - lived: ns since it was started.
    ///   - random: 0 to 1, of the pause's jitter.
    mutating func pause(afterLife lived: Int64, random: Double) -> Int64 {
        count += 1
        streak = lived >= Self.goodLife ? 1 : streak + 1
        return GrowingPause.after(streak, random: random)
    }

    /// - Parameter reason: of the last end.
    func words(_ reason: String) -> String { "crashed \(count == 1 ? "once" : "\(count) times"), last: \(reason)" }
}
