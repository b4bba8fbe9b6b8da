import Readings

/// Holds the emissions of a start at which the clock is not set yet, as on a board without a battery that boots in 1970,
/// and moves them to their right time once it is set. Only at the start, and for two minutes at most: a clock that
/// nobody sets must not keep a meter's data out for ever.
struct ClockGate {
    private let notBefore: Instant
    /// Wall less monotonic time at the start.
    private let offset: Int64
    /// Monotonic ns at which it opens whatever the clock says; nil once it is open.
    private(set) var deadline: Int64?
    private var held: [Emission] = []

    private static let patience = 2 * Duration.minute
    private static let limit = 20_000

    /// - Parameter notBefore: what a clock that is set cannot show: a time before the program was made, or before the
    ///   newest slot of the store.
    init(notBefore: Instant, wall: Instant, monotonic: Int64) {
        self.notBefore = notBefore
        offset = wall.nanoseconds &- monotonic
        deadline = wall < notBefore ? monotonic + Self.patience : nil
    }

    /// Takes what has come and answers what may go on, in the same order.
    mutating func pass(_ emissions: [Emission], wall: Instant, monotonic: Int64) -> [Emission] {
        guard let deadline else { return emissions }
        held += emissions
        let isSet = wall >= notBefore
        guard isSet || monotonic >= deadline || held.count > Self.limit else { return [] }
        defer {
            self.deadline = nil
            held = []
        }
        guard isSet else { return held }
        let now = wall.nanoseconds &- monotonic
        return held.map { emission in
            // A meter that knows the time has stamped its readings right.
            guard emission.timestamp < notBefore else { return emission }
            var emission = emission
            let received = emission.receivedMonotonic
            // How old it was then, by the clock of the start; where that was moved and still not set, nobody knows.
            let age = received &+ offset &- emission.timestamp.nanoseconds
            let isKnown = (0...Duration.day).contains(age)
            emission.timestamp = Instant(nanoseconds: now &+ received &- (isKnown ? age : 0))
            return emission
        }
    }
}
