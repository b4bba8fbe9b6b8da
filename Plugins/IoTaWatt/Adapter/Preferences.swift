import AdapterKit

/// What the settings say, checked.
struct Preferences: Sendable {
    /// What a setting says about series.
    enum Choice: Hashable, Sendable {
        /// By their names, as far as names tell.
        case found
        case none
        case named([Name])
    }

    /// A series, and whether it counts the other way round.
    struct Name: Hashable, Sendable {
        var series: String
        /// Nil = the setting does not say.
        var isInverted: Bool?
    }

    var url: String
    var user: String
    var password: String
    var mains: Choice
    var solar: Choice
    var battery: Choice
    var circuits: Choice

    static let settings: [Setting] = [
        Setting("url", .url, isRequired: true, help: "Address of the IoTaWatt, such as http://iotawatt.local"),
        Setting("username", .text, default: "user", help: "user or admin, where the device has passwords"),
        Setting("password", .secret, help: "Its password; none = the device asks for none"),
        Setting(
            "mains", .list,
            help:
                "Series that together are the grid, + import; -name counts the other way round; default: by their names"
        ),
        Setting(
            "solar", .list,
            help: "Series that together are the production; +name or -name says which way it counts; none = no roof"),
        Setting(
            "battery", .list, help: "Series that together are the battery, + discharge; -name = the other way round"),
        Setting("circuits", .list, help: "Series to take as circuits; default: all inputs; none = no circuits"),
    ]

    init(_ host: AdapterHost) throws(AdapterError) {
        url = host.setting("url") ?? ""
        while url.hasSuffix("/") { url.removeLast() }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw AdapterError(.misconfigured, "IOTAWATT_URL must begin with http:// or https://")
        }
        user = host.setting("username") ?? "user"
        password = host.setting("password") ?? ""
        mains = try Self.choice("mains", host) ?? .found
        solar = try Self.choice("solar", host) ?? .found
        battery = try Self.choice("battery", host) ?? .found
        circuits = try Self.choice("circuits", host) ?? .found
    }

    private static func choice(_ name: String, _ host: AdapterHost) throws(AdapterError) -> Choice? {
        let words = host.list(name)
        guard !words.isEmpty else { return nil }
        guard words != ["none"] else { return Choice.none }
        var names: [Name] = []
        for word in words {
            let sign = word.first.flatMap { $0 == "-" ? true : $0 == "+" ? false : nil }
            let series = sign == nil ? word : String(word.dropFirst())
            guard Series(name: series).isQueryable, !names.contains(where: { $0.series == series }) else {
                throw AdapterError(
                    .misconfigured,
                    "IOTAWATT_\(name.uppercased()): '\(word.prefix(80))' is not the name of a series, or is there twice"
                )
            }
            names.append(Name(series: series, isInverted: sign))
        }
        return .named(names)
    }
}
