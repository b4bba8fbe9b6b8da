import Adapters
import Configuration
import Glibc
import Platform

/// `smart-meter new-adapter`: writes a small project that builds, has a test, and is an adapter.
enum NewAdapterCommand {
    private struct Refusal: Error {
        let status: Int32
        let reason: String
    }

    /// - Parameter directory: nil = one of the adapter's name, in the working directory.
    static func run(
        name: String, language: AuthorLanguage, directory: String?, settings: Settings, console: some Console
    ) -> Int32 {
        do throws(Refusal) {
            try check(name, settings, console)
            let directory = directory ?? name
            try write(AuthorProject.files(language, named: name), to: Environment.absolute(directory))
            console.print(words(name, language, directory))
            return SmartMeter.ExitStatus.ok
        } catch {
            console.complain("smart-meter: \(error.reason)")
            return error.status
        }
    }

    // MARK: The name

    private static let longestName = 32

    private static func check(_ name: String, _ settings: Settings, _ console: some Console) throws(Refusal) {
        guard name.utf8.count <= longestName else {
            throw Refusal(
                status: SmartMeter.ExitStatus.usage, reason: "the name is longer than \(longestName) characters")
        }
        let known = releaseTypes(settings, console)
        if known.contains(name) {
            throw Refusal(
                status: SmartMeter.ExitStatus.usage,
                reason: "\(name) is an adapter of the release, which no other can replace; choose another name")
        }
        if let objection = MeterTypeRule.objection(to: name, known: known) {
            throw Refusal(status: SmartMeter.ExitStatus.usage, reason: "\(objection); choose another name")
        }
    }

    private static func releaseTypes(_ settings: Settings, _ console: some Console) -> [String] {
        var types: [String] = []
        _ = AdaptersCommand.withCatalog(settings, console) { catalog in
            let release = settings.catalogDirectories.release + "/"
            types = catalog.adapters.filter { $0.path.hasPrefix(release) }.map(\.description.meterType)
            return SmartMeter.ExitStatus.ok
        }
        return types
    }

    // MARK: The files

    /// All or nothing: what was made is taken away again where something fails.
    private static func write(_ files: [AuthorProject.File], to directory: String) throws(Refusal) {
        guard unsafe mkdir(directory, 0o755) == 0 else {
            let reason =
                errno == EEXIST
                ? "\(directory) is there already, and nothing is ever overwritten; choose another with --directory"
                : "cannot make \(directory): \(SystemError.text(errno))"
            throw Refusal(status: SmartMeter.ExitStatus.cannotCreate, reason: reason)
        }
        var made: [(path: String, isFolder: Bool)] = [(directory, true)]
        do throws(SystemError) {
            for file in files { try write(file, to: directory, &made) }
        } catch {
            for (path, isFolder) in made.reversed() { _ = unsafe isFolder ? rmdir(path) : unlink(path) }
            throw Refusal(status: SmartMeter.ExitStatus.cannotCreate, reason: "cannot write \(error)")
        }
    }

    private static func write(
        _ file: AuthorProject.File, to directory: String, _ made: inout [(path: String, isFolder: Bool)]
    ) throws(SystemError) {
        var folder = directory
        for part in file.path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            if unsafe mkdir(folder, 0o755) == 0 {
                made.append((folder, true))
            } else if errno != EEXIST {
                throw SystemError(folder)
            }
        }
        let path = "\(directory)/\(file.path)"
        let target = FileDescriptor(owning: unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644))
        guard target.number >= 0 else { throw SystemError(path) }
        made.append((path, false))
        var rest = file.bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(target.number, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { throw SystemError(path) }
            rest = rest.dropFirst(max(0, count))
        }
    }

    // MARK: What to do next

    private static func words(_ name: String, _ language: AuthorLanguage, _ directory: String) -> String {
        """
        \(directory): a meter adapter in \(language.name), type \(name)

          cd \(directory)
          \(language.build)
          \(language.test)
          ADAPTER_PATH=\(language.products) METER_TYPE=\(name) smart-meter read
          smart-meter check \(language.library(name))

        README.md there says where to go on.
        """
    }
}
