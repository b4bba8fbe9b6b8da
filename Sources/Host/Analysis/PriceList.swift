public import Readings

/// A tariff in the zone of the house.
public struct PriceList: Sendable {
    public let tariff: Tariff
    private let zone: Zone

    public init(tariff: Tariff, zone: Zone) {
        self.tariff = tariff
        self.zone = zone
    }

    /// The prices of the quarter hour that begins at `start`.
    public func prices(at start: Instant) -> Prices {
        Prices(
            importPerKWh: tariff.importPrice(at: zone.localTime(at: start)), exportPerKWh: tariff.exportPerKWh,
            fixedPerDay: tariff.fixedPerDay)
    }
}
