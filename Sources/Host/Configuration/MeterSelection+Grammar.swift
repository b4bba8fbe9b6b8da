package import Readings

extension MeterSelection {
    static let grammar =
        "a list of all, type or type@label, none twice; a type is lower-case letters, digits and _, "
        + "a label letters, digits, _ and -"

    static let store: HostSetting.Store = { settings, value in
        var selections: [MeterSelection] = []
        for element in HostSetting.elements(value) {
            guard let selection = parse(element), !selections.contains(selection) else { return false }
            selections.append(selection)
        }
        // Two labels that differ in case or in - and _ would share their variables.
        let names = selections.map(\.variableStem)
        guard !selections.isEmpty, Set(names).count == names.count else { return false }
        settings.meterTypes = selections
        return true
    }

    /// The instance of that name, `type` or `type@label`; nil where it is none.
    package static func instance(named name: String) -> InstanceIdentity? {
        if case .instance(let identity) = parse(name) { identity } else { nil }
    }

    static let storePrimary: HostSetting.Store = { settings, value in
        guard let identity = instance(named: value) else { return false }
        settings.primaryMeter = identity
        return true
    }

    private static func parse(_ element: String) -> MeterSelection? {
        if element == "all" { return .all }
        let parts = element.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        guard let type = parts.first, parts.count <= 2, isMeterType(type) else { return nil }
        guard parts.count == 2 else { return .instance(InstanceIdentity(meterType: type)) }
        guard isLabel(parts[1]) else { return nil }
        return .instance(InstanceIdentity(meterType: type, label: parts[1]))
    }

    private var variableStem: String {
        switch self {
        case .all: ""
        case .instance(let identity): AdapterSettingResolver.variable("", of: identity)
        }
    }

    static func isMeterType(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
    }

    private static func isLabel(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "_-".utf8.contains($0)
            }
    }
}

/// Whether an adapter's type may be used beside the others, whose variables its own must not be mistaken for.
package enum MeterTypeRule {
    /// Why not, as one line; nil where it may.
    package static func objection(to type: String, known: some Sequence<String>) -> String? {
        guard MeterSelection.isMeterType(type), type != "all" else {
            return "\(type) is not a meter type: lower-case letters, digits and _, beginning with a letter, not all"
        }
        let prefix = "\(type.uppercased())_"
        if let setting = HostSetting.all.first(where: { $0.declaration.name.hasPrefix(prefix) }) {
            return "\(type): its variables would begin like the host's \(setting.declaration.name)"
        }
        for other in known where other != type {
            if other.hasPrefix("\(type)_") || type.hasPrefix("\(other)_") {
                return "\(type): its variables could be mistaken for those of \(other)"
            }
        }
        return nil
    }
}
