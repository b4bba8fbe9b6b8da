import Analysis
import Platform
import Readings
import Storage

/// A year of a house through the fold, the alert and the quarter hours: all but the disk.
enum FoldBenchmark {
    private static let circuits = 20
    private static let interval = 300 * Duration.second
    private static let sampling = 30 * Duration.second
    private static let days = 365

    static func run() -> [Measurement] {
        let house = Household(circuits: circuits)
        let rules = FoldRules(instance: 1, maximumPowerW: 100_000, isHouse: true)
        let perSlot = Int(interval / sampling)
        var carry = Carry(at: .newYear)
        var previous: Emission?
        var high = HighConsumption(
            rules: HighConsumption.Rules(thresholdW: 1e6, hold: Duration.minute, clear: Duration.minute))
        var bucket = BucketSum(start: .newYear)
        var buckets = 0
        var slots = 0
        let begin = Clock.monotonic()
        for day in 0..<days {
            let midnight = Instant.newYear + Int64(day) * Duration.day
            for _ in 0..<Int(Duration.day / interval) {
                let start = carry.at
                let emissions = (1...perSlot).map { index in
                    house.emission(
                        instance: 1, at: start + Int64(index) * sampling, index: slots * perSlot + index,
                        sampling: sampling)
                }
                for emission in emissions {
                    _ = high.take(
                        HousePowers.use(emission.powers, known: emission.known), at: emission.timestamp,
                        holdsFor: Duration.hour)
                }
                let result = Fold.slot(
                    after: carry, previous: previous, emissions: emissions[...], end: start + interval,
                    dayStart: midnight, nextDayStart: midnight + Duration.day, rules: rules)
                carry = result.carry
                previous = emissions.last
                guard let slot = result.slot else { continue }
                if slot.circuits.count == circuits { slots += 1 }
                bucket.add(slot)
                if slot.end == bucket.start + Bucket.length {
                    if bucket.bucket.circuits.count == circuits { buckets += 1 }
                    bucket = BucketSum(start: slot.end)
                }
            }
        }
        let time = Double(Clock.monotonic() - begin)
        let samples = Double(slots * perSlot * circuits)
        return [
            Measurement(
                what: "Fold and analyse a year of \(circuits) circuits", figure: "\(Measurement.rounded(time / 1e9)) s",
                how: "\(slots) slots of 5 min from a sample every 30 s, \(buckets) quarter hours, one thread; "
                    + "\(Measurement.rounded(time / samples)) ns a circuit sample")
        ]
    }
}
