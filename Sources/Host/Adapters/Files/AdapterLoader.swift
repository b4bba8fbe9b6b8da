package import Configuration
package import Observability
import CLinux
import Glibc
import Platform
import Readings

/// Finds out what an adapter's file is. Constructors of a library may hang: each file has a thread of its own.
package struct AdapterLoader: Sendable {
    private let staging: StagingArea
    private let spawner: RunnerSpawner
    private let isolation: HostSettings.Isolation
    /// What no adapter is to read.
    private let secret: [String]
    private let log: Log

    package init(
        staging: StagingArea, spawner: RunnerSpawner, isolation: HostSettings.Isolation, secret: [String], log: Log
    ) {
        self.staging = staging
        self.spawner = spawner
        self.isolation = isolation
        self.secret = secret
        self.log = log
    }

    /// What the host's own adapters may link and still run in its process: the C library, Swift's runtime, and what the
    /// host has loaded anyway.
    private static let harmless = [
        "libswift", "lib_Foundation", "libFoundation", "libdispatch", "libBlocksRuntime", "libc.", "libm.", "libdl.",
        "libpthread.", "librt.", "libgcc_s.", "libstdc++.", "ld-linux", "libcrypto.",
    ]
    /// What a library that was dropped in must bring along: the runtime of this program is of another version.
    private static let swift = ["libswift", "lib_Foundation", "libFoundation"]

    /// Everything that the file is; where its library hangs in this process, for ever.
    /// - Parameters:
    ///   - patience: what a library in a process of its own has for its constructors and its entry function, in ns.
    ///   - isTrusted: whoever can write to it is trusted; that of the release is.
    ///   - isQuiet: what it writes meanwhile is not logged: it was before.
    func load(
        _ name: String, in directory: String, isRelease: Bool, patience: Int64 = RunnerLaunch.usualPatience,
        isTrusted: Bool = false, isQuiet: Bool = false
    ) throws(LibraryObjection) -> (identity: FileIdentity, adapters: [LoadedAdapter]) {
        let file = try AdapterFile(name, in: directory, isTrusted: isRelease || isTrusted)
        let library = try staging.stage(file)
        let needs = try Self.needs(of: library.open(), in: directory, isRelease: isRelease)
        let needed = isRelease ? Self.paths(of: needs, in: directory) : []
        let path = "\(directory)/\(name)"
        func adapter(_ description: AdapterDescription, _ place: LoadedAdapter.Place) -> LoadedAdapter {
            LoadedAdapter(path: path, description: description, library: library, place: place)
        }
        if isRelease, mayRunHere(needs) {
            let adapters = try AdapterLibrary.load(library.path, needed: needed)
            return (file.identity, adapters.map { adapter($0.description, .host($0)) })
        }
        guard needs.memory <= AdapterRunner.memoryLimit else {
            let (wanted, most) = (needs.memory >> 20, AdapterRunner.memoryLimit >> 20)
            throw LibraryObjection(
                reason: "it wants \(wanted) MB of memory at once: its process has \(most) MB at most")
        }
        let launch = RunnerLaunch(spawner: spawner, library: library, needed: needed, secret: secret)
        let found = try describe(launch, patience, isQuiet, path)
        return (file.identity, found.descriptions.map { adapter($0, .child(launch, landlock: found.landlock)) })
    }

    private func describe(
        _ launch: RunnerLaunch, _ patience: Int64, _ isQuiet: Bool, _ path: String
    ) throws(LibraryObjection) -> (descriptions: [AdapterDescription], landlock: Int) {
        let gate = RepeatGate(interval: 10 * Duration.second)
        do throws(RunnerLaunch.Failure) {
            return try launch.describe(patience: patience) { [log] line in
                guard !isQuiet, gate.pass("", now: Clock.monotonic()) != nil else { return }
                log.info(line, LogField("file", path), LogField("from", "output"))
            }
        } catch {
            switch error {
            case .refused(let objection): throw objection
            case .ended(let end, let during, let shortage):
                throw LibraryObjection(reason: end.words(in: during), shortage: shortage)
            }
        }
    }

    // MARK: What it links

    private func mayRunHere(_ needs: ELFCheck.Needs) -> Bool {
        isolation == .auto && needs.libraries.allSatisfy { name in Self.harmless.contains { name.hasPrefix($0) } }
    }

    /// What the library needs, where it may be given to the loader.
    static func needs(
        of file: borrowing FileDescriptor, in directory: String, isRelease: Bool
    ) throws(LibraryObjection) -> ELFCheck.Needs {
        let needs = try ELFCheck.needs(of: file)
        guard !isRelease, let reason = objection(to: needs, in: directory) else { return needs }
        throw LibraryObjection(reason: reason, rule: .needs)
    }

    /// Why a library that was dropped in cannot be used: what it needs, it has to bring along.
    private static func objection(to needs: ELFCheck.Needs, in directory: String) -> String? {
        if let name = needs.libraries.first(where: { name in swift.contains { name.hasPrefix($0) } }) {
            return "it needs \(name): an adapter in Swift has to be linked with -static-stdlib"
        }
        // A copy has no neighbours.
        let paths = needs.searchPaths.filter { $0.contains("ORIGIN") }.map { resolved($0, in: directory) }
        let neighbour = needs.libraries.first { name in paths.contains { FileIdentity.isThere("\($0)/\(name)") } }
        return neighbour.map { "it needs \($0) beside it: an adapter has to be a single file; link it statically" }
    }

    /// Where the parts of Swift's runtime lie that an adapter of the release wants: its copy would not find them.
    private static func paths(of needs: ELFCheck.Needs, in directory: String) -> [String] {
        let places = needs.searchPaths.map { resolved($0, in: directory) }
        return needs.libraries.compactMap { name in
            places.map { "\($0)/\(name)" }.first(where: FileIdentity.isThere)
        }
    }

    /// As `paths`, of a library where it lies.
    static func runtime(of file: String) -> [String] {
        let descriptor = FileDescriptor(owning: unsafe sm_open(file, O_RDONLY, 0))
        guard let needs = try? ELFCheck.needs(of: descriptor) else { return [] }
        return paths(of: needs, in: directory(of: file))
    }

    static func directory(of file: String) -> String {
        "/" + file.split(separator: "/").dropLast().joined(separator: "/")
    }

    private static func resolved(_ path: String, in directory: String) -> String {
        for origin in ["${ORIGIN}", "$ORIGIN"] {
            guard path.hasPrefix(origin) else { continue }
            return directory + path.dropFirst(origin.count)
        }
        return path
    }
}
