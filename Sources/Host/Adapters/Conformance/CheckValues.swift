import Configuration

/// The settings that an adapter is checked with.
extension AdapterDescription {
    /// Required settings without a value.
    func missing(in given: [String: String]) -> [String] {
        settings.filter { $0.isRequired && $0.defaultValue == nil && given[$0.name] == nil }.map(\.name)
    }

    /// Those that were given, and values for everything else that is required.
    func values(_ given: [String: String], fillsSecrets: Bool = false) -> [String: String] {
        var values: [String: String] = [:]
        for setting in settings {
            let isWanted = setting.isRequired || (fillsSecrets && setting.kind.isSecret)
            values[setting.name] = given[setting.name] ?? setting.defaultValue ?? (isWanted ? setting.standIn : nil)
        }
        return values
    }
}

extension SettingDeclaration {
    fileprivate var standIn: String {
        switch kind {
        // Of TEST-NET-1: nobody's.
        case .url(let schemes): "\(schemes.first ?? "http")://192.0.2.1:9"
        case .secret: "checked-secret-\(name)-5d41402abc4b"
        case .number, .integer, .flag, .interval: "1"
        case .file: "/dev/null"
        case .choice(let words): words.first ?? ""
        case .text, .list: "checked"
        }
    }
}
