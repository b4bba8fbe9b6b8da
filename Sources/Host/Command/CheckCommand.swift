import Adapters
import Configuration
import Glibc
import Observability
import Platform
import Readings

/// What `smart-meter check` is asked for.
struct CheckRequest: Equatable {
    var file = ""
    /// The adapter of the library; nil = its first.
    var meterType: String?
    /// The checks, by name or by group; none = all.
    var only: [String] = []
    /// NAME=VALUE each.
    var settings: [String] = []
    var seed: UInt64?
    /// Seconds that readings are waited for.
    var wait: Int64 = 5
    /// Children at a time; nil = two, or one where there is a meter: a small device answers one question at a time.
    var jobs: Int?
    var isJSON = false
}

/// `smart-meter check`: whether an adapter keeps the rules of `meter_adapter.h`.
enum CheckCommand {
    static func run(_ request: CheckRequest, console: some Console) -> Int32 {
        let checks = ConformanceCheck.all.filter { check in
            request.only.isEmpty || request.only.contains { $0 == check.name || $0 == check.group.rawValue }
        }
        if let name = request.only.first(where: { name in
            !checks.contains { $0.name == name || $0.group.rawValue == name }
        }) {
            console.complain("smart-meter: there is no check '\(name)'; smart-meter check --list has them all")
            return SmartMeter.ExitStatus.usage
        }
        guard let file = realPath(request.file) else {
            console.complain("smart-meter: \(request.file): \(SystemError.text(errno))")
            return SmartMeter.ExitStatus.usage
        }
        do throws(SystemError) {
            let spawner = try RunnerSpawner(environment: Environment.variables, adoptsOrphans: true)
            let release = realPath(Environment.releaseDirectory)
            let directory = "/" + file.split(separator: "/").dropLast().joined(separator: "/")
            let staging = try CommandAdapters.staging()
            defer { staging.remove() }
            let loader = AdapterLoader(
                staging: staging, spawner: spawner, isolation: .always, secret: [], log: try Log(level: .error))
            let conformance = Conformance(file, spawner: spawner, loader: loader, isRelease: directory == release)
            return try run(request, checks, file, conformance, console)
        } catch {
            console.complain("smart-meter: \(error)")
            return SmartMeter.ExitStatus.failed
        }
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    private static func run(
        _ request: CheckRequest, _ checks: [ConformanceCheck], _ file: String, _ conformance: Conformance,
        _ console: some Console
    ) throws(SystemError) -> Int32 {
        var plan = Conformance.Plan(
            seed: request.seed ?? UInt64.random(in: 1...999_999_999), wait: request.wait * Duration.second,
            checks: checks)
        plan.jobs = request.jobs ?? (request.settings.isEmpty ? 2 : 1)
        var report = CheckReport(file: file, seed: plan.seed)
        switch conformance.describe() {
        case .failure(let refusal):
            report.refusal = refusal.reason
        // What the library is to the loader can still be said, and why there is no more.
        case .success(let adapters):
            let wanted = adapters.first { request.meterType == nil || $0.meterType == request.meterType }
            guard let adapter = wanted else {
                console.complain(
                    "smart-meter: there is no adapter of type '\(request.meterType ?? "")' in \(file); it has "
                        + adapters.map(\.meterType).joined(separator: ", "))
                return SmartMeter.ExitStatus.usage
            }
            report.adapter = adapter
            report.others = adapters.map(\.meterType).filter { $0 != adapter.meterType }
            plan.adapter = adapter
            switch CheckSettings.read(request.settings, adapter) {
            case .success(let values): plan.settings = values
            case .failure(let error):
                console.complain("smart-meter: \(error.message)")
                return SmartMeter.ExitStatus.usage
            }
            report.secrets = adapter.settings.filter(\.kind.isSecret).compactMap { plan.settings[$0.name] }
        }
        if !request.isJSON { console.print(report.head) }
        report.results = try conformance.run(plan) { result in
            if !request.isJSON { console.print(report.text(of: result)) }
        }
        console.print(request.isJSON ? report.json : report.summary)
        return report.isGood ? SmartMeter.ExitStatus.ok : SmartMeter.ExitStatus.failed
    }

    /// `--list`: every check with its meaning.
    static func list() -> String {
        let width = ConformanceCheck.all.map(\.name.count).max() ?? 0
        return ConformanceCheck.all.map { check in
            check.name + String(repeating: " ", count: width - check.name.count) + "  " + check.meaning
        }.joined(separator: "\n")
    }

    /// `--table`: the same, as docs/adapter-checks.md has it.
    static func table() -> String {
        ConformanceCheck.Group.allCases.map { group in
            let rows = ConformanceCheck.all.filter { $0.group == group }.map { "| `\($0.name)` | \($0.meaning) |" }
            return (["### \(group.rawValue)", "", "| Check | What holds where it passes |", "| --- | --- |"] + rows)
                .joined(separator: "\n")
        }.joined(separator: "\n\n")
    }
}

/// The values of `--setting`: `NAME=VALUE`, and for a secret `NAME_FILE=PATH`, as variables have it.
enum CheckSettings {
    static func read(
        _ pairs: [String], _ adapter: AdapterDescription
    ) -> Result<[String: String], UsageError> {
        var values: [String: String] = [:]
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                return .failure(UsageError(message: "--setting wants NAME=VALUE, not '\(parts[0])'"))
            }
            let name = parts[0].lowercased()
            if let secret = adapter.settings.first(where: { $0.kind.isSecret && "\($0.name)_file" == name }) {
                do throws(UnreadableFile) {
                    let text = try SettingFile.read(parts[1])
                    values[secret.name] = String(text.prefix { !$0.isNewline })
                } catch {
                    return .failure(UsageError(message: "\(name): \(parts[1]): \(error.reason)"))
                }
                continue
            }
            guard let setting = adapter.settings.first(where: { $0.name == name }) else {
                let names = adapter.settings.map(\.name).joined(separator: ", ")
                return .failure(
                    UsageError(
                        message:
                            "\(adapter.meterType) has no setting '\(parts[0])'; it has \(names.isEmpty ? "none" : names)"
                    ))
            }
            guard let value = setting.kind.accepted(parts[1]) else {
                return .failure(UsageError(message: "the setting '\(setting.name)' must be \(setting.kind.allowed)"))
            }
            values[setting.name] = value
        }
        return .success(values)
    }
}
