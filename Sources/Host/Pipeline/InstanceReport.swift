package import Readings

/// How an instance does, as the pipeline is told when that has changed.
package struct InstanceReport: Hashable, Sendable {
    package enum Condition: Hashable, Sendable {
        /// Nobody wants it to run now.
        case off
        /// It begins: whether it will work is not known yet.
        case starting
        case working
        /// It fails, with this reason, and is tried again.
        case failing(String)
        /// It fails in a way that waits for a person.
        case stuck(String)
    }

    package var identity: InstanceIdentity
    package var condition: Condition
    /// Whether it stands for the house.
    package var isHouse: Bool
    /// For how long it may fail, in ns, before that is an alert.
    package var patience: Int64

    package init(
        identity: InstanceIdentity, condition: Condition, isHouse: Bool, interval: Int64, sampling: Int64
    ) {
        self.identity = identity
        self.condition = condition
        self.isHouse = isHouse
        patience = Self.patience(interval: interval, sampling: sampling)
    }

    /// Three slots; where it is read less often than it is stored, three readings.
    static func patience(interval: Int64, sampling: Int64) -> Int64 { 3 * max(interval, sampling) }
}
