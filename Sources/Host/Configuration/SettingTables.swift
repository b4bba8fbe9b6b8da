/// The settings as people read them: `--help`, the README's table, and `smart-meter config`.
package enum SettingTables {
    package static func help() -> String {
        grouped { section, settings in
            let width = settings.map(\.declaration.name.count).max() ?? 0
            let lines = settings.map { setting in
                let declaration = setting.declaration
                let suffix = declaration.defaultValue.map { " [\($0)]" } ?? ""
                return "  \(padded(declaration.name, width))  \(declaration.help)\(suffix)"
            }
            return "\(section.rawValue):\n" + lines.joined(separator: "\n") + "\n"
        }
    }

    package static func markdown() -> String {
        let waiting = HostSetting.all.filter { !$0.reloads }.map { "`\($0.declaration.name)`" }
        return tables() + "\nA change of these waits for a restart, SIGHUP takes all others over: "
            + waiting.joined(separator: ", ") + ".\n"
    }

    private static func tables() -> String {
        grouped { section, settings in
            let rows = settings.map { setting in
                let declaration = setting.declaration
                let shown = declaration.defaultValue.map { "`\($0)`" } ?? ""
                return "| `\(declaration.name)` | \(shown) | \(cell(declaration.help)) | \(cell(setting.allowed)) |"
            }
            return
                "### \(section.rawValue)\n\n| variable | default | what it does | allowed |\n| --- | --- | --- | --- |\n"
                + rows.joined(separator: "\n") + "\n"
        }
    }

    /// `NAME=value  source`, aligned; what is wrong is marked.
    package static func effective(_ settings: [EffectiveSetting]) -> String {
        let texts = settings.map { "\($0.name)=\($0.shown)" }
        let width = texts.map(\.count).max() ?? 0
        return zip(texts, settings).map {
            "\(padded($0, width))  \($1.source)\($1.problem == nil ? "" : "  (wrong)")\n"
        }.joined()
    }

    private static func grouped(_ text: (HostSetting.Section, [HostSetting]) -> String) -> String {
        HostSetting.Section.allCases
            .map { section in text(section, HostSetting.all.filter { $0.section == section }) }
            .joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// A bar would end the cell.
    private static func cell(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
