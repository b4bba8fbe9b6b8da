import Foundation

/// A house with a Sense monitor, as the monitor sees it: powers that are constant over a quarter of an hour, so that
/// energies are exact.
public struct SenseModel: Sendable {
    public struct Device: Sendable {
        public var id: String
        public var name: String
        public var icon: String
        /// As JSON has them: texts, and flags.
        public var tags: [String: Tag]
        /// Watts from a time on (seconds since the epoch, at a quarter of an hour); 0 = it is off.
        public var watts: @Sendable (Int) -> Double

        public init(
            _ id: String, _ name: String, icon: String = "", tags: [String: Tag] = ["DeviceListAllowed": .text("true")],
            watts: @escaping @Sendable (Int) -> Double
        ) {
            self.id = id
            self.name = name
            self.icon = icon
            self.tags = tags
            self.watts = watts
        }
    }

    public enum Tag: Sendable {
        case text(String)
        case flag(Bool)
    }

    public var id: Int
    public var zone: String
    public var version = "1.70.4012-3f1c9a"
    public var isOnline = true
    /// Since when it is away: what it said last stands still. Seconds since the epoch.
    public var awaySince: Double?
    public var devices: [Device]
    /// Nil = no roof.
    public var solar: (@Sendable (Int) -> Double)?
    /// How long after an hour it is in the history.
    public var historyLagSeconds = 60.0
    /// The cloud has forgotten what it counted today.
    public var isDayStuck = false

    public init(id: Int, zone: String, devices: [Device], solar: (@Sendable (Int) -> Double)? = nil) {
        self.id = id
        self.zone = zone
        self.devices = devices
        self.solar = solar
    }

    /// A house in New York with a heat pump, a car, a smart plug that was paired twice, and a roof over which clouds pass.
    public static func house(id: Int = 12345, withSolar: Bool = true) -> SenseModel {
        func plug(_ created: String) -> [String: Tag] {
            ["DefaultUserDeviceType": .text("SmartPlug"), "DateCreated": .text(created)]
        }
        let quarter: Int = 900
        return SenseModel(
            id: id, zone: "America/New_York",
            devices: [
                Device("rQRVn4X5", "Geo Main", icon: "ac") { $0 / quarter % 3 == 0 ? 3365.18 : 0 },
                Device("Tn7qU2aa", "Tesla Wall Connector", icon: "car") { $0 / quarter % 40 < 6 ? 7210.5 : 0 },
                Device("fr1dge00", "Kühlschrank \"alt\"", icon: "fridge") { $0 / quarter % 2 == 0 ? 121.25 : 4.5 },
                Device("oldplug1", "Desk", icon: "plug", tags: plug("2021-03-04T05:06:07.000Z")) { _ in 0 },
                Device("newplug2", "Desk", icon: "plug", tags: plug("2024-03-04T05:06:07.000Z")) {
                    $0 / quarter % 5 < 3 ? 61 : 0
                },
                Device("merged01", "Heat 1", icon: "heat", tags: ["MergeId": .text("rQRVn4X5")]) { _ in 0 },
                Device("hidden01", "Supply", icon: "cup", tags: ["DeviceListAllowed": .text("false")]) { _ in 0 },
                Device("hidden02", "Standby", icon: "cup", tags: ["DeviceListAllowed": .flag(false)]) { _ in 0 },
                Device("always_on", "Always On", icon: "alwayson") { _ in 902 },
                Device("unknown", "Other", icon: "home") { 300 + Double($0 / quarter % 7) * 2.5 },
            ],
            solar: withSolar
                ? { @Sendable in
                    let hour = Double(($0 - 5 * 3600) % 86_400) / 3600
                    guard hour > 7, hour < 17 else { return 0 }
                    return $0 / quarter % 2 == 0 ? 5120.5 : 840.25
                } : nil)
    }

    /// Devices of `house` that were merged, are hidden, or are the former life of a plug.
    public static let unlisted = ["oldplug1", "merged01", "hidden01", "hidden02"]

    // MARK: What it measures

    /// The beginning of the quarter of an hour that is measured, which for a monitor that is away is its last.
    private func quarter(_ time: Double) -> Int { Int(min(time, awaySince ?? time)) / 900 * 900 }

    public func watts(_ device: Device, at time: Double) -> Double { device.watts(quarter(time)) }
    public func consumptionW(at time: Double) -> Double {
        devices.reduce(0) { $0 + watts($1, at: time) }
    }
    public func solarW(at time: Double) -> Double? { solar.map { $0(quarter(time)) } }

    /// 30 a second.
    public func frame(at time: Double) -> Int { Int((min(time, awaySince ?? time) - 1_700_000_000) * 30) }

    // MARK: What it has counted

    public struct Energy: Sendable, Equatable {
        public var used = 0.0
        public var made = 0.0
        public var fromGrid = 0.0
        public var toGrid = 0.0
        public var devices: [Double] = []
    }

    /// kWh from `begin` to `end`, both at quarters of an hour.
    public func energy(from begin: Int, to end: Int) -> Energy {
        var energy = Energy(devices: devices.map { _ in 0 })
        for time in stride(from: begin, to: end, by: 900) {
            var used = 0.0
            for index in devices.indices {
                let watts = devices[index].watts(time)
                used += watts
                energy.devices[index] += watts / 4000
            }
            let made = solar.map { $0(time) } ?? 0
            energy.used += used / 4000
            energy.made += made / 4000
            energy.fromGrid += max(0, used - made) / 4000
            energy.toGrid += max(0, made - used) / 4000
        }
        return energy
    }

    /// The local day with the instant: its beginning, and how many hours it has.
    public func day(of time: Double) throws -> (start: Int, hours: Int) {
        let day = try period(.day, of: time)
        return (day.start, (day.end - day.start) / 3600)
    }

    /// A period of the local calendar.
    func period(_ component: Calendar.Component, of time: Double) throws -> (start: Int, end: Int) {
        guard let zone = TimeZone(identifier: zone) else { throw FixtureError("no zone \(zone)") }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        guard let period = calendar.dateInterval(of: component, for: Date(timeIntervalSince1970: time)) else {
            throw FixtureError("no period at \(time)")
        }
        return (Int(period.start.timeIntervalSince1970), Int(period.end.timeIntervalSince1970))
    }

    /// Up to where the history has counted.
    func counted(at time: Double) -> Int {
        let end = Int(min(time - historyLagSeconds, awaySince ?? time)) / 3600 * 3600
        return end
    }
}
