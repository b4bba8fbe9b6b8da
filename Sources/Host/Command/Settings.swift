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
            let lookup = SettingLookup(environment: environment, dotEnv: try SettingFile.dotEnv(".env"))
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

    var controlSocket: String { host.dataDirectory + "/control.sock" }

    /// Nobody said anything about a meter.
    var isUnconfigured: Bool {
        !lookup.isSet("METER_TYPE") && !lookup.isSet("HOME_ASSISTANT_TOKEN", isSecret: true)
    }

    /// Where adapters are: the release's own beside the program, then `ADAPTER_PATH`.
    var catalogDirectories: (release: String, others: [String]) {
        (Environment.releaseDirectory, host.adapterPath)
    }
}

/// The process's surroundings.
enum Environment {
    static var variables: [String: String] {
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
