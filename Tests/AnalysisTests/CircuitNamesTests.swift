import Readings
import Testing

@testable import Analysis

@Suite struct CircuitNamesTests {
    private func catalog(_ circuits: [(String, String)], version: Int = 1) -> CircuitCatalog {
        CircuitCatalog(circuits: circuits.map { CircuitIdentity(id: $0.0, name: $0.1) }, version: version)
    }

    @Test func `of two circuits of one name in one reading the lowest id keeps it`() {
        var names = CircuitNames()
        #expect(names.take(catalog([("b", "Lamp"), ("a", "Lamp"), ("c", "Oven")])) == [1, 0, 2])
        #expect(names.shown == ["Lamp (b)", "Lamp", "Oven"])
    }

    @Test func `a later one of the same name never takes it, whoever is present`() {
        var names = CircuitNames()
        _ = names.take(catalog([("b", "Lamp")]))
        // The catalog keeps what is absent; its name stays taken, also after a restart.
        var restarted = CircuitNames(owners: names.owners, shown: names.shown)
        #expect(restarted.take(catalog([("b", "Lamp"), ("a", "Lamp")], version: 2)) == [1])
        #expect(restarted.shown == ["Lamp", "Lamp (a)"])
    }

    @Test func `a name that is kept from circuits is no circuit's, also where one had it`() {
        var names = CircuitNames(owners: ["Total": 0], shown: ["Total"])
        names.reserve("Total")
        #expect(names.take(catalog([("a", "Total"), ("b", "Total")])) == [0, 1])
        #expect(names.shown == ["Total (a)", "Total (b)"])
    }

    @Test func `a rename counts from then on, and the old name stays its own`() {
        var names = CircuitNames()
        _ = names.take(catalog([("a", "Old")]))
        #expect(names.take(catalog([("a", "New")], version: 2)) == [0])
        #expect(names.take(catalog([("a", "New"), ("b", "Old")], version: 3)) == [1])
        #expect(names.shown == ["New", "Old (b)"])
        #expect(names.take(catalog([("a", "Old"), ("b", "Old")], version: 4)) == [0])
        #expect(names.shown == ["Old", "Old (b)"])
    }
}
