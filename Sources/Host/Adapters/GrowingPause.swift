import Readings

/// The pause before something is tried again: a second, twice as long each time, five minutes at most.
enum GrowingPause {
    static let longest = 5 * Duration.minute

    /// In ns.
    /// - Parameters:
    ///   - failures: in a row.
    ///   - random: 0 to 1: jitter shortens the pause, by a quarter at most, so that many do not come together.
    static func after(_ failures: Int, random: Double) -> Int64 {
        let doubled = failures > 10 ? longest : Duration.second << Int64(max(0, failures - 1))
        return Int64(Double(min(doubled, longest)) * (1 - 0.25 * random))
    }
}
