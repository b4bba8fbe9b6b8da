import Adapters
import Configuration
import Glibc
import Observability
import Platform
import Readings

/// The adapters as a command sees them that has no host: looked at once, from copies that go with it.
enum CommandAdapters {
    private static let patience = 60 * Duration.second

    static func with(
        _ settings: Settings, _ log: Log, _ body: (AdapterCatalog) throws(SystemError) -> Int32
    ) throws(SystemError) -> Int32 {
        let staging = try staging(orIn: settings.dataDirectory)
        defer { staging.remove() }
        let spawner = try RunnerSpawner(environment: Environment.variables, adoptsOrphans: true)
        let loader = AdapterLoader(
            staging: staging, spawner: spawner, isolation: settings.host.isolation, secret: settings.secretPaths,
            log: log)
        let directories = settings.catalogDirectories
        let shelf = try AdapterShelf(
            release: directories.release, directories: directories.others, loader: loader, watches: false)
        return try body(shelf.complete(until: Clock.monotonic() + patience))
    }

    /// A new one, on a disk from which programs may be loaded.
    static func staging(orIn directory: String = "") throws(SystemError) -> StagingArea {
        let variables = Environment.variables
        let places = [variables["TMPDIR"] ?? "/tmp", "/var/tmp", directory]
        for place in places where !place.isEmpty && StagingArea.mayLoad(from: place) {
            var template = Array("\(place)/smart-meter-XXXXXX".utf8CString)
            if unsafe mkdtemp(&template) != nil {
                let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
                return try StagingArea(folder)
            }
        }
        throw SystemError("no folder for copies of adapters in \(places.joined(separator: ", ")); set TMPDIR", EACCES)
    }
}
