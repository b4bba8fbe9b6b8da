public import Readings

/// What a house draws at night when nobody uses anything: the 10th percentile of its use between 03:00 and 04:00.
public enum PhantomLoad {
    public struct Rules: Sendable {
        /// Watts above which a night is an alert.
        public var thresholdW: Double
        /// Durable numbers of circuits that do not count, beside those of kind ev.
        public var excluded: Set<Int32>

        public init(thresholdW: Double, excluded: Set<Int32>) {
            self.thresholdW = thresholdW
            self.excluded = excluded
        }
    }

    public struct Night: Hashable, Sendable {
        /// Watts; nil = unknown, and then `reason` says why.
        public var powerW: Double?
        public var reason: String?
        /// Measured part of the hour, 0 to 1.
        public var coverage: Double
        /// The circuits behind it, largest first.
        public var circuits: [Share]

        public init(powerW: Double?, reason: String?, coverage: Double, circuits: [Share]) {
            self.powerW = powerW
            self.reason = reason
            self.coverage = coverage
            self.circuits = circuits
        }
    }

    public struct Share: Hashable, Sendable {
        public var circuit: Int32
        public var powerW: Double

        public init(circuit: Int32, powerW: Double) {
            self.circuit = circuit
            self.powerW = powerW
        }
    }

    /// What a load that is always on uses in a year.
    public static func kWhPerYear(powerW: Double) -> Double { (powerW * 8.766).rounded() }

    /// Such a load pays each price of the week for its part of it.
    public static func costPerYear(kWh: Double, _ tariff: Tariff) -> Double {
        (kWh * tariff.meanPerKWh * 100).rounded() / 100
    }

    /// - Parameters:
    ///   - slots: the house's slots of that night, in any order; others are ignored.
    ///   - spans: the hour as the local clock shows it: one span, or two where it is doubled.
    ///   - known: what the house is configured to measure.
    public static func night(
        slots: [Slot], spans: [Range<Instant>], known: PowerSet, rules: Rules
    ) -> Night {
        let hour = spans.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
        let within = slots.filter { slot in
            !slot.isFirstLight && spans.contains { slot.start >= $0.lowerBound && slot.end <= $0.upperBound }
        }
        var loads: [Double] = []
        var covered = 0.0
        for slot in within {
            guard let load = load(of: slot, known: known, rules: rules) else { continue }
            loads.append(load)
            covered += slot.coverage * Double(slot.length)
        }
        let coverage = hour > 0 ? covered / Double(hour) : 0
        if !HousePowers.knowsConsumption(known), within.contains(where: hasOwnSource) {
            return Night(
                powerW: nil, reason: "only the grid is measured in a house with solar or battery",
                coverage: coverage, circuits: [])
        }
        guard coverage >= 0.5 else {
            return Night(
                powerW: nil, reason: "less than half of the hour was measured", coverage: coverage, circuits: [])
        }
        return Night(
            powerW: percentile10(loads), reason: nil, coverage: coverage, circuits: shares(of: within, rules: rules))
    }

    private static func load(of slot: Slot, known: PowerSet, rules: Rules) -> Double? {
        guard var load = HousePowers.use(ofMeans: slot.powers, known: known) else { return nil }
        for circuit in slot.circuits where isExcluded(circuit, rules) {
            guard let power = circuit.powerW else { return nil }
            load -= power
        }
        return load
    }

    private static func isExcluded(_ circuit: CircuitSlot, _ rules: Rules) -> Bool {
        circuit.kind == .ev || rules.excluded.contains(circuit.circuit)
    }

    private static func hasOwnSource(_ slot: Slot) -> Bool {
        slot.circuits.contains { $0.kind == .solar || $0.kind == .battery } || (slot.powers.gridW ?? 0) < 0
    }

    private static func shares(of slots: [Slot], rules: Rules) -> [Share] {
        var powers: [Int32: [Double]] = [:]
        for slot in slots {
            for circuit in slot.circuits where circuit.kind.isConsuming && !isExcluded(circuit, rules) {
                if let power = circuit.powerW { powers[circuit.circuit, default: []].append(power) }
            }
        }
        return powers.compactMap { circuit, powers in
            percentile10(powers).map { Share(circuit: circuit, powerW: $0) }
        }
        .filter { $0.powerW >= 1 }
        .sorted { $0.powerW != $1.powerW ? $0.powerW > $1.powerW : $0.circuit < $1.circuit }
    }

    /// Nearest rank.
    private static func percentile10(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let rank = (values.count + 9) / 10
        return values.sorted()[rank - 1]
    }
}
