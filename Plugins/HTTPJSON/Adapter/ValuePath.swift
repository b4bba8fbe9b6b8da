import AdapterKit

/// Where a value stands in an answer: `phases[0].power`, `["odd key"]`, `meters[id=grid].watts`, `phases[*].power`.
struct ValuePath: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case member(String)
        /// From 0; a negative one counts from the end.
        case element(Int)
        /// The first element whose member has that value.
        case match(member: String, value: String)
        /// All elements of a list, or all members of an object.
        case all
    }

    /// As it was written.
    let text: String
    private let steps: [Step]

    /// Why a text is no path, in words that follow it.
    struct Fault: Error, Equatable {
        let reason: String
    }

    init(_ text: String) throws(Fault) {
        self.text = text
        var reader = PathReader(text)
        steps = try reader.steps()
    }

    /// The values there: one, or with `[*]` any number. Nil where something on the way is not there.
    func values(in json: JSON) -> [JSON]? {
        var values = [json]
        for step in steps {
            var next: [JSON] = []
            for value in values {
                guard let found = Self.follow(step, value) else { return nil }
                next += found
            }
            values = next
        }
        return values
    }

    private static func follow(_ step: Step, _ value: JSON) -> [JSON]? {
        switch step {
        case .member(let name): return value[name].map { [$0] }
        case .element(let index):
            guard let list = value.list else { return nil }
            let place = index < 0 ? list.count + index : index
            return list.indices.contains(place) ? [list[place]] : nil
        case .match(let name, let wanted):
            return value.list?.first { $0[name].flatMap(plain) == wanted }.map { [$0] }
        case .all:
            // In an order that is the same each time.
            return value.list ?? value.members.map { members in members.sorted { $0.key < $1.key }.map(\.value) }
        }
    }

    /// A scalar as a person writes it.
    static func plain(_ value: JSON) -> String? {
        switch value {
        case .text(let text): text
        case .integer(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .number, .null, .list, .object: nil
        }
    }
}

/// Reads a path step by step.
private struct PathReader {
    private var rest: Substring

    init(_ text: String) {
        rest = text[...]
    }

    mutating func steps() throws(ValuePath.Fault) -> [ValuePath.Step] {
        var steps: [ValuePath.Step] = []
        // `$` for the whole answer is how others write it.
        if rest.first == "$" { rest.removeFirst() }
        while let first = rest.first {
            if first == "[" {
                rest.removeFirst()
                steps.append(try bracket())
                continue
            }
            if first == "." { rest.removeFirst() }
            let name = rest.prefix { $0 != "." && $0 != "[" }
            guard !name.isEmpty else { throw ValuePath.Fault(reason: "has a point without a name behind it") }
            rest = rest.dropFirst(name.count)
            steps.append(.member(String(name)))
        }
        guard !steps.isEmpty else { throw ValuePath.Fault(reason: "names nothing") }
        return steps
    }

    private mutating func bracket() throws(ValuePath.Fault) -> ValuePath.Step {
        if rest.first == "\"" {
            rest.removeFirst()
            let name = rest.prefix { $0 != "\"" }
            rest = rest.dropFirst(name.count)
            guard rest.hasPrefix("\"]") else { throw ValuePath.Fault(reason: "has a [\" without its \"]") }
            rest = rest.dropFirst(2)
            return .member(String(name))
        }
        let inside = rest.prefix { $0 != "]" }
        guard inside.endIndex < rest.endIndex else { throw ValuePath.Fault(reason: "has a [ without its ]") }
        rest = rest[inside.endIndex...].dropFirst()
        if inside == "*" { return .all }
        if let index = Int(inside) { return .element(index) }
        let sides = inside.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, !sides[0].isEmpty else {
            throw ValuePath.Fault(reason: "has [\(inside)], which is no [number], [name=value], [*] or [\"name\"]")
        }
        return .match(member: String(sides[0]), value: String(sides[1]))
    }
}
