import Platform
import Readings

/// A file of a directory, and what has become of it.
struct ShelfFile: Sendable {
    struct Key: Hashable, Sendable {
        /// Position of the directory; 0 is the release's own.
        let directory: Int
        let name: String
    }

    /// Tells the attempts to load one file apart.
    typealias Attempt = Int

    struct Load: Sendable {
        let identity: FileIdentity
        let adapters: [LoadedAdapter]
    }

    let key: Key
    /// When it was found: the look at its directory. What was there first has its type.
    let round: Int
    /// Which file was seen last.
    var identity: FileIdentity
    /// The attempt that runs, and since when (monotonic ns).
    var attempt: (number: Attempt, since: Int64)?
    var isWaiting = true
    var adapters: [LoadedAdapter] = []
    /// Why the file as it is now is not used. The adapters are then those of the file before.
    var refusal: String?
}

/// All of them.
struct ShelfFiles: Sendable {
    private var files: [ShelfFile.Key: ShelfFile] = [:]
    private var rounds: [Int: Int] = [:]
    private var attempts = 0

    /// At a time: each may hang.
    private static let mostLoads = 4
    /// After it a load is given up: a library that hangs in this process stays there.
    private static let loadTime = 20 * Duration.second

    /// Whether nothing is left to be loaded.
    var isSettled: Bool { files.values.allSatisfy { !$0.isWaiting && $0.attempt == nil } }

    /// In the order in which types are given away: the release's first, then as they were found.
    var inOrder: [ShelfFile] {
        files.values.sorted { first, second in
            let (one, other) = (first.key, second.key)
            return (one.directory == 0 ? 0 : 1, first.round, one.directory, one.name)
                < (other.directory == 0 ? 0 : 1, second.round, other.directory, other.name)
        }
    }

    /// Takes over what lies in a directory now. True where a file is gone.
    /// - Parameter retries: what was refused is tried again, although it has not changed.
    mutating func take(
        _ listing: [(name: String, identity: FileIdentity)], of directory: Int, except unfinished: Set<String>,
        retries: Bool
    ) -> Bool {
        let round = rounds[directory, default: 0]
        rounds[directory] = round + 1
        for (name, identity) in listing where !unfinished.contains(name) {
            let key = ShelfFile.Key(directory: directory, name: name)
            if let known = files[key], known.identity == identity, known.refusal == nil || !retries { continue }
            var file = files[key] ?? ShelfFile(key: key, round: round, identity: identity)
            file.identity = identity
            file.isWaiting = true
            files[key] = file
        }
        let names = Set(listing.map(\.name))
        let gone = files.keys.filter { $0.directory == directory && !names.contains($0.name) }
        for key in gone { files[key] = nil }
        return !gone.isEmpty
    }

    /// What to load now.
    mutating func takeJobs(now: Int64) -> [(key: ShelfFile.Key, attempt: ShelfFile.Attempt)] {
        var running = files.values.count { $0.attempt != nil }
        var jobs: [(key: ShelfFile.Key, attempt: ShelfFile.Attempt)] = []
        for file in inOrder where file.isWaiting && file.attempt == nil && running < Self.mostLoads {
            running += 1
            attempts += 1
            files[file.key]?.isWaiting = false
            files[file.key]?.attempt = (attempts, now)
            jobs.append((file.key, attempts))
        }
        return jobs
    }

    /// True where the catalog has changed by it.
    mutating func take(
        _ result: Result<ShelfFile.Load, LibraryObjection>, of key: ShelfFile.Key, _ attempt: ShelfFile.Attempt
    ) -> Bool {
        guard let file = files[key], file.attempt?.number == attempt else { return false }
        files[key]?.attempt = nil
        switch result {
        case .success(let load):
            files[key]?.adapters = load.adapters
            files[key]?.refusal = nil
            // It was replaced again, between the look at the directory and the load.
            if load.identity != file.identity { files[key]?.identity = load.identity }
        case .failure(let objection): files[key]?.refusal = objection.reason
        }
        return true
    }

    /// Gives up loads that do not end. True where there was one.
    mutating func giveUp(now: Int64) -> Bool {
        var hasGivenUp = false
        for (key, file) in files {
            guard let attempt = file.attempt, now >= attempt.since + Self.loadTime else { continue }
            files[key]?.attempt = nil
            files[key]?.refusal = "loading it does not end: one of its constructors, or meter_adapter_entry, hangs"
            hasGivenUp = true
        }
        return hasGivenUp
    }

    /// Monotonic ns; nil = nothing is being loaded.
    var nextGivingUp: Int64? { files.values.compactMap(\.attempt?.since).min().map { $0 + Self.loadTime } }
}
