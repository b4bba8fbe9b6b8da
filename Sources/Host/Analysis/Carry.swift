public import Readings

/// What the fold of one slot leaves to the next: the accounts at the slot's end. Together with the emissions since, it
/// is all that the fold knows, so a restart changes nothing.
public struct Carry: Hashable, Sendable {
    /// End of the slot that it belongs to.
    public var at: Instant
    public var flows = Flows<EnergyAccount?>(repeating: nil)
    /// Where consumption is the balance of its parts: how far this lies above what was counted. Below 0 jitter has let it
    /// dip; above 0 a part was silent while the others went on.
    public var uncountedBalance: Millijoules = 0
    public var day = DayAccount()
    /// By the circuit's durable number.
    public var circuits: [CircuitAccount] = []

    public init(at: Instant) {
        self.at = at
    }

    /// Consumption is the balance of the other flows where every part has a counter: sums of samples would not agree
    /// with them.
    func isConsumptionBalanced(known: PowerSet) -> Bool {
        guard !known.contains(.consumption), HousePowers.knowsConsumption(known), flows.consumed?.reading == nil else {
            return false
        }
        func isCounted(_ flow: Flow) -> Bool { flows[flow]?.reading != nil }
        return isCounted(.imported) && isCounted(.exported) && (!known.contains(.solar) || isCounted(.produced))
            && (!known.contains(.battery) || (isCounted(.charged) && isCounted(.discharged)))
    }

    /// The clock was set back to `now`: counters that seem to have been read later were read now.
    public mutating func forgetReadingTimes(after now: Instant) {
        func forget(_ account: inout EnergyAccount) { account.readAt = min(account.readAt, now) }
        for flow in Flow.allCases {
            guard var account = flows[flow] else { continue }
            forget(&account)
            flows[flow] = account
        }
        for number in circuits.indices {
            forget(&circuits[number].energy)
            forget(&circuits[number].returned)
        }
        day.readAt = min(day.readAt, now)
        if let doubt = day.doubt { day.doubt?.at = min(doubt.at, now) }
    }
}

/// The accounts of one circuit.
public struct CircuitAccount: Hashable, Sendable {
    /// In the kind's positive direction, and in the opposite one.
    public var energy = EnergyAccount()
    public var returned = EnergyAccount()

    public init() {}
}
