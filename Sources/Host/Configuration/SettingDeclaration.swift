/// A setting as it is declared: by the host's table (full name) or by an adapter's descriptor (bare name).
package struct SettingDeclaration: Hashable, Sendable {
    package let name: String
    package let kind: SettingKind
    package let defaultValue: String?
    package let isRequired: Bool
    /// One line for a person.
    package let help: String

    package init(name: String, kind: SettingKind, default: String? = nil, required: Bool = false, help: String) {
        self.name = name
        self.kind = kind
        self.defaultValue = `default`
        self.isRequired = required
        self.help = help
    }
}

/// What a setting is in this run, and where that came from: a line of `smart-meter config`.
package struct EffectiveSetting: Hashable, Sendable {
    /// The variable.
    package let name: String
    /// Masked where it is a secret; empty = unset.
    package let shown: String
    package let source: SettingSource
    /// What is wrong with it, as one line; nil = it is allowed.
    package let problem: String?

    init(_ name: String, value: String?, kind: SettingKind, source: SettingSource, problem: String? = nil) {
        self.name = name
        self.problem = problem
        self.shown = value.map { shownValue($0, kind) } ?? ""
        self.source = source
    }
}

/// Where a value came from.
package enum SettingSource: Hashable, Sendable, CustomStringConvertible {
    case unset
    case defaultValue
    case environment
    case dotEnv(line: Int)
    case file(String)

    package var description: String {
        switch self {
        case .unset: "unset"
        case .defaultValue: "default"
        case .environment: "environment"
        case .dotEnv(let line): ".env:\(line)"
        case .file(let path): "file \(path)"
        }
    }
}

/// A value as people may see it: no secret, no user and password of a URL, not endless.
func shownValue(_ value: String, _ kind: SettingKind) -> String {
    if kind.isSecret { return "***" }
    guard case .url = kind, let at = value.lastIndex(of: "@") else { return String(value.prefix(200)) }
    guard let scheme = value.split(separator: ":", maxSplits: 1).first, value.hasPrefix("\(scheme)://") else {
        return "***"
    }
    return "\(scheme)://***\(value[at...].prefix(200))"
}

/// One line: the variable, its value as people may see it, what is allowed.
func refusal(_ name: String, _ value: String, _ kind: SettingKind, allowed: String? = nil) -> String {
    "\(name)=\(shownValue(value, kind)) is not allowed: it must be \(allowed ?? kind.allowed)"
}
