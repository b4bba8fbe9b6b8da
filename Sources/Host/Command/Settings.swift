import Adapters
import Configuration
import Glibc
import Readings

/// Everything that the environment and `.env` say, read once (and again on SIGHUP).
struct Settings: Sendable {
    let lookup: SettingLookup
    let host: HostSettings
    let effective: [EffectiveSetting]
    let secrets: [String]
    var problems: [String]

    static func read() -> Settings {
        let environment = Environment.variables
        do throws(UnreadableFile) {
            let lookup = SettingLookup(
                environment: environment, dotEnv: try SettingFile.dotEnv(Environment.absolute(".env")))
            let resolved = HostSettings.resolve(lookup)
            return Settings(
                lookup: lookup, host: resolved.settings, effective: resolved.effective, secrets: resolved.secrets,
                problems: resolved.problems)
        } catch {
            let lookup = SettingLookup(environment: environment)
            let resolved = HostSettings.resolve(lookup)
            return Settings(
                lookup: lookup, host: resolved.settings, effective: resolved.effective, secrets: resolved.secrets,
                problems: [".env: \(error.reason)"])
        }
    }

    /// Wherever an adapter changes the working directory to.
    var dataDirectory: String { Environment.absolute(host.dataDirectory) }
    var controlSocket: String { dataDirectory + "/control.sock" }

    /// Of the house. What TZ says was looked at when it was read.
    var zone: Zone { (try? Zone.system(tz: host.timeZone))?.zone ?? .utc }

    /// What no adapter is to read: the host's data, and the files that hold secrets.
    var secretPaths: [String] {
        let named = Set(lookup.environment.keys).union(lookup.dotEnv.entries.keys).filter { $0.hasSuffix("_FILE") }
        return [dataDirectory, Environment.absolute(".env")]
            + named.sorted().compactMap { lookup.plain($0).map { Environment.absolute($0.value) } }
    }

    /// Nobody said anything about a meter.
    var isUnconfigured: Bool {
        !lookup.isSet("METER_TYPE") && !lookup.isSet("HOME_ASSISTANT_TOKEN", isSecret: true)
    }

    /// What is said of that.
    static let unconfigured = "no meter is configured: set HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN, or METER_TYPE"

    /// Where adapters are: the release's own beside the program, then `ADAPTER_PATH`.
    var catalogDirectories: (release: String, others: [String]) {
        (Environment.releaseDirectory, host.adapterPath.map(Environment.absolute))
    }
}

extension StrayNames {
    /// Of the `.env` that the settings were read from.
    static func notes(_ settings: Settings, _ catalog: AdapterCatalog) -> [Note] {
        let adapters = catalog.adapters.map { ($0.description.meterType, $0.description.settings) }
        return StrayNames(
            adapters: Dictionary(adapters) { first, _ in first }, wanted: settings.host.meterTypes
        ).notes(on: settings.lookup.dotEnv)
    }
}

/// The process's surroundings.
enum Environment {
    /// As they were at the start: an adapter in this process may change its environment.
    static let variables = current

    /// A path that a change of the working directory does not change.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : workingDirectory + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    /// As it was at the start.
    private static let workingDirectory: String = {
        guard let path = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }()

    private static var current: [String: String] {
        var variables: [String: String] = [:]
        var entry = unsafe environ
        while let pair = unsafe entry.pointee {
            let text = unsafe String(cString: pair)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe entry += 1
        }
        return variables
    }

    /// An installed program has its adapters in `../lib/smart-meter/adapters`, a built one beside itself.
    static var releaseDirectory: String {
        let own = programDirectory
        let installed = own + "/../lib/smart-meter/adapters"
        return unsafe access(installed, R_OK) == 0 ? installed : own
    }

    private static var programDirectory: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return "." }
        let path = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }
}
