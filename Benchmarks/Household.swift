import Readings

/// Emissions of a house with solar and some circuits, the same on every run.
struct Household {
    let circuits: Int
    let catalog: CircuitCatalog
    /// Samples to take in turn: made once, so that making them is not what is measured.
    private let rounds: [[CircuitSample]]

    static let known: PowerSet = [.grid, .solar]

    init(circuits: Int) {
        self.circuits = circuits
        catalog = CircuitCatalog(
            circuits: (0..<circuits).map { CircuitIdentity(id: "circuit-\($0)", name: "Circuit \($0)") }, version: 1)
        rounds = (0..<16).map { round in
            (0..<circuits).map { number in
                var sample = CircuitSample(circuit: Int32(number), kind: .load)
                sample.present = .power
                sample.powerW = Double((round * 7919 + number * 104_729) % 40_000) / 10
                return sample
            }
        }
    }

    func emission(
        instance: Int, at instant: Instant, index: Int, sampling: Int64 = 300 * Duration.second
    ) -> Emission {
        Emission(
            instance: instance, timestamp: instant, sampling: sampling, known: Self.known,
            powers: Powers(gridW: Double(index % 7000) - 1500.5, solarW: Double(index % 5000) + 0.25),
            circuits: rounds[index % rounds.count], catalog: catalog)
    }
}

extension Instant {
    /// 2026-01-01T00:00:00Z.
    static let newYear = Instant(seconds: 1_767_225_600)
}
