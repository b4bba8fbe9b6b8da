import Readings

/// A file of a directory, and what has become of it.
struct ShelfFile: Sendable {
    struct Key: Hashable, Sendable {
        /// Position of the directory; 0 is the release's own.
        let directory: Int
        let name: String
    }

    /// One look at a file, which a thread of its own takes.
    struct Attempt: Sendable {
        /// Tells all of them apart.
        let number: Int
        /// Which file it looks at.
        let identity: FileIdentity
        /// Monotonic ns.
        let since: Int64
        /// What the library has for its constructors and its entry function, in ns.
        let patience: Int64
        /// Whether the host has looked at this file before, in vain.
        let isRepeated: Bool
        /// Whether nobody waits for it any more. What it finds out counts all the same.
        var isOverdue = false
    }

    struct Load: Sendable {
        let identity: FileIdentity
        let adapters: [LoadedAdapter]
    }

    let key: Key
    /// When it was found: the look at its directory. What was there first has its type.
    let round: Int
    /// Which file was seen last.
    private(set) var identity: FileIdentity
    /// Whether it is to be looked at as soon as there is a thread for it.
    private var isDue = true
    private(set) var attempt: Attempt?
    /// Those of the file before, where this one has an obstacle.
    private(set) var adapters: [LoadedAdapter] = []
    private(set) var obstacle: ShelfObstacle?
    /// How often in a row its library did not come to an end in time.
    private var slowTries = 0

    /// What a library has for its constructors and its entry function, each time more: a machine may be busy. In ns.
    static let patiences = [RunnerLaunch.usualPatience, 30 * Duration.second, 90 * Duration.second]
    /// So often a file is tried before others go on without it.
    private static let fewTries = 3
    /// What copying a file and starting a process may take beside.
    private static let margin = 10 * Duration.second
    /// An overdue look at which nothing happens for so long is one that never ends.
    private static let end = 5 * Duration.minute

    init(key: Key, round: Int, identity: FileIdentity) {
        self.key = key
        self.round = round
        self.identity = identity
    }

    /// Whether what is known of it will do for now.
    var isSettled: Bool {
        guard !isDue, attempt?.isOverdue != false else { return false }
        guard let wait = obstacle?.wait, wait.shortage != .time, wait.shortage != .speed else { return true }
        return wait.tries >= Self.fewTries
    }

    /// Whether a thread is waited for.
    var isBeingLookedAt: Bool { attempt?.isOverdue == false }

    /// What lies there now.
    /// - Parameter retries: what has an obstacle is tried again, although it has not changed.
    mutating func see(_ identity: FileIdentity, retries: Bool) {
        let isTried = attempt?.identity == identity
        guard identity != self.identity || obstacle != nil && retries && !isTried else { return }
        if identity != self.identity { slowTries = 0 }
        self.identity = identity
        isDue = true
    }

    // MARK: Attempts

    /// When it is to be looked at next, monotonic ns; nil = not before something happens.
    var due: Int64? {
        // A thread that hangs is not joined by another for the same file.
        if let attempt, !attempt.isOverdue || attempt.identity == identity { return nil }
        return isDue ? .min : obstacle?.wait?.due
    }

    mutating func begin(_ number: Int, now: Int64) -> Attempt {
        let patience = Self.patiences[min(slowTries, Self.patiences.count - 1)]
        let attempt = Attempt(
            number: number, identity: identity, since: now, patience: patience, isRepeated: !isDue)
        self.attempt = attempt
        isDue = false
        return attempt
    }

    /// True where people see something else now.
    /// - Parameter random: 0 to 1, of the pause's jitter.
    mutating func take(
        _ result: Result<Load, LibraryObjection>, now: Int64, wall: Instant, random: Double
    ) -> Bool {
        let before = obstacle
        attempt = nil
        switch result {
        case .success(let load):
            adapters = load.adapters
            obstacle = nil
            slowTries = 0
            // It was replaced again, between the look at the directory and the load.
            identity = load.identity
            return true
        case .failure(let objection):
            if objection.shortage == .time { slowTries += 1 }
            if let shortage = objection.shortage, slowTries < Self.patiences.count {
                var wait = HostWait(objection.reason, shortage, after: before?.wait, wall: wall)
                wait.due = now + GrowingPause.after(wait.tries, random: random)
                obstacle = .waits(wait)
            } else {
                obstacle = .refused(objection.reason)
            }
            return obstacle?.looksLike(before) == false
        }
    }

    // MARK: Looks that take long

    /// When it is to be given up, monotonic ns; nil = it is not being looked at.
    var nextGivingUp: Int64? {
        guard let attempt else { return nil }
        if !attempt.isOverdue { return attempt.since + 2 * attempt.patience + Self.margin }
        return obstacle?.wait == nil ? nil : attempt.since + Self.end
    }

    /// What it was for is waited for no longer, and after minutes taken for a fault of the file: a constructor that hangs in
    /// this process, or a disk, may still come to an end. True where it was time.
    mutating func giveUp(now: Int64, wall: Instant) -> Bool {
        guard let attempt, let time = nextGivingUp, now >= time else { return false }
        if attempt.isOverdue {
            obstacle = .refused("loading it does not end: one of its constructors, or meter_adapter_entry, hangs")
        } else {
            self.attempt?.isOverdue = true
            let seconds = (time - attempt.since) / Duration.second
            obstacle = .waits(
                HostWait(
                    "reading and loading it has not come to an end within \(seconds) s", .time,
                    after: obstacle?.wait, wall: wall))
        }
        return true
    }
}
