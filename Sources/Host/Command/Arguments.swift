/// What the command line asks for.
enum Verb: Equatable {
    case run
    case adapters(json: Bool)
    case read(type: String?, json: Bool)
    case outbox(OutboxVerb, json: Bool)
    /// Gets an adapter's credentials with the help of a person.
    /// - Parameter isAttended: whether somebody can answer.
    case login(instance: String?, isAttended: Bool)
    /// Asks a meter's own log for a span.
    case backfill(instance: String?, from: String?, to: String?)
    case config(json: Bool)
    /// Writes the project of a new adapter.
    case newAdapter(name: String, language: AuthorLanguage, directory: String?)
    /// The table of settings as the README has it.
    case settingsTable
    /// Whether an adapter keeps the rules of the interface.
    case check(CheckRequest)
    /// The checks that there are; as Markdown, as the documents have them.
    case checkList(isMarkdown: Bool)
    /// Not for people: a child of the host, in which an adapter runs.
    case adapterRunner(parent: Int32)
    /// Not for people: a child of `check`.
    case checkChild(parent: Int32)
    /// Of one command; nil = of all.
    case help(VerbHelp?)
    case version
}

/// What an operator does with what waits to be delivered.
enum OutboxVerb: Equatable {
    /// What waits, since when and why.
    case list
    /// Proves that the store is sound and its books agree.
    case verify
    /// Line protocol of what waits (or of a span), to standard output.
    case export(from: String?, to: String?)
    /// Sends history again: a span, or the rejected lines.
    case replay(from: String?, to: String?)
    /// Gives up what waits.
    case drop(isSure: Bool)
}

/// A command line that makes no sense, in one line for the person who typed it.
struct UsageError: Error, Equatable {
    let message: String
}

enum Arguments {
    /// - Parameter words: without the program's name.
    static func parse(_ words: [String]) throws(UsageError) -> Verb {
        if words.contains("--help") || words.contains("-h") || words.first == "help" { return try help(words) }
        if words.first == "--version" || words.first == "version" { return .version }
        var options = try Options(words)
        let verb = try verb(&options)
        try options.finish()
        return verb
    }

    private static func help(_ words: [String]) throws(UsageError) -> Verb {
        guard let word = words.first(where: { $0 != "help" && !$0.hasPrefix("-") }) else { return .help(nil) }
        guard let help = VerbHelp.all.first(where: { $0.name == word }) else { throw unknown(word) }
        return .help(help)
    }

    private static func unknown(_ word: String) -> UsageError {
        UsageError(message: "unknown command '\(word)'; try smart-meter --help")
    }

    private static func verb(_ options: inout Options) throws(UsageError) -> Verb {
        switch options.word() ?? "run" {
        case "run": return .run
        case "adapters": return .adapters(json: options.flag("--json"))
        case "read": return .read(type: options.word(), json: options.flag("--json"))
        case "login": return .login(instance: options.word(), isAttended: !options.flag(LoginCommand.unattended))
        case "outbox": return .outbox(try outboxVerb(&options), json: options.flag("--json"))
        case "adapter-runner": return .adapterRunner(parent: try parent(&options))
        case "adapter-check": return .checkChild(parent: try parent(&options))
        case "check": return try check(&options)
        case "backfill":
            return .backfill(
                instance: options.word(), from: try options.value("--from"), to: try options.value("--to"))
        case "new-adapter": return try newAdapter(&options)
        case "config": return options.flag("--table") ? .settingsTable : .config(json: options.flag("--json"))
        case let word: throw unknown(word)
        }
    }

    private static func newAdapter(_ options: inout Options) throws(UsageError) -> Verb {
        let languages = AuthorLanguage.allCases.map(\.rawValue).joined(separator: ", ")
        guard let name = options.word() else {
            throw UsageError(message: "new-adapter wants a name, such as new-adapter my_meter --language c")
        }
        guard let word = try options.value("--language"), let language = AuthorLanguage(rawValue: word) else {
            throw UsageError(message: "new-adapter wants --language, one of \(languages)")
        }
        return .newAdapter(name: name, language: language, directory: try options.value("--directory"))
    }

