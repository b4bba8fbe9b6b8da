import Readings

/// Why a file, or a directory of them, is not used as it is now.
enum ShelfObstacle: Sendable {
    /// It is at fault, until it changes.
    case refused(String)
    /// The host is at fault, and that passes.
    case waits(HostWait)

    var wait: HostWait? { if case .waits(let wait) = self { wait } else { nil } }

    /// Whether people see the same.
    func looksLike(_ other: ShelfObstacle?) -> Bool {
        switch (self, other) {
        case (.refused(let reason), .refused(let otherReason)): reason == otherReason
        case (.waits(let wait), .waits(let otherWait)):
            (wait.reason, wait.shortage, wait.since) == (otherWait.reason, otherWait.shortage, otherWait.since)
        default: false
        }
    }
}

/// That the host could not look at something for want of something, and when it tries again.
struct HostWait: Sendable {
    let reason: String
    let shortage: HostShortage
    /// When it was first wanted.
    let since: Instant
    /// How often it was wanted in vain.
    let tries: Int
    /// When it is tried again, monotonic ns; nil = that is not for this to say.
    var due: Int64?

    /// - Parameter before: what it had to wait for until now.
    init(_ reason: String, _ shortage: HostShortage, after before: HostWait?, wall: Instant) {
        self.reason = reason
        self.shortage = shortage
        since = before?.since ?? wall
        tries = (before?.tries ?? 0) + 1
    }
}
