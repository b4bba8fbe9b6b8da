import AdapterKit

/// A day of the monitor's own calendar, hour by hour, as `history/usage` tells it with `scale=DAY`: 23, 24 or 25 hours.
struct DayLog: Sendable {
    struct Device: Sendable {
        var id: String
        var name: String
        var icon: String
        /// Nil = the cloud does not say.
        var hoursKWh: [Double?]
    }

    /// Nanoseconds since the epoch.
    let start: Int64
    /// Consumption of the house. An hour of exactly nothing is one that was not counted: whatever is always on, the
    /// monitor among it, draws something.
    let hoursKWh: [Double?]
    let devices: [Device]
    /// When it was asked for; what is of later, or of shortly before, is not in it.
    let askedAt: Int64
    private(set) var productionKWh: [Double?] = []
    /// What went both ways within an hour: import and export have it beside their difference.
    private var passedKWh: [Double] = []

    private static let hours = 23...25

    /// Nil where it is no day.
    init?(_ usage: JSON, askedAt: Int64) {
        let consumption = usage["consumption"]
        guard let start = usage["start"]?.text.flatMap(ISOTime.nanoseconds),
            let list = consumption?["usage_breakdown_kwh"]?.list,
            Self.hours.contains(list.count)
        else { return nil }
        self.start = start
        self.askedAt = askedAt
        hoursKWh = list.map { Self.energy($0).flatMap { $0 > 0 ? $0 : nil } }
        devices = (usage["device_breakdown"]?.list ?? []).prefix(RealtimeUpdate.mostDevices).compactMap { json in
            guard let device = RealtimeUpdate.Device(json),
                let hours = json["consumption"]?["usage_breakdown_kwh"]?.list
            else { return nil }
            return Device(
                id: device.id, name: device.name, icon: device.icon,
                hoursKWh: hours.prefix(list.count).map(Self.energy))
        }
    }

    var end: Int64 { start + Int64(hoursKWh.count) * Time.hour }

    /// Whether its hours begin with those of UTC.
    var isOnHourGrid: Bool { start % Time.hour == 0 }

    /// The hour of the day that begins there; nil where it is another day's.
    func hour(beginning instant: Int64) -> Int? {
        guard instant >= start, instant < end else { return nil }
        return Int((instant - start) / Time.hour)
    }

    private static func energy(_ json: JSON) -> Double? { json.number.flatMap { $0 >= 0 ? $0 : nil } }

    // MARK: The roof

    /// Takes what `history/usage/solar` tells; false where it is no day.
    ///
    /// Import and export have no hours of their own: within an hour only their difference is known, and of the day
    /// both sums. What the sums have beyond the differences went both ways; it is given to the hours in which it was
    /// possible, in proportion to the smaller of production and consumption.
    mutating func addSolar(_ json: JSON) -> Bool {
        guard let list = json["breakdown"]?["production_kwh"]?.list, list.count == hoursKWh.count else { return false }
        productionKWh = list.map(\.number)
        let hours = zip(hoursKWh, productionKWh).map { used, made -> (used: Double, made: Double) in
            guard let used, let made else { return (0, 0) }
            return (used, max(0, made))
        }
        let possible = hours.map { min($0.used, $0.made) }
        let exported = hours.reduce(0) { $0 + max(0, $1.made - $1.used) }
        let beyond = (json["total"]?["to_grid_kwh"]?.number ?? 0) - exported
        let whole = possible.reduce(0, +)
        let share = whole > 0 && beyond > 0 ? min(1, beyond / whole) : 0
        passedKWh = possible.map { $0 * share }
        return true
    }

    func passedKWh(_ hour: Int) -> Double { passedKWh.indices.contains(hour) ? passedKWh[hour] : 0 }
}
