import Readings

/// The names in `.env` that are no setting: of the host, or of any adapter that was found.
package struct StrayNames {
    package struct Note: Hashable, Sendable {
        /// For a person.
        package let text: String
        /// It looks as if a setting was meant. A file that is shared with other programs has names of theirs.
        package let isLikelyMeant: Bool
    }

    private let adapters: [String: [SettingDeclaration]]
    /// Types of `METER_TYPE`, found or not.
    private let wanted: Set<String>
    /// Full names, for people who misspelt one.
    private let known: Set<String>

    /// - Parameter adapters: what those that were found declare, by type.
    package init(adapters: [String: [SettingDeclaration]], wanted: [MeterSelection]) {
        self.adapters = adapters.mapValues { $0 + AdapterSettingResolver.hostDeclarations }
        self.wanted = Set(
            wanted.compactMap { if case .instance(let identity) = $0 { identity.meterType } else { nil } })
        var known = Self.names(HostSetting.all.map(\.declaration), after: "")
        for (type, declarations) in self.adapters {
            known.formUnion(Self.names(declarations, after: "\(type.uppercased())_"))
        }
        self.known = known
    }

    /// In the order of their lines.
    package func notes(on dotEnv: DotEnv) -> [Note] {
        dotEnv.entries.sorted { $0.value.line < $1.value.line }.compactMap { name, entry in
            note(name).map { Note(text: ".env:\(entry.line): \($0.text)", isLikelyMeant: $0.isLikelyMeant) }
        }
    }

    private func note(_ name: String) -> Note? {
        guard !known.contains(name) else { return nil }
        let upper = name.uppercased()
        for (type, declarations) in adapters where upper.hasPrefix("\(type.uppercased())_") {
            let prefix = Self.prefix(of: upper, type: type.uppercased())
            let own = Self.names(declarations, after: prefix)
            return own.contains(name) ? nil : stray(name, nearest: NearestName.of(upper, in: own), isLikelyMeant: true)
        }
        // What an adapter that is not there would declare is not known.
        guard !wanted.contains(where: { upper.hasPrefix("\($0.uppercased())_") }) else { return nil }
        let nearest = NearestName.of(upper, in: known)
        return stray(name, nearest: nearest, isLikelyMeant: nearest != nil)
    }

    private func stray(_ name: String, nearest: String?, isLikelyMeant: Bool) -> Note {
        Note(text: "\(name) is no setting\(NearestName.hint(nearest))", isLikelyMeant: isLikelyMeant)
    }

    /// What comes before the setting's own name: the type, and the label if there is one.
    private static func prefix(of name: String, type: String) -> String {
        guard name.hasPrefix("\(type)__") else { return "\(type)_" }
        let label = name.dropFirst(type.utf8.count + 2)
        var end = label.startIndex
        while end < label.endIndex, !label[end...].hasPrefix("__") { end = label.index(after: end) }
        return end < label.endIndex ? "\(type)__\(label[..<end])__" : "\(type)_"
    }

    private static func names(_ declarations: [SettingDeclaration], after prefix: String) -> Set<String> {
        var names: Set<String> = []
        for declaration in declarations {
            let name = prefix + declaration.name.uppercased()
            names.insert(name)
            if declaration.kind.isSecret { names.insert("\(name)_FILE") }
        }
        return names
    }
}

/// The name that somebody may have meant.
package enum NearestName {
    /// Nil where none is near.
    package static func of(_ name: String, in known: some Sequence<String>) -> String? {
        let near = known.map { (name: $0, distance: distance(name, $0)) }
            .filter { $0.distance <= 2 && $0.distance * 3 <= name.utf8.count }
        return near.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// What is said of it behind the name that was given.
    package static func hint(_ nearest: String?) -> String { nearest.map { " (\($0)?)" } ?? "" }

    /// Letters to be changed, left out, added, or swapped with the next; 3 = that many at least.
    static func distance(_ first: String, _ second: String) -> Int {
        let (a, b) = (Array(first.utf8), Array(second.utf8))
        guard abs(a.count - b.count) <= 2 else { return 3 }
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            before = last
            last = row
        }
        return min(3, last[b.count])
    }
}
