import AdapterKit

/// What `/status` says of the device, as far as it matters here.
struct DeviceStatus: Sendable {
    /// The device's clock, seconds since the epoch.
    var time: Int?
    var version: String?
    /// Numbers of the active inputs, in the order of `/query?show=series`; which shows those of voltage and power.
    var channels: [Int]
    var electricChannels: [Int]
    var outputs: [String]
    var logs: DeviceLogs?

    /// Nil where it is no IoTaWatt's.
    init?(_ json: JSON) {
        guard let inputs = json["inputs"]?.list else { return nil }
        func numbers(_ inputs: [JSON]) -> [Int] { inputs.compactMap { $0["channel"]?.looseInteger } }
        channels = numbers(inputs)
        guard channels.count == inputs.count else { return nil }
        electricChannels = numbers(inputs.filter { $0["Vrms"] != nil || $0["Watts"] != nil })
        outputs = (json["outputs"]?.list ?? []).compactMap { $0["name"]?.text }
        time = json["stats"]?["currenttime"]?.looseInteger
        version = json["stats"]?["version"]?.text
        logs = DeviceLogs(json["datalogs"])
    }
}

/// How far the device's logs reach. Seconds since the epoch, of the device's clock.
struct DeviceLogs: Hashable, Sendable {
    /// The log of 5 s.
    var currentFrom: Int
    var currentTo: Int
    /// The log of 1 min, which reaches further back; nil = there is none.
    var historyFrom: Int?

    var from: Int { min(currentFrom, historyFrom ?? currentFrom) }

    init?(_ json: JSON?) {
        // A list with names, and before that an object.
        func log(_ id: String, _ old: String) -> (from: Int, to: Int)? {
            let log = json?.list?.first { $0["id"]?.text == id } ?? json?[old]
            guard let from = log?["firstkey"]?.looseInteger, let to = log?["lastkey"]?.looseInteger, from > 0,
                to >= from,
                to < Self.latest
            else { return nil }
            return (from, to)
        }
        guard let current = log("Current", "currlog") else { return nil }
        currentFrom = current.from
        currentTo = current.to
        historyFrom = log("History", "histlog")?.from
    }

    /// Far enough from where nanoseconds end.
    private static let latest = 4_294_967_296
}

/// A series of `/query?show=series`.
struct Series: Hashable, Sendable {
    enum Unit: String, Sendable {
        case volts = "Volts"
        case watts = "Watts"
    }

    var name: String
    /// Nil: nothing that is read here (amperes, degrees).
    var unit: Unit?

    /// Nil where it is no list of series. An entry that makes no sense keeps its place: places are numbers of inputs.
    static func list(_ json: JSON) -> [Series]? {
        json["series"]?.list?.map { entry in
            Series(name: entry["name"]?.text ?? "", unit: entry["unit"]?.text.flatMap(Unit.init))
        }
    }

    /// Whether a query can name it: the device splits at commas and points.
    var isQueryable: Bool {
        !name.isEmpty && name.utf8.count <= 64 && !name.contains { ",.[]\"\\".contains($0) || $0.isNewline }
            && name.lowercased() != "time"
    }
}
