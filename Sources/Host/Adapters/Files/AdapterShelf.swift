import Glibc
package import Platform
import Readings
import Synchronization

/// The adapter files of all directories and what has become of each: watches, looks, loads what is new or changed, and
/// puts together the catalog. One thread tends it; reading directories and loading happen on threads that come and go.
package final class AdapterShelf: Sendable {
    /// Rung when a thread has found something out.
    package let bell: Doorbell
    private let directories: [String]
    private let loader: AdapterLoader
    private let watch: DirectoryWatch?
    private let news: Mailbox<News>
    private let state: Mutex<State>

    private enum News: Sendable {
        case listing(Int, watch: Int32?, Listing)
        case loaded(ShelfFile.Key, ShelfFile.Attempt, Result<ShelfFile.Load, LibraryObjection>)
    }

    /// What lies in a directory.
    private enum Listing: Sendable {
        case files([(name: String, identity: FileIdentity)])
        /// There is no such directory, and so nothing in it.
        case missing
        /// What lies in it now is not known: the errno.
        case unreadable(Int32)
    }

    private struct State {
        var directories: [ShelfDirectory]
        var files = ShelfFiles()
        var catalog: AdapterCatalog
    }

    /// - Parameters:
    ///   - release: the release's own directory.
    ///   - directories: those of `ADAPTER_PATH`.
    ///   - watches: false = looks once.
    package init(
        release: String, directories: [String], loader: AdapterLoader, watches: Bool
    ) throws(SystemError) {
        let paths = directories.reduce(into: [release]) { paths, path in
            if !paths.contains(path) { paths.append(path) }
        }
        self.directories = paths
        self.loader = loader
        watch = watches ? try DirectoryWatch() : nil
        bell = try Doorbell()
        news = Mailbox(doorbell: bell)
        let now = Clock.monotonic()
        state = Mutex(
            State(
                directories: paths.enumerated().map { ShelfDirectory($1, isRelease: $0 == 0, now: now) },
                catalog: AdapterCatalog(directories: paths, files: [], isComplete: false)))
    }

    /// Readable when something has happened in a directory; -1 where it does not watch.
    package var watchDescriptor: Int32 { watch?.number ?? -1 }

    /// As it is now. Any thread.
    package var catalog: AdapterCatalog { state.withLock { $0.catalog } }

    /// Looks at everything again.
    package func rescan() {
        let now = Clock.monotonic()
        state.withLock { state in
            for index in state.directories.indices { state.directories[index].rescan(now: now) }
        }
    }

    /// Does what is due. Answers whether the catalog has changed, and when to come again (monotonic ns).
    package func tend() -> (hasChanged: Bool, wake: Int64) {
        bell.silence()
        let now = Clock.monotonic()
        let events = watch?.events() ?? []
        return state.withLock { state in
            for event in events {
                for index in state.directories.indices
                where event.isOverflow || event.watch == state.directories[index].watch {
                    state.directories[index].take(event, now: now)
                }
            }
            var hasChanged = false
            for item in news.take() { hasChanged = take(item, &state, now) || hasChanged }
            var wake = now + Duration.hour
            for index in state.directories.indices {
                let (begins, due) = state.directories[index].beginReading(now: now)
                if begins { read(index, state.directories[index]) }
                wake = min(wake, due ?? wake)
            }
            if state.files.giveUp(now: now, wall: .now) { hasChanged = true }
            for job in state.files.takeJobs(now: now) { load(job.key, job.attempt, state.directories) }
            wake = min(wake, state.files.wake ?? wake)
            if hasChanged || !state.catalog.isComplete { hasChanged = assemble(&state) || hasChanged }
            return (hasChanged, wake)
        }
    }

    /// Tends it until every file has been looked at, at most until `deadline` (monotonic ns).
    package func complete(until deadline: Int64) -> AdapterCatalog {
        while true {
            let (_, wake) = tend()
            let catalog = catalog
            if catalog.isComplete || Clock.monotonic() >= deadline { return catalog }
            _ = Poll.readable(bell.number, until: min(wake, deadline))
        }
    }

    // MARK: What has been found out

    /// Whether the catalog may have changed.
    private func take(_ item: News, _ state: inout State, _ now: Int64) -> Bool {
        switch item {
        case .listing(let index, let watch, let listing):
            let directory = state.directories[index]
            var isGone = false
            switch listing {
            case .files(let files):
                state.directories[index].endReading(watch: watch, obstacle: nil, now: now)
                isGone = state.files.take(
                    files, of: index, except: directory.unfinished, retries: directory.retries)
            case .missing:
                state.directories[index].endReading(
                    watch: nil, obstacle: .refused("there is no such directory"), now: now)
                isGone = state.files.take([], of: index, except: [], retries: false)
            case .unreadable(let code):
                // A fault that passes ends nobody: what was found before goes on.
                let objection = LibraryObjection("the directory cannot be read", code)
                let wait = objection.shortage.map {
                    HostWait(objection.reason, $0, after: directory.obstacle?.wait, wall: .now)
                }
                state.directories[index].endReading(
                    watch: nil, obstacle: wait.map(ShelfObstacle.waits) ?? .refused(objection.reason), now: now)
            }
            let obstacle = state.directories[index].obstacle
            let looksLike = obstacle.map { $0.looksLike(directory.obstacle) } ?? (directory.obstacle == nil)
            return isGone || !looksLike
        case .loaded(let key, let attempt, let result):
            let changed = state.files.take(
                result, of: key, attempt, now: now, wall: .now, random: .random(in: 0...1))
            // What was read while it was written is looked at again.
            if case .failure = result { state.directories[key.directory].touch(now: now) }
            return changed
        }
    }

    /// True where it has become complete.
    private func assemble(_ state: inout State) -> Bool {
        let wasComplete = state.catalog.isComplete
        let directories = state.directories
        let isComplete = directories.allSatisfy(\.hasBeenRead) && state.files.isSettled
        state.catalog = AdapterCatalog(
            directories: self.directories,
            files: directories.filter { !$0.isRelease || $0.obstacle?.wait != nil }.map {
                (path: $0.path, adapters: [], obstacle: $0.obstacle)
            }
                + state.files.inOrder.map {
                    (path: "\(directories[$0.key.directory].path)/\($0.key.name)", $0.adapters, $0.obstacle)
                },
            isComplete: wasComplete || isComplete)
        return state.catalog.isComplete && !wasComplete
    }

    // MARK: Threads that come and go

    private func read(_ index: Int, _ directory: ShelfDirectory) {
        let (news, watch, path) = (news, watch, directory.path)
        let isWatched = !directory.isRelease
        start("shelf") {
            // Watched first: what happens while it is read is not missed.
            let number = isWatched ? watch?.watch(path) : nil
            news.post(.listing(index, watch: number, Self.listing(of: path)))
        } orElse: { error in
            news.post(.listing(index, watch: nil, .unreadable(error.code)))
        }
    }

    private func load(_ key: ShelfFile.Key, _ attempt: ShelfFile.Attempt, _ directories: [ShelfDirectory]) {
        let (news, loader, directory) = (news, loader, directories[key.directory])
        start("loader") {
            do throws(LibraryObjection) {
                let found = try loader.load(
                    key.name, in: directory.path, isRelease: directory.isRelease, patience: attempt.patience,
                    isQuiet: attempt.isRepeated)
                let load = ShelfFile.Load(identity: found.identity, adapters: found.adapters)
                news.post(.loaded(key, attempt, .success(load)))
            } catch {
                news.post(.loaded(key, attempt, .failure(error)))
            }
        } orElse: { error in
            news.post(.loaded(key, attempt, .failure(.ofHost("it cannot be looked at: \(error.call)", error.code))))
        }
    }

    private func start(
        _ name: String, _ body: @escaping @Sendable () -> Void, orElse fail: (SystemError) -> Void
    ) {
        do throws(SystemError) {
            // Constructors of a library run on it.
            _ = try Thread(name: name, stackBytes: 512 * 1024, body: body)
        } catch {
            fail(error)
        }
    }

    /// Names that end in `.so`, and what files they are at present.
    private static func listing(of directory: String) -> Listing {
        guard let names = DirectoryNames.of(directory) else {
            return [ENOENT, ENOTDIR].contains(errno) ? .missing : .unreadable(errno)
        }
        return .files(
            names.filter { $0.hasSuffix(".so") && !$0.hasPrefix(".") }.map { name in
                // One that leads nowhere is refused when it is opened.
                (name, FileIdentity(at: "\(directory)/\(name)") ?? .none)
            })
    }
}
