import Adapters
import Observability
import Readings

/// What a run of checks says, to people and to programs.
struct CheckReport {
    let file: String
    let seed: UInt64
    var adapter: AdapterDescription?
    /// Types of the library's other adapters.
    var others: [String] = []
    /// Why the host would not use the library.
    var refusal: String?
    /// What is not to be printed.
    var secrets: [String] = []
    var results: [CheckResult] = []

    init(file: String, seed: UInt64) {
        self.file = file
        self.seed = seed
    }

    /// No failure and no crash; a check that says nothing is no failure.
    var isGood: Bool { count(.failed) == 0 && count(.crashed) == 0 }

    private func count(_ outcome: CheckResult.Outcome) -> Int { results.count { $0.outcome == outcome } }

    // MARK: For people

    var head: String {
        var lines = ["checking \(file)"]
        if let adapter { lines.append("\(adapter.meterType)  \(adapter.name) \(adapter.version)") }
        if let refusal { lines.append("the host does not use it: \(refusal)") }
        if !others.isEmpty { lines.append("it also has \(others.joined(separator: ", ")): check each with --type") }
        return hidden(lines.joined(separator: "\n"))
    }

    func text(of result: CheckResult) -> String {
        let word = result.outcome == .passed ? "ok" : result.outcome.rawValue
        let name = result.check.name
        var line = Self.padded(word, 8) + Self.padded(name, 24)
        switch result.outcome {
        case .passed: line += result.check.meaning
        case .skipped: line += result.seen
        case .failed, .crashed, .warning:
            line += result.check.meaning + "\n            seen: " + result.seen
            if !result.expected.isEmpty { line += "\n        expected: " + result.expected }
            if !result.advice.isEmpty { line += "\n          advice: " + result.advice }
        }
        return hidden(line)
    }

    var summary: String {
        let words = [CheckResult.Outcome.passed, .failed, .crashed, .warning, .skipped].map { outcome in
            "\(count(outcome)) \(outcome == .warning ? "warnings" : outcome.rawValue)"
        }
        return "\(results.count) checks: \(words.joined(separator: ", ")); seed \(seed)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private func hidden(_ text: String) -> String { Redaction.of(text, secrets) }

    // MARK: For programs

    var json: String {
        var json = JSONWriter()
        json.beginObject()
        json.field("file", file)
        json.field("meter_type", adapter?.meterType)
        json.field("version", adapter?.version)
        json.field("refusal", refusal.map(hidden))
        json.field("seed", seed)
        json.field("good", isGood)
        for outcome in [CheckResult.Outcome.passed, .failed, .crashed, .warning, .skipped] {
            json.field(outcome.rawValue, count(outcome))
        }
        json.key("checks")
        json.beginArray()
        for result in results {
            json.beginObject()
            json.field("name", result.check.name)
            json.field("group", result.check.group.rawValue)
            json.field("meaning", result.check.meaning)
            json.field("result", result.outcome.rawValue)
            json.field("seen", hidden(result.seen))
            json.field("expected", hidden(result.expected))
            json.field("advice", result.advice)
            json.field("seconds", (result.seconds * 1000).rounded() / 1000)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
