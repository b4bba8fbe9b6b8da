import Adapters
import Configuration
import Observability
import Readings

/// `smart-meter adapters`: what was found, what was refused, and what could not be looked at.
enum AdaptersCommand {
    static func run(_ settings: Settings, json: Bool, console: some Console) -> Int32 {
        withCatalog(settings, console) { catalog in
            let rations = RationList(settings, catalog)
            console.print(json ? self.json(catalog, rations) : text(catalog, rations))
            return SmartMeter.ExitStatus.ok
        }
    }

    /// The adapters as a command sees them.
    static func withCatalog(
        _ settings: Settings, _ console: some Console, _ body: (AdapterCatalog) -> Int32
    ) -> Int32 {
        do {
            let log = try Log(level: .warning)
            log.register(secrets: settings.secrets)
            return try CommandAdapters.with(settings, log, body)
        } catch {
            console.complain("smart-meter: \(error)")
            return SmartMeter.ExitStatus.failed
        }
    }

    private static func text(_ catalog: AdapterCatalog, _ rations: RationList) -> String {
        var lines: [String] = []
        for adapter in catalog.adapters {
            let description = adapter.description
            lines.append("\(description.meterType)  \(description.name) \(description.version)")
            lines.append("  \(description.summary)")
            lines.append("  file: \(adapter.path)")
            lines.append("  runs \(adapter.hosting)")
            if description.canLogIn { lines.append("  login: smart-meter login \(description.meterType)") }
            for ration in rations.entries(of: description) {
                lines.append("  requests left to \(ration.instance): \(ration.left) of \(ration.perDay) a day")
            }
            for setting in description.settings {
                let name = "\(description.meterType.uppercased())_\(setting.name.uppercased())"
                var notes = [setting.kind.wordOrChoices]
                if setting.isRequired { notes.append("required") }
                if let value = setting.defaultValue { notes.append("default \(value)") }
                lines.append("  \(name) (\(notes.joined(separator: ", "))): \(setting.help)")
            }
            lines.append("")
        }
        for refusal in catalog.refused { lines.append("refused: \(refusal.path): \(refusal.reason)") }
        for wait in catalog.waiting {
            lines.append(
                "waits for the host: \(wait.path): \(wait.reason) (since \(Timestamp.text(wait.since)); \(wait.advice))"
            )
        }
        if catalog.adapters.isEmpty, catalog.refused.isEmpty, catalog.waiting.isEmpty {
            lines.append("no adapters in \(catalog.directories.joined(separator: ":"))")
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private static func json(_ catalog: AdapterCatalog, _ rations: RationList) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.key("adapters")
        json.beginArray()
        for adapter in catalog.adapters { write(adapter, rations.entries(of: adapter.description), &json) }
        json.endArray()
        json.key("refused")
        json.beginArray()
        for refusal in catalog.refused {
            json.beginObject()
            json.field("file", refusal.path)
            json.field("reason", refusal.reason)
            json.endObject()
        }
        json.endArray()
        json.key("waiting")
        json.beginArray()
        for wait in catalog.waiting {
            json.beginObject()
            json.field("file", wait.path)
            json.field("reason", wait.reason)
            json.field("since", Timestamp.text(wait.since))
            json.field("todo", wait.advice)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func write(_ adapter: LoadedAdapter, _ rations: [RationList.Entry], _ json: inout JSONWriter) {
        let description = adapter.description
        json.beginObject()
        json.field("meter_type", description.meterType)
        json.field("name", description.name)
        json.field("version", description.version)
        json.field("vendor", description.vendor)
        json.field("description", description.summary)
        json.field("file", adapter.path)
        json.field("runs", adapter.hosting)
        json.field("delivery", description.delivery == .pull ? "pull" : "push")
        json.field("login", description.canLogIn)
        json.key("requests")
        json.beginArray()
        for ration in rations {
            json.beginObject()
            json.field("instance", ration.instance)
            json.field("left", ration.left)
            json.field("per_day", ration.perDay)
            json.endObject()
        }
        json.endArray()
        json.key("settings")
        json.beginArray()
        for setting in description.settings {
            json.beginObject()
            json.field("name", "\(description.meterType.uppercased())_\(setting.name.uppercased())")
            json.field("kind", setting.kind.word)
            json.field("required", setting.isRequired)
            json.field("default", setting.defaultValue)
            json.field("help", setting.help)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }
}
