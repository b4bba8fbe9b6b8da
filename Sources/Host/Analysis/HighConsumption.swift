public import Readings

/// The alert for a house that draws more than it should. One episode at a time; silence changes nothing, and what has to
/// last begins anew after it.
public struct HighConsumption: Sendable {
    public struct Rules: Sendable {
        /// Watts above which it is high.
        public var thresholdW: Double
        /// How long it must stay above before it is raised, in nanoseconds.
        public var hold: Int64
        /// How long it must stay under 95 % of the threshold before it ends.
        public var clear: Int64

        public init(thresholdW: Double, hold: Int64, clear: Int64) {
            self.thresholdW = thresholdW
            self.hold = hold
            self.clear = clear
        }
    }

    public struct Episode: Hashable, Sendable {
        public var start: Instant
        public var peakW: Double

        public init(start: Instant, peakW: Double) {
            self.start = start
            self.peakW = peakW
        }
    }

    public enum Event: Hashable, Sendable {
        case raised(Episode)
        /// The peak has grown.
        case grew(Episode)
        case ended(Episode, at: Instant)
    }

    private enum State: Sendable {
        case normal
        /// Above, and not yet for long enough.
        case rising(Episode)
        case raised(Episode, lowSince: Instant?)
    }

    public var rules: Rules
    private var state = State.normal
    /// Until when the newest sample says how much is drawn.
    private var knownUntil = Instant(nanoseconds: .min)

    /// `open` is an episode that was raised before a restart.
    public init(rules: Rules, open: Episode? = nil) {
        self.rules = rules
        if let open { state = .raised(open, lowSince: nil) }
    }

    /// Takes the use of one emission, signed; nil = not measured, which neither raises nor clears.
    /// - Parameter hold: nanoseconds for which a sample counts at most: what lies further apart is silence.
    public mutating func take(_ powerW: Double?, at instant: Instant, holdsFor hold: Int64) -> Event? {
        guard let powerW else { return nil }
        if instant > knownUntil { forgetWaiting() }
        knownUntil = instant + hold
        switch state {
        case .normal:
            guard powerW > rules.thresholdW else { return nil }
            return rise(Episode(start: instant, peakW: powerW), at: instant)
        case .rising(var episode):
            guard powerW > rules.thresholdW else {
                state = .normal
                return nil
            }
            episode.peakW = max(episode.peakW, powerW)
            return rise(episode, at: instant)
        case .raised(let episode, let lowSince):
            return follow(episode, lowSince: lowSince, powerW, at: instant)
        }
    }

    /// The episode that goes on is another's affair now.
    public mutating func forget() { state = .normal }

    private mutating func forgetWaiting() {
        switch state {
        case .normal: break
        case .rising: state = .normal
        case .raised(let episode, _): state = .raised(episode, lowSince: nil)
        }
    }

    private mutating func rise(_ episode: Episode, at instant: Instant) -> Event? {
        guard instant - episode.start >= rules.hold else {
            state = .rising(episode)
            return nil
        }
        state = .raised(episode, lowSince: nil)
        return .raised(episode)
    }

    private mutating func follow(
        _ episode: Episode, lowSince: Instant?, _ powerW: Double, at instant: Instant
    ) -> Event? {
        guard powerW < rules.thresholdW * 0.95 else {
            let grown = Episode(start: episode.start, peakW: max(episode.peakW, powerW))
            state = .raised(grown, lowSince: nil)
            return grown == episode ? nil : .grew(grown)
        }
        let since = lowSince ?? instant
        guard instant - since >= rules.clear else {
            state = .raised(episode, lowSince: since)
            return nil
        }
        state = .normal
        return .ended(episode, at: since)
    }
}
