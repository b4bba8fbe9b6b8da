import AdapterKit

/// The device's clock beside ours. Its log carries its own times; a device without internet goes wrong by a minute a
/// month.
struct DeviceClock: Sendable {
    /// Seconds that the device is ahead, a multiple of the log's 5 s.
    private(set) var skew = 0

    /// Its time has whole seconds, and its answer travels: less than this is no difference.
    private static let tolerance = 5.0

    /// - Returns: the new skew where it has changed.
    mutating func set(device: Int, wall: Double) -> Int? {
        let difference = Double(device) - wall
        guard abs(difference - Double(skew)) > Self.tolerance,
            let steps = Int(exactly: (difference / 5).rounded()), abs(steps) < 1 << 30
        else { return nil }
        skew = steps * 5
        return skew
    }

    /// Seconds since the epoch, of the device.
    func now(_ host: AdapterHost) -> Int { device(host.nowWall) }

    /// How long to wait until the record of the newest full 5 s is written.
    func untilSettled(_ host: AdapterHost, _ settling: Double) -> Double {
        max(0, settling - Double(host.nowWall % 5_000_000_000) / 1e9)
    }

    /// Of a wall time in nanoseconds.
    func device(_ wall: Int64) -> Int { Int(wall / 1_000_000_000) + skew }

    /// Wall time in nanoseconds of a time of the device.
    func wall(_ device: Int) -> Int64 {
        let (nanoseconds, isTooFar) = Int64(device - skew).multipliedReportingOverflow(by: 1_000_000_000)
        return isTooFar ? .max : nanoseconds
    }
}
