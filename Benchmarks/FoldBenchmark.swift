import Analysis
import Platform
import Readings

/// A year of a house through the fold.
enum FoldBenchmark {
    private static let circuits = 20
    private static let interval = 300 * Duration.second
    private static let sampling = 30 * Duration.second
    private static let days = 365

    static func run() -> [Measurement] {
        let house = Household(circuits: circuits)
        let rules = FoldRules(instance: 1, sampling: sampling, maximumPowerW: 100_000, isHouse: true)
        let perSlot = Int(interval / sampling)
        var carry = Carry(at: .newYear)
        var previous: Emission?
        var slots = 0
        let begin = Clock.monotonic()
        for day in 0..<days {
            let midnight = Instant.newYear + Int64(day) * Duration.day
            for _ in 0..<Int(Duration.day / interval) {
                let start = carry.at
                let emissions = (1...perSlot).map { index in
                    house.emission(instance: 1, at: start + Int64(index) * sampling, index: slots * perSlot + index)
                }
                let result = Fold.slot(
                    after: carry, previous: previous, emissions: emissions[...], end: start + interval,
                    dayStart: midnight, nextDayStart: midnight + Duration.day, rules: rules)
                carry = result.carry
                previous = emissions.last
                if result.slot?.circuits.count == circuits { slots += 1 }
            }
        }
        let time = Double(Clock.monotonic() - begin)
        let samples = Double(slots * perSlot * circuits)
        return [
            Measurement(
                what: "Fold a year of \(circuits) circuits", figure: "\(Measurement.rounded(time / 1e9)) s",
                how: "\(slots) slots of 5 min from a sample every 30 s, one thread; "
                    + "\(Measurement.rounded(time / samples)) ns a circuit sample")
        ]
    }
}
