/// What energy costs, in the currency of the bill, by the clock on the wall.
public struct Tariff: Hashable, Sendable {
    /// A price of its own for some time of some days.
    public struct Band: Hashable, Sendable {
        /// Bit n is weekday n, Sunday 0: the days on which the band begins.
        public var weekdays: UInt8
        /// Quarter hours after midnight. A band whose end is not after its start ends on the next day.
        public var start: Int
        public var end: Int
        public var perKWh: Double

        public init(weekdays: UInt8, start: Int, end: Int, perKWh: Double) {
            self.weekdays = weekdays
            self.start = start
            self.end = end
            self.perKWh = perKWh
        }

        func contains(weekday: Int, quarter: Int) -> Bool {
            if start < end { return has(weekday) && quarter >= start && quarter < end }
            return (has(weekday) && quarter >= start) || (has((weekday + 6) % 7) && quarter < end)
        }

        private func has(_ weekday: Int) -> Bool { weekdays >> UInt8(weekday) & 1 == 1 }
    }

    /// Price of a kWh bought, outside of the bands.
    public var perKWh: Double
    /// The first that fits counts.
    public var bands: [Band]
    /// What a kWh sold earns.
    public var exportPerKWh: Double
    /// What a local day costs before anything is used.
    public var fixedPerDay: Double

    public init(perKWh: Double, bands: [Band] = [], exportPerKWh: Double = 0, fixedPerDay: Double = 0) {
        self.perKWh = perKWh
        self.bands = bands
        self.exportPerKWh = exportPerKWh
        self.fixedPerDay = fixedPerDay
    }

    /// Price of a kWh bought at a local time.
    public func importPrice(at local: Zone.LocalTime) -> Double {
        let quarter = local.hour * 4 + local.minute / 15
        return bands.first { $0.contains(weekday: local.date.weekday, quarter: quarter) }?.perKWh ?? perKWh
    }

    /// The mean price over a week: what a load that is always on pays.
    public var meanPerKWh: Double {
        let quarters = (0..<7 * 96).map { index in
            bands.first { $0.contains(weekday: index / 96, quarter: index % 96) }?.perKWh ?? perKWh
        }
        return quarters.reduce(0, +) / Double(quarters.count)
    }
}

/// The prices that held for a bucket: kept with it, so that a new tariff changes nothing of the past.
public struct Prices: Hashable, Sendable {
    public var importPerKWh: Double
    public var exportPerKWh: Double
    public var fixedPerDay: Double

    public init(importPerKWh: Double, exportPerKWh: Double, fixedPerDay: Double) {
        self.importPerKWh = importPerKWh
        self.exportPerKWh = exportPerKWh
        self.fixedPerDay = fixedPerDay
    }
}
