public import Readings

/// Figures as people read them.
public enum Shares {
    /// 100 x power / use; consuming circuits only.
    public static func percentage(_ sample: CircuitSample, use: Double?) -> Double? {
        guard sample.kind.isConsuming, let power = sample.power, let use, use > 0 else { return nil }
        return thousandths(100 * power / use)
    }

    public static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
    /// Energy in kWh to the millionth: without the digits that nobody measured. Counters whose differences are energies
    /// are sent as they are (`Energy.kWh`).
    public static func kWh(_ energy: Millijoules) -> Double { (Energy.kWh(energy) * 1e6).rounded() / 1e6 }
    public static func thousandths(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
