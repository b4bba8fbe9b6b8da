import Readings

/// How long an instance's reads took, as a histogram: success or not.
package struct ReadDurations: Hashable, Sendable {
    /// Upper bounds in seconds; what is longer is in `count` alone.
    package static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20]

    /// Reads up to each bound, those of the smaller ones included.
    package private(set) var upTo = [Int](repeating: 0, count: bounds.count)
    package private(set) var count = 0
    package private(set) var sumSeconds = 0.0

    package init() {}

    /// - Parameter duration: nanoseconds.
    package mutating func add(_ duration: Int64) {
        let seconds = Double(duration) / Double(Duration.second)
        for (index, bound) in Self.bounds.enumerated() where seconds <= bound { upTo[index] += 1 }
        count += 1
        sumSeconds += seconds
    }
}
