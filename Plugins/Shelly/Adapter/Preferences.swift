import AdapterKit

/// What the settings say, checked.
struct Preferences: Sendable {
    /// What a setting says about channels.
    enum Choice: Hashable, Sendable {
        case unsaid
        case none
        case named([ChannelReference])
    }

    var broker: BrokerAddress
    /// Empty = the broker asks for none.
    var user: String
    var password: String
    /// Empty = what the system trusts.
    var caFile: String
    /// Ids or topic prefixes; empty = every meter that is found.
    var devices: [String]
    var mains: Choice
    var solar: Choice

    static let settings: [Setting] = [
        Setting(
            "mqtt_url", .url, isRequired: true, help: "The broker, mqtt://HOST:PORT or, with TLS, mqtts://HOST:PORT"),
        Setting("mqtt_username", .text, help: "User at the broker; none = it asks for none"),
        Setting("mqtt_password", .secret, help: "Its password"),
        Setting(
            "mqtt_ca_file", .file, help: "PEM file of the broker's authority, for mqtts; default: those of the system"),
        Setting(
            "devices", .list,
            help: "Ids or MQTT topic prefixes of the meters to take; default: every Shelly energy meter at the broker"),
        Setting(
            "mains", .list,
            help:
                "Channels that together are the grid, as DEVICE/em1:0, DEVICE/emeter/0, DEVICE or a channel's name; "
                + "-channel counts the other way round; default: the only three-phase meter; none = no grid"),
        Setting(
            "solar", .list,
            help:
                "Channels that together are the production, written likewise; +channel or -channel says which way it "
                + "counts; default: no roof"),
    ]

    init(_ host: AdapterHost) throws(AdapterError) {
        broker = try BrokerAddress(host.setting("mqtt_url") ?? "")
        user = host.setting("mqtt_username") ?? ""
        password = host.setting("mqtt_password") ?? ""
        caFile = host.setting("mqtt_ca_file") ?? ""
        guard !user.isEmpty || password.isEmpty else {
            throw AdapterError(.misconfigured, "SHELLY_MQTT_PASSWORD is set, and SHELLY_MQTT_USERNAME is not")
        }
        guard broker.isEncrypted || caFile.isEmpty else {
            throw AdapterError(
                .misconfigured, "SHELLY_MQTT_CA_FILE is for TLS: SHELLY_MQTT_URL has to begin with mqtts://")
        }
        for text in [user, password, caFile] where text.contains("\0") || text.utf8.count > 65_535 {
            throw AdapterError(.misconfigured, "SHELLY_MQTT_USERNAME, _PASSWORD or _CA_FILE is no text for MQTT")
        }
        devices = try Self.devices(host.list("devices"))
        mains = try Self.choice("mains", host)
        solar = try Self.choice("solar", host)
    }

    /// Each becomes a part of topics.
    private static func devices(_ words: [String]) throws(AdapterError) -> [String] {
        guard words.count <= Household.mostMeters else {
            throw AdapterError(.misconfigured, "SHELLY_DEVICES: more than \(Household.mostMeters) devices")
        }
        var devices: [String] = []
        for word in words {
            var device = word
            while device.hasSuffix("/") { device.removeLast() }
            guard !device.isEmpty, device.utf8.count <= 300, !device.contains(where: { "+#\0".contains($0) }),
                !devices.contains(device)
            else {
                throw AdapterError(
                    .misconfigured,
                    "SHELLY_DEVICES: '\(word.prefix(80))' is no id or topic prefix, or is there twice"
                )
            }
            devices.append(device)
        }
        return devices
    }

    private static func choice(_ name: String, _ host: AdapterHost) throws(AdapterError) -> Choice {
        let words = host.list(name)
        guard !words.isEmpty else { return .unsaid }
        guard words != ["none"] else { return Choice.none }
        var references: [ChannelReference] = []
        for word in words {
            guard let reference = ChannelReference(word), !references.contains(where: { $0.text == reference.text })
            else {
                throw AdapterError(
                    .misconfigured,
                    "SHELLY_\(name.uppercased()): '\(word.prefix(80))' names no channel, or one that is there twice")
            }
            references.append(reference)
        }
        return .named(references)
    }
}

/// A channel as a person names it: `shellyem-B1E6D2/emeter/0`, `em1:0`, a device alone, or a channel's name.
struct ChannelReference: Hashable, Sendable {
    /// In lower case.
    var text: String
    /// As it was written, for messages.
    var written: String
    /// Nil = the setting does not say.
    var isInverted: Bool?

    init?(_ word: String) {
        isInverted = word.first.flatMap { $0 == "-" ? true : $0 == "+" ? false : nil }
        written = isInverted == nil ? word : String(word.dropFirst())
        text = written.lowercased()
        guard !text.isEmpty, text.utf8.count <= 400 else { return nil }
    }
}
