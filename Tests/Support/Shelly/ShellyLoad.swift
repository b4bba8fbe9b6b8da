/// What flows through a clamp, second by second: the truth that a meter's numbers are compared with.
public struct ShellyLoad: Sendable {
    /// Watts in a second since the epoch; negative = export.
    public var watts: @Sendable (Int) -> Double

    public init(_ watts: @escaping @Sendable (Int) -> Double) { self.watts = watts }

    public static func constant(_ watts: Double) -> ShellyLoad { ShellyLoad { _ in watts } }

    /// A base with an appliance that runs `on` of every `period` seconds.
    public static func switching(_ base: Double, _ more: Double, on: Int, period: Int) -> ShellyLoad {
        ShellyLoad { second in second % period < on ? base + more : base }
    }

    /// Watt hours of from..<to, import and export apart.
    public func energy(from: Int, to: Int) -> (forwardWh: Double, returnedWh: Double) {
        var forward = 0.0
        var returned = 0.0
        for second in from..<max(from, to) {
            let power = watts(second)
            if power > 0 { forward += power / 3600 } else { returned -= power / 3600 }
        }
        return (forward, returned)
    }
}
