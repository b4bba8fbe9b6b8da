import Platform
import Readings

/// The files of all directories: which are to be looked at, and what came of it.
struct ShelfFiles: Sendable {
    private var files: [ShelfFile.Key: ShelfFile] = [:]
    private var rounds: [Int: Int] = [:]
    private var attempts = 0

    /// At a time: each may hang.
    private static let mostLoads = 4

    /// Whether what is known of all of them will do for now.
    var isSettled: Bool { files.values.allSatisfy(\.isSettled) }

    /// In the order in which types are given away: the release's first, then as they were found.
    var inOrder: [ShelfFile] {
        files.values.sorted { first, second in
            let (one, other) = (first.key, second.key)
            return (one.directory == 0 ? 0 : 1, first.round, one.directory, one.name)
                < (other.directory == 0 ? 0 : 1, second.round, other.directory, other.name)
        }
    }

    /// Takes over what lies in a directory now. True where a file is gone.
    /// - Parameter retries: what has an obstacle is tried again, although it has not changed.
    mutating func take(
        _ listing: [(name: String, identity: FileIdentity)], of directory: Int, except unfinished: Set<String>,
        retries: Bool
    ) -> Bool {
        let round = rounds[directory, default: 0]
        rounds[directory] = round + 1
        for (name, identity) in listing where !unfinished.contains(name) {
            let key = ShelfFile.Key(directory: directory, name: name)
            if files[key]?.see(identity, retries: retries) == nil {
                files[key] = ShelfFile(key: key, round: round, identity: identity)
            }
        }
        let names = Set(listing.map(\.name))
        let gone = files.keys.filter { $0.directory == directory && !names.contains($0.name) }
        for key in gone { files[key] = nil }
        return !gone.isEmpty
    }

    /// What to look at now.
    mutating func takeJobs(now: Int64) -> [(key: ShelfFile.Key, attempt: ShelfFile.Attempt)] {
        let free = max(0, Self.mostLoads - files.values.count(where: \.isBeingLookedAt))
        var jobs: [(key: ShelfFile.Key, attempt: ShelfFile.Attempt)] = []
        for file in inOrder.filter({ $0.due.map { $0 <= now } ?? false }).prefix(free) {
            attempts += 1
            guard let attempt = files[file.key]?.begin(attempts, now: now) else { continue }
            jobs.append((file.key, attempt))
        }
        return jobs
    }

    /// True where the catalog has changed by it.
    /// - Parameter random: 0 to 1, of the jitter of a pause.
    mutating func take(
        _ result: Result<ShelfFile.Load, LibraryObjection>, of key: ShelfFile.Key, _ attempt: ShelfFile.Attempt,
        now: Int64, wall: Instant, random: Double
    ) -> Bool {
        guard files[key]?.attempt?.number == attempt.number else { return false }
        return files[key]?.take(result, now: now, wall: wall, random: random) ?? false
    }

    /// Waits no longer for looks that do not end. True where there was one.
    mutating func giveUp(now: Int64, wall: Instant) -> Bool {
        var hasGivenUp = false
        for key in files.keys where files[key]?.giveUp(now: now, wall: wall) == true { hasGivenUp = true }
        return hasGivenUp
    }

    /// When there is something to do again, monotonic ns; nil = not before something happens.
    var wake: Int64? {
        let isFull = files.values.count(where: \.isBeingLookedAt) >= Self.mostLoads
        return files.values.flatMap { [$0.nextGivingUp, isFull ? nil : $0.due] }.compactMap { $0 }.min()
    }
}
