/// Lengths of time in nanoseconds, the unit of all instants here.
enum Time {
    static let second: Int64 = 1_000_000_000
    static let hour: Int64 = 3_600_000_000_000
    static let day: Int64 = 24 * hour
}
