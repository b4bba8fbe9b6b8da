import Readings

@testable import Analysis

/// A house for the fold: makes emissions and folds them into the slots of a grid.
struct House {
    var known: PowerSet = [.consumption]
    var interval = 300 * Duration.second
    var sampling = 30 * Duration.second
    var dayStart: Instant = .noon - 12 * Duration.hour
    var catalog = CircuitCatalog.empty

    var rules: FoldRules { FoldRules(instance: 0, maximumPowerW: 100_000, isHouse: true) }

    func emission(
        at seconds: Double, _ powers: Powers = Powers(), period: Double = 0,
        counters: Flows<Millijoules?> = Flows(repeating: nil), day: Double? = nil, circuits: [CircuitSample] = []
    ) -> Emission {
        Emission(
            instance: 0, timestamp: .noon + Int64(seconds * 1e9), period: Int64(period * 1e9), sampling: sampling,
            known: known, powers: powers, counters: counters, dayEnergy: day.flatMap(Energy.millijoules(kWh:)),
            circuits: circuits, catalog: catalog)
    }

    /// Folds into the slots from noon on, one after the other, as the pipeline does.
    func fold(_ emissions: [Emission], slots count: Int, from start: Instant = .noon) -> [Slot?] {
        var carry = Carry(at: start)
        return fold(emissions, slots: count, carry: &carry)
    }

    func fold(_ emissions: [Emission], slots count: Int, carry: inout Carry) -> [Slot?] {
        let sorted = emissions.sorted { $0.timestamp < $1.timestamp }
        return (0..<count).map { _ in
            let previous = sorted.last { $0.timestamp <= carry.at }
            let after = sorted.firstIndex { $0.timestamp > carry.at } ?? sorted.endIndex
            let midnight = dayStart + (carry.at - dayStart).floorDivided(by: Duration.day) * Duration.day
            let result = Fold.slot(
                after: carry, previous: previous, emissions: sorted[after...], end: carry.at + interval,
                dayStart: midnight, nextDayStart: midnight + Duration.day, rules: rules)
            carry = result.carry
            return result.slot
        }
    }
}

extension Instant {
    /// 2026-06-01T12:00:00Z.
    static let noon = Instant(seconds: 1_780_315_200)
}

/// Millijoules of a power over seconds.
func millijoules(_ powerW: Double, _ seconds: Double) -> Millijoules {
    Millijoules((powerW * seconds * 1000).rounded())
}

func kWh(_ value: Double) -> Millijoules { Millijoules((value * 3.6e9).rounded()) }
