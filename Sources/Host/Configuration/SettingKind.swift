/// What a setting's value may be. Values are checked and handed on as text; who uses one reads it by its kind.
package enum SettingKind: Hashable, Sendable {
    case text
    case number(ClosedRange<Double>)
    case integer(ClosedRange<Int>)
    /// Handed on as "1" or "0".
    case flag
    /// With one of these schemes.
    case url(schemes: [String])
    /// Never shown; may come from a file (`NAME_FILE`).
    case secret
    /// A path.
    case file
    /// Comma-separated.
    case list
    /// One of these words, whatever their case.
    case choice([String])
    /// Whole seconds that divide 900: slots of every instance fit the 15-minute grid.
    case interval

    /// Any finite number.
    package static let anyNumber = SettingKind.number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
    package static let adapterURL = SettingKind.url(schemes: ["http", "https", "mqtt", "mqtts"])

    package var isSecret: Bool { self == .secret }

    /// The word for it in help and tables.
    package var word: String {
        switch self {
        case .text: "text"
        case .number: "number"
        case .integer: "integer"
        case .flag: "flag"
        case .url: "url"
        case .secret: "secret"
        case .file: "file"
        case .list: "list"
        case .choice: "choice"
        case .interval: "seconds"
        }
    }

    /// The word, or the words of a choice.
    package var wordOrChoices: String {
        guard case .choice(let words) = self, let last = words.last else { return word }
        let others = words.dropLast().joined(separator: ", ")
        return others.isEmpty ? last : "\(others) or \(last)"
    }

    /// What is allowed, as the end of a sentence.
    package var allowed: String {
        switch self {
        case .text, .secret, .file: "text"
        case .list: "a comma-separated list"
        case .flag: "1 or 0 (also true, false, yes, no, on, off)"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        case .interval: "whole seconds that divide 900, such as 60, 300 or 900"
        case .url(let schemes): "a URL that begins with " + schemes.map { "\($0)://" }.joined(separator: " or ")
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range):
            self == .anyNumber
                ? "a number" : "a number from \(shortest(range.lowerBound)) to \(shortest(range.upperBound))"
        }
    }

    /// The value in the form that is handed on; nil where it is not allowed.
    package func accepted(_ value: String) -> String? {
        switch self {
        case .text, .secret, .file, .list: value.utf8.contains(0) ? nil : value
        case .flag: flag(value)
        case .choice(let words): words.first { $0.lowercased() == value.lowercased() }
        case .integer(let range): Int(value).flatMap { range.contains($0) ? String($0) : nil }
        case .interval: Int(value).flatMap { $0 > 0 && 900 % $0 == 0 ? String($0) : nil }
        case .number(let range): decimal(value).flatMap { range.contains($0) ? value : nil }
        case .url(let schemes): isURL(value, schemes) ? value : nil
        }
    }

    private func flag(_ value: String) -> String? {
        switch value.lowercased() {
        case "1", "true", "yes", "on": "1"
        case "0", "false", "no", "off": "0"
        default: nil
        }
    }

    private func isURL(_ value: String, _ schemes: [String]) -> Bool {
        guard value.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return false }
        let lower = value.lowercased()
        return schemes.contains { scheme in
            let prefix = "\(scheme)://"
            guard lower.hasPrefix(prefix), let first = lower.utf8.dropFirst(prefix.utf8.count).first else {
                return false
            }
            return first != UInt8(ascii: "/") && first != UInt8(ascii: ":")
        }
    }
}

/// A finite decimal number. `Double` alone would take "nan", "inf" and hexadecimal too.
func decimal(_ text: String) -> Double? {
    guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text) else { return nil }
    return value.isFinite ? value : nil
}

/// Whole numbers without ".0".
private func shortest(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
}
