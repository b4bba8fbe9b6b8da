/// Where settings are looked for: the environment, then `.env`, and for a secret the file that `NAME_FILE` names.
package struct SettingLookup: Sendable {
    package let environment: [String: String]
    package let dotEnv: DotEnv
    private let readFile: @Sendable (String) throws(UnreadableFile) -> String

    package init(
        environment: [String: String], dotEnv: DotEnv = DotEnv(""),
        readFile: @escaping @Sendable (String) throws(UnreadableFile) -> String = SettingFile.read
    ) {
        self.environment = environment
        self.dotEnv = dotEnv
        self.readFile = readFile
    }

    /// A value that was found. Empty = unset, so it is never empty.
    package struct Found: Sendable {
        package let value: String
        package let source: SettingSource
    }

    /// A line for a person.
    package struct Problem: Error, Hashable, Sendable {
        package let line: String
    }

    /// The plain variable, with no look at `NAME_FILE`.
    package func plain(_ name: String) -> Found? {
        if let value = environment[name], !value.isEmpty { return Found(value: value, source: .environment) }
        if let entry = dotEnv.entries[name], !entry.value.isEmpty {
            return Found(value: entry.value, source: .dotEnv(line: entry.line))
        }
        return nil
    }

    /// Whether the variable is set, itself or for a secret as `NAME_FILE`.
    package func isSet(_ name: String, isSecret: Bool = false) -> Bool {
        plain(name) != nil || isSecret && plain(name + "_FILE") != nil
    }

    /// The value as written, not yet checked.
    func find(_ name: String, isSecret: Bool) throws(Problem) -> Found? {
        let direct = plain(name)
        guard isSecret, let path = plain(name + "_FILE") else { return direct }
        guard direct == nil else { throw Problem(line: "\(name) and \(name)_FILE are both set: leave one out") }
        var text: String
        do {
            text = try readFile(path.value)
        } catch {
            throw Problem(line: "\(name)_FILE=\(path.value): \(error.reason)")
        }
        while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
        guard !text.isEmpty else { throw Problem(line: "\(name)_FILE=\(path.value): the file is empty") }
        return Found(value: text, source: .file(path.value))
    }
}

/// Why a file of settings could not be read.
package struct UnreadableFile: Error, Sendable {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }
}
