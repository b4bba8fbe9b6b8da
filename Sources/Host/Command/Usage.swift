import Configuration

/// What `--help` prints.
enum Usage {
    static var text: String {
        """
        smart-meter - turns energy meters into clean, complete data

        usage: smart-meter [command]

        commands (smart-meter COMMAND --help says more of one):
        \(commands)

        T is \(TimeText.forms).

        settings (environment, or .env in the working directory; NAME_FILE for secrets):

        \(SettingTables.help())
        """
    }

    private static var commands: String {
        let forms = VerbHelp.all.flatMap(\.forms) + [VerbHelp.Term("--version, --help", "")]
        return lines(forms, width: 26)
    }

    /// Two columns; what is too long for the first has a line of its own.
    static func lines(_ terms: [VerbHelp.Term], width: Int) -> String {
        terms.map { term in
            let gap = width - term.name.count
            guard !term.text.isEmpty else { return "  \(term.name)" }
            guard gap <= 0 else { return "  \(term.name)\(String(repeating: " ", count: gap + 1))\(term.text)" }
            return "  \(term.name)\n\(String(repeating: " ", count: width + 3))\(term.text)"
        }.joined(separator: "\n")
    }
}

/// What a person reads about one command: a part of the list of all, and a page of its own.
struct VerbHelp: Hashable, Sendable {
    /// A word, and what it means.
    struct Term: Hashable, Sendable {
        let name: String
        let text: String

        init(_ name: String, _ text: String) {
            self.name = name
            self.text = text
        }
    }

    let name: String
    /// How it is called, and what that does.
    let forms: [Term]
    /// What else is good to know.
    var text = ""
    var options: [Term] = []
    /// Exit statuses beside 0, and 64 for a command line that makes no sense.
    var statuses: [Term] = []

    var page: String {
        var parts = ["usage:\n" + Usage.lines(forms.map { Term("smart-meter \($0.name)", $0.text) }, width: 38)]
        if !text.isEmpty { parts.append(text) }
        if !options.isEmpty { parts.append("options:\n" + Usage.lines(options, width: 22)) }
        let all = [Term("0", "it went well")] + statuses + [Term("64", "the command line makes no sense")]
        let sorted = all.sorted { Int($0.name) ?? 0 < Int($1.name) ?? 0 }
        parts.append("exit status:\n" + Usage.lines(sorted, width: 4))
        return parts.joined(separator: "\n\n")
    }
}
