import Readings

/// What SIGHUP cannot take over.
extension HostSettings {
    /// The settings that differ in `new` and wait for a restart, in the table's order.
    /// - Parameter new: read later than these, which are those of the start.
    package func waitingForRestart(in new: HostSettings) -> [String] {
        var names = Set(
            HostSetting.all.filter { !$0.reloads }.map(\.declaration.name).filter { values[$0] != new.values[$0] })
        // While the meter that is the house goes on, it stays the house, whoever names another, or comes before it.
        names.remove(Self.primaryMeter)
        if let house, let other = new.house, house != other, new.mayRun(house) { names.insert(Self.primaryMeter) }
        // Whoever sets one of the two turns delivery on.
        if isDeliveryOn != new.isDeliveryOn, !names.contains(Self.influxURL) {
            let hasToken = influx.token != nil
            names.insert(hasToken == (new.influx.token != nil) ? Self.influxURL : Self.influxToken)
        }
        return HostSetting.all.map(\.declaration.name).filter(names.contains)
    }

    private static let primaryMeter = "PRIMARY_METER"
    private static let influxURL = "INFLUXDB_URL"
    private static let influxToken = "INFLUXDB_TOKEN"

    /// Nil where it depends on which adapters there are.
    private var house: InstanceIdentity? {
        if let primaryMeter { return primaryMeter }
        guard case .instance(let first) = meterTypes.first else { return nil }
        return first
    }
}
