public import Readings

/// What people see as the names of an instance's circuits. Two circuits that share a name are told apart for good: the
/// first keeps the plain name, a later one becomes `Name (id)`, whoever is present. A name once given to a circuit is
/// never given to another, so a series in InfluxDB never changes its circuit.
public struct CircuitNames: Sendable {
    /// Who a name belongs to, by durable number.
    public private(set) var owners: [String: Int32]
    /// By durable number.
    public private(set) var shown: [String]

    /// From the store.
    public init(owners: [String: Int32] = [:], shown: [String] = []) {
        self.owners = owners
        self.shown = shown
    }

    /// Keeps a name from all circuits; one that has it gets another with the next catalog.
    public mutating func reserve(_ name: String) { owners[name] = Self.nobody }

    private static let nobody: Int32 = -1

    /// Takes the catalog's circuits from `first` on, those of one reading in the order of their ids, and renames.
    /// Answers the numbers whose name is new.
    public mutating func take(_ catalog: CircuitCatalog) -> [Int32] {
        let fresh = catalog.circuits.indices.dropFirst(shown.count).sorted {
            catalog.circuits[$0].id < catalog.circuits[$1].id
        }
        let known = catalog.circuits.indices.prefix(shown.count)
        while shown.count < catalog.circuits.count { shown.append("") }
        var changed: [Int32] = []
        for index in Array(known) + fresh {
            let name = nameFor(Int32(index), catalog.circuits[index])
            guard shown[index] != name else { continue }
            shown[index] = name
            owners[name] = Int32(index)
            changed.append(Int32(index))
        }
        return changed
    }

    private func nameFor(_ number: Int32, _ identity: CircuitIdentity) -> String {
        var name = identity.name
        while owners[name] ?? number != number { name += " (\(identity.id))" }
        return name
    }
}
