import AdapterKit

/// The devices that Sense has found in the house, and what is not to be found among those that are on: that one is off.
/// The only place where a value that is missing is a zero.
struct Devices: Sendable {
    private struct Known: Sendable {
        var id: String
        var name: String
        var kind: Circuit.Kind
    }

    private var known: [Known] = []
    private var places: [String: Int] = [:]
    /// Devices that the list has and that are not to be shown.
    private(set) var hidden: Set<String> = []
    /// Whether a device was on that the list did not have.
    private(set) var hasStranger = false

    static let solar = "solar"
    private static let longestList = 4 * RealtimeUpdate.mostDevices
    /// What the cloud infers beside devices: what never goes off, and what is left over.
    private static let inferred = ["always_on", "unknown"]

    /// What `devices/overview` answers; nil where it is no list.
    init?(overview: JSON) {
        guard let list = overview["devices"]?.list else { return nil }
        for device in Self.listed(list) { add(device.id, device.name, device.icon) }
        let all = list.prefix(Self.longestList).compactMap { RealtimeUpdate.Device($0)?.id }
        hidden = Set(all).subtracting(places.keys).subtracting(Self.inferred)
    }

    init() {}

    var count: Int { known.count }

    private mutating func add(_ id: String, _ name: String, _ icon: String) {
        guard id != Self.solar, places[id] == nil, known.count < RealtimeUpdate.mostDevices else { return }
        places[id] = known.count
        known.append(Known(id: id, name: name, kind: Self.kind(id, name, icon)))
    }

    // MARK: The list

    private struct Listed {
        var id: String
        var name: String
        var icon: String
        var created: String
        var isPlug: Bool
    }

    /// Without what was merged into another device, is hidden, or is the former life of a smart plug.
    private static func listed(_ list: [JSON]) -> [Listed] {
        var devices: [Listed] = []
        var plugs: [String: Int] = [:]
        for json in list.prefix(longestList) {
            guard let device = listed(json) else { continue }
            guard device.isPlug else {
                devices.append(device)
                continue
            }
            if let place = plugs[device.name] {
                if devices[place].created < device.created { devices[place] = device }
            } else {
                plugs[device.name] = devices.count
                devices.append(device)
            }
        }
        return devices
    }

    private static func listed(_ json: JSON) -> Listed? {
        guard let device = RealtimeUpdate.Device(json) else { return nil }
        let tags = json["tags"]
        if let merged = tags?["MergeId"], !merged.isNull, merged.text != "" { return nil }
        if isFalse(tags?["DeviceListAllowed"]) { return nil }
        return Listed(
            id: device.id, name: device.name, icon: device.icon, created: tags?["DateCreated"]?.text ?? "",
            isPlug: tags?["DefaultUserDeviceType"]?.text == "SmartPlug")
    }

    /// Tags say it as a text or as a flag.
    private static func isFalse(_ tag: JSON?) -> Bool {
        tag?.flag == false || tag?.text?.lowercased() == "false"
    }

    // MARK: Circuits

    /// A circuit a device, always in the same order. All are inferred by software, so they are estimates.
    mutating func circuits(of update: RealtimeUpdate) -> [Circuit] {
        guard let on = update.devices else { return [] }
        for device in on where places[device.id] == nil && device.id != Self.solar && !hidden.contains(device.id) {
            if !Self.inferred.contains(device.id) { hasStranger = true }
            add(device.id, device.name, device.icon)
        }
        var circuits = known.map { device in
            var circuit = Circuit(id: device.id, name: device.name, kind: device.kind)
            circuit.quality = .estimated
            circuit.powerW = 0
            return circuit
        }
        for device in on {
            guard let place = places[device.id] else { continue }
            circuits[place].name = device.name
            known[place].name = device.name
            circuits[place].powerW = device.powerW
        }
        return circuits
    }

    /// The name and kind that a device of the past has.
    func circuit(_ id: String, _ name: String, _ icon: String) -> Circuit {
        guard let place = places[id] else { return Circuit(id: id, name: name, kind: Self.kind(id, name, icon)) }
        return Circuit(id: id, name: known[place].name, kind: known[place].kind)
    }

    /// The roof, which is measured.
    static func solarCircuit(powerW: Double?) -> Circuit {
        var circuit = Circuit(id: solar, name: "Solar", kind: .solar)
        circuit.powerW = powerW
        return circuit
    }

    /// A device consumes, whatever it is called.
    private static func kind(_ id: String, _ name: String, _ icon: String) -> Circuit.Kind {
        guard !inferred.contains(id) else { return .other }
        let guess = Circuit.Kind(guessedFrom: name, icon)
        return guess == .ev || guess == .heating ? guess : .load
    }
}
