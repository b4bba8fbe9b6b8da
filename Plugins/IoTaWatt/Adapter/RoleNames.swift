import AdapterKit

/// What owners call their series: which of them is the whole house, and which the roof.
enum RoleNames {
    private static let noise: Set<String> = ["power", "watts", "w", "total", "sum", "all", "output", "net"]
    private static let mains: Set<String> = ["main", "mains", "grid", "utility", "service"]
    private static let legs: Set<String> = ["main", "mains", "grid", "utility", "service", "leg", "phase", "line", "l"]
    private static let consumption: Set<String> = ["used", "use", "usage", "consumption", "consumed", "house", "home"]
    private static let solar: Set<String> = ["solar", "pv", "photovoltaic", "production", "generation"]
    private static let roof: Set<String> = ["solar", "pv", "photovoltaic"]

    /// The series that together are the grid: a total, else the legs of the mains.
    static func mains(inputs: [String], outputs: [String]) -> [String] {
        if let total = (outputs + inputs).first(where: { isOneOf(mains, $0) }) { return [total] }
        let found = inputs.filter(isLeg)
        // One name for all of them: `main_1`, `main_2`, not a `line_1` besides.
        guard let first = found.first else { return [] }
        return found.filter { words($0).first == words(first).first }
    }

    /// A total of what the house uses.
    static func consumption(inputs: [String], outputs: [String]) -> String? {
        (outputs + inputs).first { name in
            let rest = words(name).filter { !noise.contains($0) }
            return rest.isEmpty ? words(name).contains("total") : isOneOf(consumption, name)
        }
    }

    /// The series that together are the production: a total, else every input of the roof.
    static func solar(inputs: [String], outputs: [String]) -> [String] {
        if let total = outputs.first(where: { isOneOf(solar, $0) }) { return [total] }
        return inputs.filter { name in words(name).contains(where: roof.contains) }
    }

    /// What a series says of its kind by its name: a total and a leg of the mains are no load.
    static func kind(_ name: String) -> Circuit.Kind {
        if isOneOf(mains, name) || isLeg(name) { return .grid }
        if consumption(inputs: [name], outputs: []) != nil { return .total }
        return Circuit.Kind(guessedFrom: name)
    }

    private static func isOneOf(_ wanted: Set<String>, _ name: String) -> Bool {
        let rest = words(name).filter { !noise.contains($0) }
        return rest.count == 1 && wanted.contains(rest[0])
    }

    /// `main_1`, `Mains L2`, `grid_a`, `leg1`.
    private static func isLeg(_ name: String) -> Bool {
        let words = words(name)
        guard let first = words.first, legs.contains(first), words.count > 1 else { return false }
        let parts: Set<String> = ["l", "a", "b", "c", "left", "right", "leg", "phase", "ct"]
        return words.dropFirst().allSatisfy { noise.contains($0) || parts.contains($0) || Int($0) != nil }
    }

    /// Words and numbers in lower case: `Main1_L2` is main, 1, l, 2.
    private static func words(_ name: String) -> [String] {
        var words: [String] = []
        var wasNumber = false
        var isInside = false
        for character in name.lowercased() {
            guard character.isLetter || character.isNumber else {
                isInside = false
                continue
            }
            if isInside, character.isNumber == wasNumber {
                words[words.count - 1].append(character)
            } else {
                words.append(String(character))
            }
            wasNumber = character.isNumber
            isInside = true
        }
        return words
    }
}
