import AdapterKit

/// A channel of a device: what Emporia measures and charts by itself.
struct ChannelID: Hashable, Sendable {
    var device: Int64
    /// `1`, `1,2,3`, `Balance`.
    var number: String

    /// What a circuit is known by.
    var circuit: String { "\(device)-\(number)" }

    /// Digits and commas; anything else is a figure over others, or nothing that a query can name.
    var isMeasured: Bool {
        number == Self.charger
            || (!number.isEmpty && number.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2C })
    }

    static let charger = "EVSE"
    static let mains = "1,2,3"
    static let longestNumber = 64
}

/// What `/customers/devices` says of the account's devices: their names, circuits, and what hangs on what.
struct DeviceTree: Sendable {
    struct Channel: Sendable {
        var id: ChannelID
        var name: String
        var isMain: Bool
        var isSolar: Bool
        /// The channel that two legs were merged into.
        var parentNumber: String?
    }

    struct Device: Sendable {
        var gid: Int64
        var name: String
        var model: String
        var zone: String
        /// The channel that it hangs on.
        var parent: ChannelID?
        /// A plug or a charger: what it measures is a circuit, never the house.
        var isAppliance: Bool
        var channels: [Channel]

        var mains: ChannelID? { channels.first(where: \.isMain)?.id }
        /// For a person.
        var label: String { name.isEmpty ? "\(gid)" : name }
    }

    /// Those that can be asked for; the circuits of what is plugged into them are theirs.
    private(set) var devices: [Device] = []

    private static let mostDevices = 200
    private static let mostChannels = 500
    /// Of a channel that the app has as solar.
    private static let solarType: Int64 = 13
    private static let applianceModels = ["SSO", "VVDN"]

    /// Nil where it is no list of devices. An entry that makes no sense is left out.
    init?(_ json: JSON) {
        guard let entries = json["devices"]?.list else { return nil }
        devices = entries.prefix(Self.mostDevices).compactMap(Self.device)
    }

    private static func device(_ json: JSON) -> Device? {
        guard let gid = json["deviceGid"]?.integer, gid > 0 else { return nil }
        let location = json["locationProperties"]
        let model = json["model"]?.text?.shortened ?? ""
        let nested = json["devices"]?.list ?? []
        var channels = (json["channels"]?.list ?? []).compactMap { channel($0, of: gid) }
        // The clamps of a Vue are a device of their own inside it; their figures come as the Vue's.
        for clamps in nested.prefix(20) {
            channels += (clamps["channels"]?.list ?? []).compactMap { channel($0, of: gid) }
        }
        let parent = json["parentDeviceGid"]?.integer.flatMap { device in
            json["parentChannelNum"]?.text.map { ChannelID(device: device, number: $0) }
        }
        return Device(
            gid: gid, name: text(location?["deviceName"]), model: model, zone: text(location?["timeZone"]),
            parent: parent,
            isAppliance: json["outlet"]?.members != nil || json["evCharger"]?.members != nil
                || applianceModels.contains { model.hasPrefix($0) },
            channels: Array(channels.prefix(mostChannels)))
    }

    private static func channel(_ json: JSON, of gid: Int64) -> Channel? {
        guard let number = json["channelNum"]?.text, number.utf8.count <= ChannelID.longestNumber else { return nil }
        return Channel(
            id: ChannelID(device: gid, number: number), name: text(json["name"]),
            isMain: json["type"]?.text == "Main" || number == ChannelID.mains,
            isSolar: json["channelTypeGid"]?.integer == solarType,
            parentNumber: json["parentChannelNum"]?.text)
    }

    private static func text(_ json: JSON?) -> String { json?.text?.shortened ?? "" }
}

extension String {
    /// A name as it is shown: one line, and not longer than an adapter may hand over.
    var shortened: String {
        var name = ""
        name.unicodeScalars.append(
            contentsOf: unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(60))
        return name
    }
}