    /// The host's process, and a name that is only for lists of processes.
    private static func parent(_ options: inout Options) throws(UsageError) -> Int32 {
        guard let parent = options.word().flatMap({ Int32($0) }), parent > 0, options.word() != nil else {
            throw UsageError(message: "that command is not for people: smart-meter starts it")
        }
        return parent
    }

    private static func check(_ options: inout Options) throws(UsageError) -> Verb {
        if options.flag("--list") { return .checkList(isMarkdown: false) }
        if options.flag("--table") { return .checkList(isMarkdown: true) }
        var request = CheckRequest()
        guard let file = options.word() else {
            throw UsageError(message: "check wants a file: smart-meter check FILE.so, or check --list")
        }
        request.file = file
        request.isJSON = options.flag("--json")
        request.meterType = try options.value("--type")
        request.only = try options.values("--only").flatMap { $0.split(separator: ",").map(String.init) }
        request.settings = try options.values("--setting")
        request.seed = try options.number("--seed", in: 0...UInt64.max)
        if let wait = try options.number("--wait", in: 0...600) { request.wait = Int64(wait) }
        if let jobs = try options.number("--jobs", in: 1...64) { request.jobs = Int(jobs) }
        return .check(request)
    }

    private static func outboxVerb(_ options: inout Options) throws(UsageError) -> OutboxVerb {
        switch options.word() ?? "ls" {
        case "ls", "list": return .list
        case "verify": return .verify
        case "export": return .export(from: try options.value("--from"), to: try options.value("--to"))
        case "replay": return .replay(from: try options.value("--from"), to: try options.value("--to"))
        case "drop": return .drop(isSure: options.flag("--yes"))
        case let word:
            throw UsageError(message: "unknown command 'outbox \(word)'; there are ls, verify, export, replay and drop")
        }
    }
}

/// Words and options, taken one by one; what is left over at the end was not understood.
private struct Options {
    private var words: [String] = []
    /// Each as often as it was given.
    private var options: [String: [String?]] = [:]
    /// Options whose value may be the next word.
    private static let valued = [
        "--from", "--to", "--only", "--setting", "--seed", "--wait", "--type", "--jobs",
        "--language", "--directory",
    ]

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-") else {
                words.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 {
                options[parts[0], default: []].append(parts[1])
            } else if Self.valued.contains(word), let next = rest.popFirst() {
                options[word, default: []].append(next)
            } else {
                options[word, default: []].append(nil)
            }
        }
        words.reverse()
    }

    mutating func word() -> String? { words.popLast() }

    mutating func flag(_ name: String) -> Bool { options.removeValue(forKey: name) != nil }

    mutating func value(_ name: String) throws(UsageError) -> String? {
        try values(name).last
    }

    /// Every value of an option that may be given more than once.
    mutating func values(_ name: String) throws(UsageError) -> [String] {
        var values: [String] = []
        for value in options.removeValue(forKey: name) ?? [] {
            guard let value, !value.isEmpty else {
                throw UsageError(message: "\(name) wants a value, such as \(name)=...")
            }
            values.append(value)
        }
        return values
    }

    mutating func number(_ name: String, in range: ClosedRange<UInt64>) throws(UsageError) -> UInt64? {
        guard let text = try value(name) else { return nil }
        guard let number = UInt64(text), range.contains(number) else {
            throw UsageError(
                message: "\(name)=\(text) is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func finish() throws(UsageError) {
        if let word = words.last { throw UsageError(message: "unexpected word '\(word)'; try smart-meter --help") }
        if let option = options.keys.sorted().first {
            throw UsageError(message: "unknown option '\(option)'; try smart-meter --help")
        }
    }
}
