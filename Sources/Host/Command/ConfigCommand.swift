import Adapters
import Configuration
import Observability
import Readings

/// `smart-meter config`: the settings as they are written now, secrets masked, where each came from, and what is wrong.
enum ConfigCommand {
    static func run(_ settings: Settings, json: Bool, console: some Console) -> Int32 {
        AdaptersCommand.withCatalog(settings, console) { run(settings, $0, json: json, console: console) }
    }

    private static func run(_ settings: Settings, _ catalog: AdapterCatalog, json: Bool, console: some Console) -> Int32
    {
        var effective = settings.effective
        var problems = settings.problems
        // Where METER_TYPE itself is wrong there are no meters to look at; where there is none, that is said.
        for plan in InstancePlan.all(settings, catalog) {
            effective += plan.adapter?.settings.effective ?? []
            problems += settings.isUnconfigured ? [] : plan.problems
        }
        console.print(json ? self.json(effective) : String(SettingTables.effective(effective).dropLast()))
        for note in StrayNames.notes(settings, catalog) where note.isLikelyMeant {
            console.complain("smart-meter: \(note.text)")
        }
        if settings.isUnconfigured { console.complain("smart-meter: \(Settings.unconfigured)") }
        for problem in problems { console.complain("smart-meter: \(problem)") }
        return problems.isEmpty ? SmartMeter.ExitStatus.ok : SmartMeter.ExitStatus.configuration
    }

    private static func json(_ effective: [EffectiveSetting]) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for setting in effective {
            writer.beginObject()
            writer.field("name", setting.name)
            writer.field("value", setting.shown)
            writer.field("source", setting.source.description)
            writer.field("problem", setting.problem)
            writer.endObject()
        }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension InstancePlan {
    /// What is to be mended before it can run, one line each.
    fileprivate var problems: [String] {
        switch fate {
        case .ready: []
        case .misconfigured(_, let resolved, _): resolved.problems
        case .waiting(let reason): ["METER_TYPE: \(reason)"]
        case .loading: ["\(identity.name): not all adapter files could be looked at in time"]
        }
    }
}
