package import Configuration

/// What an adapter says of itself, checked and copied out of its library.
package struct AdapterDescription: Sendable {
    package enum Delivery: Sendable {
        case pull
        case push
    }

    package let meterType: String
    package let name: String
    package let vendor: String
    package let version: String
    package let url: String
    package let summary: String
    package let delivery: Delivery
    /// What the device or cloud allows a day; 0 = no limit.
    package let requestsPerDay: Int
    /// Nanoseconds; 0 = once an interval.
    package let defaultSampling: Int64
    package let minimumSampling: Int64
    /// Nanoseconds that a reading may be late.
    package let late: Int64
    package let settings: [SettingDeclaration]
}

/// Why a file is not used, in one line.
package struct AdapterRefusal: Error, Hashable, Sendable {
    package let path: String
    package let reason: String
}
