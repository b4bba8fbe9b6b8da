/// One of the host's own settings: declared once in `all`, from which parsing, `config`, `--help` and the README's
/// table are made.
package struct HostSetting: Sendable {
    package let declaration: SettingDeclaration
    package let section: Section
    /// Puts an accepted value into its field; false where it breaks a rule that its kind does not know.
    let store: @Sendable (inout HostSettings, String) -> Bool
    /// What is allowed, where the kind does not say it all.
    private let grammar: String?
    /// A variable of the system that is used where the setting is not set.
    private let inheritsFrom: String?
    /// Whether SIGHUP takes a change over; else it waits for a restart.
    let reloads: Bool

    package enum Section: String, CaseIterable, Sendable {
        case meters = "Meters"
        case service = "Service"
        case storage = "Storage"
        case delivery = "InfluxDB"
        case tariff = "Tariff"
        case alerts = "Alerts"
        case process = "Log and time"
    }

    init(
        _ section: Section, _ name: String, _ kind: SettingKind, default: String? = nil, inheritsFrom: String? = nil,
        _ help: String, grammar: String? = nil, reloads: Bool = false,
        store: @escaping @Sendable (inout HostSettings, String) -> Bool
    ) {
        declaration = SettingDeclaration(name: name, kind: kind, default: `default`, help: help)
        self.section = section
        self.inheritsFrom = inheritsFrom
        self.grammar = grammar
        self.reloads = reloads
        self.store = store
    }

    package var allowed: String { grammar ?? declaration.kind.allowed }

    /// systemd gives STATE_DIRECTORY as a colon-separated list; the first is the unit's own.
    func inherited(_ lookup: SettingLookup) -> SettingLookup.Found? {
        guard let inheritsFrom, let found = lookup.plain(inheritsFrom),
            let first = found.value.split(separator: ":").first
        else { return nil }
        return SettingLookup.Found(value: String(first), source: found.source)
    }
}

// Ways to fill a field, one for each type.
extension HostSetting {
    typealias Store = @Sendable (inout HostSettings, String) -> Bool
    typealias Field<Value> = any WritableKeyPath<HostSettings, Value> & Sendable

    static func text(_ field: Field<String>) -> Store {
        { settings, value in
            settings[keyPath: field] = value
            return true
        }
    }

    static func text(_ field: Field<String?>) -> Store {
        { settings, value in
            settings[keyPath: field] = value
            return true
        }
    }

    static func number(_ field: Field<Double>) -> Store {
        { settings, value in parsed(Double(value), field, &settings) }
    }

    static func optionalNumber(_ field: Field<Double?>) -> Store {
        { settings, value in parsed(Double(value).map(Optional.some), field, &settings) }
    }

    static func integer<Number: FixedWidthInteger & SendableMetatype>(_ field: Field<Number>) -> Store {
        { settings, value in parsed(Number(value), field, &settings) }
    }

    static func word<Word: RawRepresentable<String> & SendableMetatype>(_ field: Field<Word>) -> Store {
        { settings, value in parsed(Word(rawValue: value), field, &settings) }
    }

    static func flag(_ field: Field<Bool>) -> Store {
        { settings, value in
            settings[keyPath: field] = value == "1"
            return true
        }
    }

    static func list(_ field: Field<[String]>, separator: Character = ",") -> Store {
        { settings, value in
            settings[keyPath: field] = elements(value, separator)
            return true
        }
    }

    /// Without the empty ones and the spaces around them.
    static func elements(_ value: String, _ separator: Character = ",") -> [String] {
        value.split(separator: separator).map(trimmed).filter { !$0.isEmpty }
    }

    static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }

    static func parsed<Value>(_ value: Value?, _ field: Field<Value>, _ settings: inout HostSettings) -> Bool {
        guard let value else { return false }
        settings[keyPath: field] = value
        return true
    }
}
