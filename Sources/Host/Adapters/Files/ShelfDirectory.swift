import Platform
import Readings

/// A directory of adapters: when it is to be looked at next, and what is being written in it.
struct ShelfDirectory: Sendable {
    let path: String
    /// The release's own: its types cannot be overridden, and it changes with the program.
    let isRelease: Bool
    /// inotify's number; nil = not watched.
    var watch: Int32?
    /// Why it could not be read.
    private(set) var obstacle: ShelfObstacle?
    private(set) var hasBeenRead = false
    private var isBeingRead = false
    /// When something happened in it first and last since it was last read, monotonic ns.
    private var dirtySince: Int64?
    private var lastEvent: Int64 = 0
    /// Names of files that somebody has begun to write and not closed.
    private(set) var unfinished: Set<String> = []
    /// Whether what was refused in it is tried again: its own mode may have been the reason.
    private(set) var retries = false

    /// Several events come together: it is looked at once it has been quiet for this long, or this long after the first.
    private static let quiet = 200 * Duration.millisecond
    private static let patience = Duration.second
    /// How often it is looked at where it cannot be watched, or could not be read.
    private static let pollPause = Duration.second

    init(_ path: String, isRelease: Bool, now: Int64) {
        self.path = path
        self.isRelease = isRelease
        dirtySince = now - Self.patience
    }

    mutating func take(_ event: DirectoryWatch.Event, now: Int64) {
        if event.isBeingWritten { unfinished.insert(event.name) } else { unfinished.remove(event.name) }
        if event.name.isEmpty { retries = true }
        if event.isOverflow { unfinished = [] }
        if event.isEndOfWatch {
            watch = nil
            unfinished = []
        }
        touch(now: now)
    }

    /// Something may have changed.
    mutating func touch(now: Int64) {
        if dirtySince == nil { dirtySince = now }
        lastEvent = now
    }

    /// It is to be looked at now, come what may.
    mutating func rescan(now: Int64) {
        retries = true
        dirtySince = now - Self.patience
    }

    /// Monotonic ns; nil = not before something happens.
    private var due: Int64? {
        guard !isBeingRead else { return nil }
        return dirtySince.map { min($0 + Self.patience, lastEvent + Self.quiet) }
    }

    /// Whether it is to be read now; else when (nil: not before something happens).
    mutating func beginReading(now: Int64) -> (begins: Bool, wake: Int64?) {
        guard let due else { return (false, nil) }
        guard now >= due else { return (false, due) }
        dirtySince = nil
        isBeingRead = true
        return (true, nil)
    }

    mutating func endReading(watch: Int32?, obstacle: ShelfObstacle?, now: Int64) {
        isBeingRead = false
        hasBeenRead = true
        retries = false
        self.watch = watch
        self.obstacle = obstacle
        // The release's own changes with the program.
        guard watch == nil, !isRelease || obstacle?.wait != nil else { return }
        dirtySince = dirtySince ?? now
        lastEvent = now + Self.pollPause - Self.quiet
    }
}
