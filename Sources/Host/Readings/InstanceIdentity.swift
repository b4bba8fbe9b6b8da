/// Who a series of readings belongs to: an adapter type, and a label where one type runs several times.
public struct InstanceIdentity: Hashable, Sendable {
    /// What `METER_TYPE` names, and the tag `meter_type` in InfluxDB.
    public let meterType: String
    /// Empty without one; the tag `meter` in InfluxDB.
    public let label: String

    public init(meterType: String, label: String = "") {
        self.meterType = meterType
        self.label = label
    }

    /// `type` or `type@label`: in settings, logs, and the API.
    public var name: String { label.isEmpty ? meterType : "\(meterType)@\(label)" }
}
