package import Readings

/// The settings of one instance of an adapter.
package struct ResolvedAdapterSettings: Sendable {
    /// By bare name, in the form that the adapter gets them; defaults included.
    package fileprivate(set) var values: [String: String] = [:]
    /// Every secret's value, for masking.
    package fileprivate(set) var secrets: [String] = []
    /// One line each. With any, the instance is misconfigured and never created.
    package fileprivate(set) var problems: [String] = []
    /// Variables of the required settings that have no value; `problems` names them too.
    package fileprivate(set) var missing: [String] = []
    package fileprivate(set) var effective: [EffectiveSetting] = []
    /// The host's own settings of every type; nil = what adapter and host say otherwise.
    package fileprivate(set) var sampleSeconds: Double?
    package fileprivate(set) var intervalSeconds: Int?
    package fileprivate(set) var requestsPerDay: Int?
}

/// Finds an instance's settings: `<TYPE>_<NAME>`, and for a label `<TYPE>__<LABEL>__<NAME>` before it. What two
/// instances of one type share is thus written once.
package struct AdapterSettingResolver: Sendable {
    private let lookup: SettingLookup
    private let identity: InstanceIdentity

    package init(identity: InstanceIdentity, lookup: SettingLookup) {
        self.identity = identity
        self.lookup = lookup
    }

    /// The host's own settings of every type.
    static let hostDeclarations = [
        SettingDeclaration(
            name: "sample_seconds", kind: .number(0.1...86_400),
            help: "Seconds between two samples; default: what the adapter says"),
        SettingDeclaration(
            name: "interval_seconds", kind: .interval,
            help: "Seconds of one stored slot; default: FETCH_INTERVAL_SECONDS"),
        SettingDeclaration(
            name: "requests_per_day", kind: .integer(1...10_000_000),
            help: "Most requests a day; default: what the adapter says"),
    ]

    /// The variable of a bare name, for the type or for the label.
    package static func variable(_ name: String, of identity: InstanceIdentity) -> String {
        let type = identity.meterType.uppercased()
        return identity.label.isEmpty
            ? "\(type)_\(name.uppercased())" : "\(type)__\(variablePart(identity.label))__\(name.uppercased())"
    }

    /// Labels may have hyphens, variables may not.
    private static func variablePart(_ label: String) -> String {
        String(label.uppercased().map { $0 == "-" ? "_" : $0 })
    }

    package func resolve(_ declarations: [SettingDeclaration]) -> ResolvedAdapterSettings {
        var resolved = ResolvedAdapterSettings()
        for declaration in declarations {
            guard let value = value(of: declaration, &resolved) else { continue }
            resolved.values[declaration.name] = value
            if declaration.kind.isSecret { resolved.secrets.append(value) }
        }
        // An adapter that declares one of these names itself gets the value as well.
        for declaration in Self.hostDeclarations {
            guard let value = value(of: declaration, &resolved) else { continue }
            switch declaration.name {
            case "sample_seconds": resolved.sampleSeconds = Double(value)
            case "interval_seconds": resolved.intervalSeconds = Int(value)
            default: resolved.requestsPerDay = Int(value)
            }
        }
        return resolved
    }

    /// The interface knows URLs, and not their schemes: an adapter's own default says more than all that are possible.
    private static func allowed(_ declaration: SettingDeclaration) -> String? {
        guard case .url = declaration.kind, let value = declaration.defaultValue else { return nil }
        return "a URL such as \(value)"
    }

    private func value(of declaration: SettingDeclaration, _ resolved: inout ResolvedAdapterSettings) -> String? {
        let isSecret = declaration.kind.isSecret
        let own = Self.variable(declaration.name, of: identity)
        let shared = Self.variable(declaration.name, of: InstanceIdentity(meterType: identity.meterType))
        var name = own
        if own != shared, !lookup.isSet(own, isSecret: isSecret), lookup.isSet(shared, isSecret: isSecret) {
            name = shared
        }
        do {
            if let found = try lookup.find(name, isSecret: isSecret) {
                guard let value = declaration.kind.accepted(found.value) else {
                    let problem = refusal(name, found.value, declaration.kind, allowed: Self.allowed(declaration))
                    resolved.problems.append(problem)
                    resolved.effective.append(
                        .init(
                            name, value: found.value, kind: declaration.kind, source: found.source, problem: problem))
                    return nil
                }
                resolved.effective.append(.init(name, value: value, kind: declaration.kind, source: found.source))
                return value
            }
        } catch {
            resolved.problems.append(error.line)
            resolved.effective.append(
                .init(name, value: nil, kind: declaration.kind, source: .unset, problem: error.line))
            return nil
        }
        let value = declaration.defaultValue
        var problem: String?
        if value == nil, declaration.isRequired {
            let line = "\(own) is not set: \(declaration.help)"
            resolved.missing.append(own)
            resolved.problems.append(line)
            problem = line
        }
        resolved.effective.append(
            .init(
                own, value: value, kind: declaration.kind, source: value == nil ? .unset : .defaultValue,
                problem: problem))
        return value
    }
}
