import AdapterKit

/// What a number is made of: paths with units, added up: `phases[0].power + phases[1].power`, `-meter.kw kW`.
struct Formula: Sendable {
    /// The quantity that is wanted; its units, the first of them where none is written, and their factors.
    enum Quantity: Sendable {
        case powerW
        case energyKWh
        case voltageV
        case frequencyHz

        var units: [(name: String, factor: Double)] {
            switch self {
            case .powerW: [("W", 1), ("kW", 1000), ("MW", 1e6), ("mW", 0.001)]
            case .energyKWh:
                [("kWh", 1), ("Wh", 0.001), ("MWh", 1000), ("Ws", 1 / 3.6e6), ("J", 1 / 3.6e6), ("MJ", 1 / 3.6)]
            case .voltageV: [("V", 1), ("mV", 0.001)]
            case .frequencyHz: [("Hz", 1), ("mHz", 0.001)]
            }
        }
    }

    private struct Term: Sendable {
        var path: ValuePath
        var factor: Double
    }

    private let terms: [Term]

    /// Terms are separated by + or - with a space before and behind.
    init(_ text: some StringProtocol, _ quantity: Quantity) throws(ValuePath.Fault) {
        var terms: [Term] = []
        var sign = 1.0
        var words: [Substring] = []
        for word in Split.words(String(text)) {
            if word == "+" || word == "-" {
                if !words.isEmpty { terms.append(try Self.term(words, sign, quantity)) }
                guard !words.isEmpty || terms.isEmpty && word == "-" else {
                    throw ValuePath.Fault(reason: "has a \(word) with nothing before it")
                }
                sign = word == "-" ? -1 : 1
                words = []
            } else {
                words.append(word)
            }
        }
        guard !words.isEmpty else { throw ValuePath.Fault(reason: "ends where a path is missing") }
        terms.append(try Self.term(words, sign, quantity))
        self.terms = terms
    }

    private static func term(
        _ words: [Substring], _ sign: Double, _ quantity: Quantity
    ) throws(ValuePath.Fault) -> Term {
        guard let first = words.first, words.count <= 2 else {
            throw ValuePath.Fault(reason: "has more than a path and a unit between its signs")
        }
        var factor = sign
        let units = quantity.units
        if words.count == 2 {
            guard let unit = units.first(where: { $0.name == words[1] }) else {
                throw ValuePath.Fault(
                    reason: "has the unit '\(words[1])'; there are \(units.map(\.name).joined(separator: ", "))")
            }
            factor *= unit.factor
        }
        let isNegative = first.first == "-"
        return Term(
            path: try ValuePath(String(isNegative ? first.dropFirst() : first)), factor: isNegative ? -factor : factor)
    }

    /// Nil where one of its values is not there: a sum without a part would be another number.
    /// - Parameter missing: told of the path, and what is wrong with it.
    func value(in json: JSON, missing: (String) -> Void) -> Double? {
        var sum = 0.0
        for term in terms {
            guard let values = term.path.values(in: json), !values.isEmpty else {
                missing("\(term.path.text) is not in the answer")
                return nil
            }
            for value in values {
                guard let number = Self.number(value) else {
                    if !value.isNull { missing("\(term.path.text) is not a number") }
                    return nil
                }
                sum += number * term.factor
            }
        }
        guard sum.isFinite else {
            missing("\(terms[0].path.text) is too large")
            return nil
        }
        return sum
    }

    /// Also one that stands in quotes.
    static func number(_ value: JSON) -> Double? {
        value.number ?? value.text.flatMap { JSON.parse(Array($0.utf8))?.number }
    }
}

/// Takes a setting apart, brackets and quotes left whole.
enum Split {
    static func words(_ text: String) -> [Substring] { parts(text) { $0.isWhitespace } }

    static func parts(_ text: some StringProtocol, at separator: Character) -> [String] {
        parts(String(text)) { $0 == separator }.map { part in
            var part = part
            while part.first?.isWhitespace == true { part.removeFirst() }
            while part.last?.isWhitespace == true { part.removeLast() }
            return String(part)
        }.filter { !$0.isEmpty }
    }

    private static func parts(_ text: String, _ isSeparator: (Character) -> Bool) -> [Substring] {
        var isInside = false
        var isQuoted = false
        return text.split { character in
            if character == "\"" { isQuoted.toggle() }
            if !isQuoted, character == "[" { isInside = true }
            if !isQuoted, character == "]" { isInside = false }
            return !isInside && !isQuoted && isSeparator(character)
        }
    }
}
