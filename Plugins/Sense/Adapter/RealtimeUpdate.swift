import AdapterKit

/// What `realtime_update` answers: what the monitor measured last. It has no time of its own.
struct RealtimeUpdate: Sendable {
    /// A device that is on.
    struct Device: Sendable {
        var id: String
        var name: String
        var icon: String
        var powerW: Double?
    }

    /// Consumption of the house.
    var consumptionW: Double?
    var solarW: Double?
    /// Import; negative = export.
    var gridW: Double?
    var voltagesV: [Double?]
    var frequencyHz: Double?
    /// Counts on while the monitor measures.
    var frame: Int64?
    /// Nil = nothing is said of devices: something is always on, so that an empty list says nothing either.
    var devices: [Device]?

    /// More devices than Sense ever finds in a house.
    static let mostDevices = 500
    /// What the host takes for a name, in bytes.
    private static let longestName = 255

    /// Nil where no power is in it.
    init?(_ json: JSON) {
        consumptionW = json["w"]?.number
        solarW = json["solar_w"]?.number
        gridW = json["grid_w"]?.number
        guard consumptionW != nil || gridW != nil else { return nil }
        voltagesV = (json["voltage"]?.list ?? []).prefix(3).map(\.number)
        frequencyHz = json["hz"]?.number
        frame = json["frame"]?.integer
        if let list = json["devices"]?.list, !list.isEmpty {
            devices = list.prefix(Self.mostDevices).compactMap(Device.init)
        }
    }

    /// What the grid gives where there is a roof: by the same figures that the consumption is of.
    var importW: Double? {
        guard let consumptionW, let solarW else { return gridW }
        return consumptionW - solarW
    }

    /// An id or a name that the host takes, without signs that are no letters; nil where nothing is left.
    static func words(_ text: String?) -> String? {
        guard let text else { return nil }
        var words = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7F {
            bytes += UTF8.width(scalar)
            guard bytes <= longestName else { break }
            words.append(scalar)
        }
        return words.isEmpty ? nil : String(words)
    }
}

extension RealtimeUpdate.Device {
    init?(_ json: JSON) {
        guard let id = RealtimeUpdate.words(json["id"]?.text) else { return nil }
        self.id = id
        name = RealtimeUpdate.words(json["name"]?.text) ?? id
        icon = RealtimeUpdate.words(json["icon"]?.text) ?? ""
        powerW = json["w"]?.number
    }
}
