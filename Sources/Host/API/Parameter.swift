import Readings

/// A parameter of a route as the documents show it.
package struct ParameterDeclaration: Sendable {
    enum Place: String, Sendable {
        case query, path
    }

    let name: String
    let place: Place
    let schema: Schema
    /// Nil where it depends on others; `about` then says how.
    let defaultText: String?
    let about: String
    var isRepeatable = false
}

/// A parameter of a query, declared once: its name, what it may be, what holds without it, and how it is read.
struct Parameter<Value: Sendable>: Sendable {
    let declaration: ParameterDeclaration
    /// What is allowed, as the end of a sentence.
    private let allowed: String
    private let absent: Value
    private let parse: @Sendable (String) -> Value?

    private init(
        _ name: String, _ schema: Schema, absent: Value, shown: String?, allowed: String, _ about: String,
        _ parse: @escaping @Sendable (String) -> Value?
    ) {
        declaration = ParameterDeclaration(name: name, place: .query, schema: schema, defaultText: shown, about: about)
        self.allowed = allowed
        self.absent = absent
        self.parse = parse
    }

    func value(in request: Request) throws(Problem) -> Value {
        guard let text = try request.only(declaration.name) else { return absent }
        guard let value = parse(text) else { throw .badParameter(declaration.name, text, allowed: allowed) }
        return value
    }
}

extension Parameter where Value == Int {
    static func integer(_ name: String, _ range: ClosedRange<Int>, default: Int, _ about: String) -> Self {
        Self(
            name, .integer(range), absent: `default`, shown: "\(`default`)",
            allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)", about
        ) { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Parameter where Value == Instant? {
    static func time(_ name: String, in zone: Zone, _ about: String) -> Self {
        Self(name, .moment, absent: nil, shown: nil, allowed: TimeParameter.grammar, about) {
            TimeParameter.parse($0, in: zone).map(Optional.some)
        }
    }
}

extension Parameter {
    static func word(_ name: String, default: Value, _ about: String) -> Self
    where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
        Self(
            name, .word(Value.allCases.map(\.rawValue)), absent: `default`, shown: `default`.rawValue,
            allowed: oneOf(Value.self), about
        ) { Value(rawValue: $0) }
    }

    static func optionalWord<Word>(_ name: String, _ about: String) -> Self
    where Value == Word?, Word: RawRepresentable<String> & CaseIterable & SendableMetatype {
        Self(
            name, .word(Word.allCases.map(\.rawValue)), absent: nil, shown: nil, allowed: oneOf(Word.self), about
        ) { Word(rawValue: $0).map(Optional.some) }
    }

    private static func oneOf<Word: RawRepresentable<String> & CaseIterable>(_ words: Word.Type) -> String {
        "one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))"
    }
}

extension ParameterDeclaration {
    /// The `{instance}` of a path.
    static let instanceInPath = ParameterDeclaration(
        name: "instance", place: .path, schema: .text, defaultText: nil,
        about: "Name of the instance, such as home_assistant or home_assistant@cabin")
    static let instance = ParameterDeclaration(
        name: "instance", place: .query, schema: .text, defaultText: nil,
        about: "Name of the instance; without it the house")
}
