public import Readings

/// What the four powers of one moment add up to, given which of them the instance is configured to measure.
///
/// The meaning follows from `known` alone and so never changes while an instance runs: a configured part that is
/// missing makes the total "not measured", never something else.
public enum HousePowers {
    /// What `total_power_w` is for an instance that knows these powers.
    @inlinable
    public static func totalIs(known: PowerSet) -> TotalIs {
        knowsConsumption(known) ? .consumption : .grid
    }

    /// Whether consumption is measured, or can be computed from its parts.
    @inlinable
    public static func knowsConsumption(_ known: PowerSet) -> Bool {
        known.contains(.consumption) || (known.contains(.grid) && !known.isDisjoint(with: [.solar, .battery]))
    }

    /// Consumption in watts: measured, or grid + solar + battery. Nil while a part is missing.
    @inlinable
    public static func consumption(_ powers: Powers, known: PowerSet) -> Double? {
        if known.contains(.consumption) { return powers.consumptionW }
        guard knowsConsumption(known), var sum = powers.gridW else { return nil }
        if known.contains(.solar) {
            guard let solar = powers.solarW else { return nil }
            sum += solar
        }
        if known.contains(.battery) {
            guard let battery = powers.batteryW else { return nil }
            sum += battery
        }
        return sum
    }

    /// `use` of a stretch of time, by its means: that of consumption is of the moments in which all of its parts were
    /// known, while those of the parts are each of its own.
    @inlinable
    public static func use(ofMeans powers: Powers, known: PowerSet) -> Double? {
        if knowsConsumption(known) { return powers.consumptionW }
        return use(powers, known: known)
    }

    /// The total in watts, as `totalIs` says.
    @inlinable
    public static func total(_ powers: Powers, known: PowerSet) -> Double? {
        knowsConsumption(known) ? consumption(powers, known: known) : powers.gridW
    }

    /// What the house uses, for percentages, remainder, phantom load and alerts. In a house without solar and battery
    /// grid and consumption are one quantity; it is unknown while a grid sensor of such a house is negative (there is
    /// something behind the meter that was not configured).
    @inlinable
    public static func use(_ powers: Powers, known: PowerSet) -> Double? {
        if knowsConsumption(known) { return consumption(powers, known: known) }
        guard let grid = powers.gridW, grid >= 0 else { return nil }
        return grid
    }
}
