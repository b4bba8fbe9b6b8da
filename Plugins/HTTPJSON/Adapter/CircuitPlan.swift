import AdapterKit

/// A circuit that a setting names: `heat_pump:Heat pump (heating) = loads[0].watts; loads[0].energy Wh`.
struct CircuitPlan: Sendable {
    private let id: String
    private let name: String
    private let kind: Circuit.Kind
    private let power: Formula
    private let energy: Formula?

    private static let kinds: [(word: String, kind: Circuit.Kind)] = [
        ("load", .load), ("ev", .ev), ("heating", .heating), ("grid", .grid), ("solar", .solar),
        ("battery", .battery), ("total", .total), ("other", .other),
    ]

    init(_ text: String) throws(ValuePath.Fault) {
        guard let equals = text.firstIndex(of: "=") else {
            throw ValuePath.Fault(reason: "has no = between its name and its path")
        }
        (id, name, kind) = try Self.label(text[..<equals])
        let formulas = Split.parts(text[text.index(after: equals)...], at: ";")
        guard let power = formulas.first, formulas.count <= 2 else {
            throw ValuePath.Fault(reason: "wants a power, and behind a ; an energy if there is one")
        }
        self.power = try Formula(power, .powerW)
        energy = formulas.count == 2 ? try Formula(formulas[1], .energyKWh) : nil
    }

    /// `id:Name (kind)`; only the name has to be there.
    private static func label(
        _ text: Substring
    ) throws(ValuePath.Fault) -> (id: String, name: String, kind: Circuit.Kind) {
        var name = Split.parts(text, at: " ").joined(separator: " ")
        var kind: Circuit.Kind?
        if name.hasSuffix(")"), let opening = name.lastIndex(of: "(") {
            let word = name[name.index(after: opening)...].dropLast()
            guard let found = kinds.first(where: { $0.word == word }) else {
                throw ValuePath.Fault(
                    reason: "has the kind '\(word)'; there are \(kinds.map(\.word).joined(separator: ", "))")
            }
            kind = found.kind
            name = Split.parts(name[..<opening], at: " ").joined(separator: " ")
        }
        var id = name
        if let colon = name.firstIndex(of: ":") {
            id = String(name[..<colon])
            name = Split.parts(name[name.index(after: colon)...], at: " ").joined(separator: " ")
        }
        guard !id.isEmpty, !name.isEmpty, id.utf8.count <= 255, name.utf8.count <= 255 else {
            throw ValuePath.Fault(reason: "has no name, or one that is longer than 255 bytes")
        }
        return (id, name, kind ?? Circuit.Kind(guessedFrom: name))
    }

    func circuit(in json: JSON, missing: (String) -> Void) -> Circuit {
        var circuit = Circuit(id: id, name: name, kind: kind)
        circuit.powerW = power.value(in: json, missing: missing)
        circuit.totalEnergyKWh = energy?.value(in: json, missing: missing)
        return circuit
    }

    /// What tells it from others.
    var identity: String { id }
}

/// Circuits that are the elements of a list of the answer; the paths begin at an element.
struct CircuitList: Sendable {
    let list: ValuePath
    let id: ValuePath
    let name: ValuePath?
    let power: Formula?
    let energy: Formula?

    /// More are no circuits of a house.
    static let most = 500

    func circuits(in json: JSON, missing: (String) -> Void) -> [Circuit] {
        guard let found = list.values(in: json), let elements = found.first?.list ?? found.first?.elements else {
            missing("\(list.text) is not in the answer, or no list")
            return []
        }
        var ids: Set<String> = []
        return elements.prefix(Self.most).compactMap { element in
            guard let id = self.id.values(in: element)?.first.flatMap(ValuePath.plain), !id.isEmpty,
                id.utf8.count <= 255, ids.insert(id).inserted
            else {
                missing("an element of \(list.text) has no \(self.id.text) of its own")
                return nil
            }
            let name = name?.values(in: element)?.first.flatMap(ValuePath.plain) ?? id
            var circuit = Circuit(id: id, name: name, kind: Circuit.Kind(guessedFrom: name))
            circuit.powerW = power?.value(in: element, missing: missing)
            circuit.totalEnergyKWh = energy?.value(in: element, missing: missing)
            return circuit
        }
    }
}

extension JSON {
    /// The members of an object, in an order that is the same each time.
    fileprivate var elements: [JSON]? {
        members.map { members in members.sorted { $0.key < $1.key }.map(\.value) }
    }
}
