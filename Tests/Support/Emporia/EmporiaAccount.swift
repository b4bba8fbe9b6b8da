import Foundation

/// An account of the simulated Emporia, and what its channels use: the formula that the simulator's script has, too.
public struct EmporiaAccount: Encodable, Sendable {
    public struct Channel: Encodable, Sendable {
        public var number: String
        public var name: String?
        /// kWh a minute, at the least.
        public var base: Double
        public var type: String
        public var type_gid: Int?
        public var multiplier: Double
        /// The channel that it was merged into.
        public var parent: String?

        public init(
            _ number: String, _ name: String?, base: Double = 0, type: String = "FiftyAmp", typeGid: Int? = nil,
            parent: String? = nil
        ) {
            self.number = number
            self.name = name
            self.base = base
            self.type = type
            type_gid = typeGid
            multiplier = 2
            self.parent = parent
        }
    }

    public struct Parent: Sendable {
        public var gid: Int
        public var channel: String

        public init(gid: Int, channel: String) {
            self.gid = gid
            self.channel = channel
        }
    }

    public struct Device: Encodable, Sendable {
        public var gid: Int
        public var name: String
        public var model: String
        public var parent: Parent?
        /// Seconds of its zone ahead of UTC.
        public var zoneOffset: Int
        public var channels: [Channel]
        /// What the circuits leave of the mains, in kWh a minute; nil = a plug, whose mains are all that there is.
        public var balance: Double?

        public init(
            _ gid: Int, _ name: String, model: String = "VUE002", parent: Parent? = nil, zoneOffset: Int = -18_000,
            channels: [Channel], balance: Double? = nil
        ) {
            self.gid = gid
            self.name = name
            self.model = model
            self.parent = parent
            self.zoneOffset = zoneOffset
            self.channels = channels
            self.balance = balance
        }

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: Key.self)
            try values.encode(gid, forKey: .gid)
            try values.encode(name, forKey: .name)
            try values.encode(model, forKey: .model)
            if let parent {
                var place = values.nestedUnkeyedContainer(forKey: .parent)
                try place.encode(parent.gid)
                try place.encode(parent.channel)
            }
            try values.encode(zoneOffset, forKey: .zone_offset)
            try values.encode(channels, forKey: .channels)
            try values.encodeIfPresent(balance, forKey: .balance)
        }

        private enum Key: String, CodingKey {
            case gid, name, model, parent, zone_offset, channels, balance
        }
    }

    public var email = "owner@example.com"
    public var password = "pässword 1! &=+%"
    public var devices: [Device]
    /// Whether circuits are shown without what hangs on them.
    public var nests_net = false
    public var to_grid_sign = 1

    public init(devices: [Device]) { self.devices = devices }

    /// A monitor with four circuits, a plug on one of them.
    public static let home = EmporiaAccount(devices: [
        Device(
            2345, "Home",
            channels: [
                Channel("1,2,3", nil, type: "Main"), Channel("1", "Dryer", base: 0.0105),
                Channel("2", "Heat pump", base: 0.03), Channel("3", "Office", base: 0.002),
                Channel("4", "Küche", base: 0.001),
            ], balance: 0.004),
        Device(
            9876, "Desk lamp", model: "SSO001", parent: Parent(gid: 2345, channel: "3"),
            channels: [Channel("1,2,3", nil, base: 0.0015, type: "Main")]),
    ])

    /// A roof that is seen as negative, a circuit of two legs, and a sub-panel with a circuit.
    public static let roof = EmporiaAccount(devices: [
        Device(
            2345, "Home",
            channels: [
                Channel("1,2,3", nil, type: "Main"), Channel("1", "Kitchen", base: 0.004),
                Channel("2", "Inverter", base: -0.05, type: "FiftyAmpBidirectional", typeGid: 13),
                Channel("3", "Garage feed", base: 0.0001), Channel("97", "Oven", type: "Merged"),
                Channel("5", "Oven A", base: 0.007, parent: "97"), Channel("6", "Oven B", base: 0.008, parent: "97"),
            ], balance: 0.002),
        Device(
            3456, "Garage", model: "VUE003", parent: Parent(gid: 2345, channel: "3"),
            channels: [Channel("1,2,3", nil, type: "Main"), Channel("1", "EV charger", base: 0.02)], balance: 0.0005),
    ])

    // MARK: The truth

    private func device(_ gid: Int) -> Device? { devices.first { $0.gid == gid } }

    /// Of a channel with all that hangs on it, in the minute that begins at `time` (seconds since the epoch).
    public func kWh(_ gid: Int, _ number: String, at time: Int) -> Double {
        guard let device = device(gid), let channel = device.channels.first(where: { $0.number == number }) else {
            return 0
        }
        if number == "1,2,3", let balance = device.balance {
            return device.channels.filter { $0.number != number && $0.parent == nil }.reduce(balance) {
                $0 + kWh(gid, $1.number, at: time)
            }
        }
        let legs = device.channels.filter { $0.parent == number }
        guard legs.isEmpty else { return legs.reduce(0) { $0 + kWh(gid, $1.number, at: time) } }
        let steps = (time / 60 + number.unicodeScalars.reduce(0) { $0 + Int($1.value) }) % 7
        let nested = devices.filter { $0.parent?.gid == gid && $0.parent?.channel == number }
        return nested.reduce(channel.base * (1 + 0.1 * Double(steps))) { $0 + kWh($1.gid, "1,2,3", at: time) }
    }

    /// From one time to another; whole minutes.
    public func kWh(_ gid: Int, _ number: String, from: Int, to: Int) -> Double {
        stride(from: from, to: to, by: 60).reduce(0) { $0 + kWh(gid, number, at: $1) }
    }
}
