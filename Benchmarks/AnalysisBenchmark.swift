import Analysis
import Readings

/// What is worked out of a single large emission.
enum AnalysisBenchmark {
    private static let circuits = 500
    private static let count = 200

    static func run() -> [Measurement] {
        let house = Household(circuits: circuits)
        let rules = FoldRules(instance: 1, maximumPowerW: 100_000, isHouse: true)
        let interval = 300 * Duration.second
        var high = HighConsumption(
            rules: HighConsumption.Rules(thresholdW: 5000, hold: Duration.minute, clear: Duration.minute))
        var carry = Carry(at: .newYear)
        var previous: Emission?
        var index = 0
        let time = Measurement.median {
            for _ in 0..<count {
                index += 1
                let emission = house.emission(instance: 1, at: carry.at + interval, index: index)
                _ = high.take(
                    HousePowers.use(emission.powers, known: emission.known), at: emission.timestamp,
                    holdsFor: Duration.hour)
                carry =
                    Fold.slot(
                        after: carry, previous: previous, emissions: [emission], end: emission.timestamp,
                        dayStart: .newYear, nextDayStart: .newYear + Duration.day * 365, rules: rules
                    ).carry
                previous = emission
            }
        }
        return [
            Measurement(
                what: "Analyse one emission of \(circuits) circuits",
                figure: "\(Measurement.rounded(time / Double(count) / 1000)) µs",
                how: "total, shares, remainder, energies, day, alert: folded into a slot of its own; "
                    + "median of 5 x \(count)")
        ]
    }
}
