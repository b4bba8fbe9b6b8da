import AdapterKit

/// What the account's devices are to the house, and how a reading is made of what they used.
struct House: Sendable {
    let devices: [DeviceTree.Device]
    /// Devices whose mains are the grid: those that hang on no other one.
    let monitors: [DeviceTree.Device]
    let known: KnownPowers
    private let channels: [ChannelID: DeviceTree.Channel]
    private var learned = Learned()

    /// What only figures tell, and no list of devices.
    struct Learned: Sendable {
        /// Solar channels, and whether they count production as negative: accounts differ.
        var isInverted: [ChannelID: Bool] = [:]
        /// Whether a circuit's figure comes without what hangs on it. Emporia has changed that, and may again.
        var isNet = false
    }

    /// - Parameters:
    ///   - names: names or numbers of the devices to take; empty = all.
    ///   - before: the house as it was known; what was learned stays, and what is known of it does not change.
    init(_ tree: DeviceTree, names: [String], before: House?) throws(AdapterError) {
        devices = try Self.chosen(tree.devices, names)
        monitors = devices.filter { device in
            device.parent == nil && !device.isAppliance && device.mains != nil
        }
        let all = devices.flatMap(\.channels)
        channels = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var known: KnownPowers = monitors.isEmpty ? [] : .grid
        if all.contains(where: \.isSolar) { known.insert(.solar) }
        self.known = before?.known ?? known
        learned = before?.learned ?? Learned()
    }

    private static func chosen(
        _ devices: [DeviceTree.Device], _ names: [String]
    ) throws(AdapterError) -> [DeviceTree.Device] {
        let shown = devices.prefix(20).map { "\($0.label) (\($0.gid))" }.joined(separator: ", ")
        for name in names where !devices.contains(where: { $0.isCalled(name) }) {
            throw AdapterError(
                .misconfigured,
                "EMPORIA_DEVICES names '\(name.prefix(80))', which is no device of the account; it has "
                    + (shown.isEmpty ? "none" : shown))
        }
        guard !devices.isEmpty else {
            throw AdapterError(.noData, "the Emporia account has no devices", retryAfterSeconds: 3600)
        }
        return names.isEmpty ? devices : devices.filter { device in names.contains { device.isCalled($0) } }
    }

    /// For the log; one line.
    var summary: String {
        func shown(_ labels: [String]) -> String { labels.isEmpty ? "none" : labels.joined(separator: " + ") }
        let zones = Set(devices.map(\.zone)).subtracting([""]).sorted().joined(separator: ", ")
        let solar = channels.values.filter { $0.isSolar && $0.parentNumber == nil }.map { name(of: $0.id, "") }
        return devices.map { "\($0.label) (\($0.gid), \($0.model))" }.joined(separator: ", ")
            + "; grid: \(shown(monitors.map(\.label))), solar: \(shown(solar.sorted()))"
            + (zones.isEmpty ? "" : ", zone: \(zones)")
    }

    // MARK: Nodes

    /// A channel as part of the house.
    struct Node: Hashable, Sendable {
        enum Role: Hashable, Sendable {
            case mains
            case solar
            case circuit(Circuit.Kind)
        }

        var id: ChannelID
        var name: String
        var role: Role
        /// The circuit that it hangs on; nil = directly below the mains.
        var parent: ChannelID?
        /// The channel in whose figure Emporia has the device.
        var container: ChannelID?
    }

    /// The channels of an answer that are measured each for itself; figures over others are none.
    func nodes(of usage: UsageAnswer) -> [Node] {
        usage.entries.filter(\.id.isMeasured).map { entry in
            let name = name(of: entry.id, entry.name)
            let container = isMain(entry.id) ? entry.parent ?? device(entry.id)?.parent : nil
            return Node(
                id: entry.id, name: name, role: role(of: entry.id, name), parent: parent(of: entry, container, usage),
                container: container)
        }
    }

    private func device(_ id: ChannelID) -> DeviceTree.Device? { devices.first { $0.gid == id.device } }
    private func isMonitor(_ gid: Int64) -> Bool { monitors.contains { $0.gid == gid } }
    private func isMain(_ id: ChannelID) -> Bool { channels[id]?.isMain ?? (id.number == ChannelID.mains) }

    private func role(of id: ChannelID, _ name: String) -> Node.Role {
        if channels[id]?.isSolar == true { return .solar }
        if isMain(id), isMonitor(id.device) { return .mains }
        if id.number == ChannelID.charger || device(id)?.isCharger == true { return .circuit(.ev) }
        let kind = Circuit.Kind(guessedFrom: name)
        // The others have signs of their own, which no name tells.
        return .circuit([.load, .ev, .heating].contains(kind) ? kind : .other)
    }

    private func name(of id: ChannelID, _ shown: String) -> String {
        if let name = channels[id]?.name, !name.isEmpty { return name }
        let device = device(id)?.label ?? ""
        if isMain(id), !device.isEmpty { return device }
        if !shown.isEmpty, shown != id.number { return shown }
        return device.isEmpty ? "Circuit \(id.number)" : "\(device) \(id.number)"
    }

    private func parent(of entry: UsageAnswer.Entry, _ container: ChannelID?, _ usage: UsageAnswer) -> ChannelID? {
        var parent = container
        if let number = channels[entry.id]?.parentNumber {
            parent = ChannelID(device: entry.id.device, number: number)
        } else if !isMain(entry.id), !isMonitor(entry.id.device) {
            parent = device(entry.id)?.mains ?? ChannelID(device: entry.id.device, number: ChannelID.mains)
        }
        guard let parent, parent != entry.id, parent.isMeasured, usage[parent] != nil else { return nil }
        // What hangs on the mains is at the top.
        return isMain(parent) && isMonitor(parent.device) ? nil : parent
    }

    // MARK: What is missing

    /// Channels that have no figure.
    func missing(of usage: UsageAnswer) -> Set<ChannelID> {
        Set(usage.entries.filter { $0.id.isMeasured && $0.kWh == nil }.map(\.id))
    }

    /// What Emporia answers when it is in trouble: a house whose mains and circuits use exactly nothing.
    func isAllZero(_ usage: UsageAnswer) -> Bool {
        let figures = usage.entries.filter(\.id.isMeasured).compactMap(\.kWh)
        return !monitors.isEmpty && !figures.isEmpty && figures.allSatisfy { $0 == 0 }
    }

    // MARK: Learning

    /// Looks at the figures of a bucket for what they tell of the account.
    /// - Parameter hours: its length.
    mutating func learn(from usage: UsageAnswer, nodes: [Node], hours: Double) {
        for node in nodes where node.role == .solar {
            // A little may be what an inverter draws at night, and a battery behind it takes much: a day tells more.
            guard let kWh = usage[node.id]?.kWh, abs(kWh) >= (hours > 1 ? 1 : 0.1 * hours),
                hours > 1 || learned.isInverted[node.id] == nil
            else { continue }
            learned.isInverted[node.id] = kWh < 0
        }
        guard hours <= 1 else { return }
        for monitor in monitors { learnNesting(of: monitor, usage, nodes) }
    }

    /// `Balance` is what the circuits as a whole leave of the mains: it tells whether they were shown as a whole.
    private mutating func learnNesting(of monitor: DeviceTree.Device, _ usage: UsageAnswer, _ nodes: [Node]) {
        let balance = usage[ChannelID(device: monitor.gid, number: "Balance")]?.kWh
        guard let mains = monitor.mains, var rest = usage[mains]?.kWh, let balance else { return }
        rest -= balance
        var nested = 0.0
        for node in nodes where node.role != .mains {
            guard let kWh = usage[node.id]?.kWh else { return }
            if node.role == .solar {
                if node.id.device == monitor.gid, node.parent == nil { rest += production(node.id, kWh) }
            } else if node.parent == nil, node.id.device == monitor.gid || node.container == mains {
                rest -= kWh
            } else if let container = node.container, container.device == monitor.gid {
                nested += kWh
            }
        }
        // Of a few watts nothing can be told.
        guard nested >= 0.0005 else { return }
        learned.isNet = abs(rest - nested) < abs(rest)
    }

    private func production(_ id: ChannelID, _ kWh: Double) -> Double {
        learned.isInverted[id].map { $0 ? -kWh : kWh } ?? abs(kWh)
    }

    // MARK: Readings

    /// - Parameter usage: of the minute that ends at `end` (nanoseconds since the epoch).
    func reading(of usage: UsageAnswer, nodes: [Node], end: Int64) -> Reading {
        let values = whole(usage, nodes)
        var reading = reading(nodes, UsageWindow(count: 1, bucket: Cloud.Scale.minute.bucket) { id, _ in values[id] })
        reading.timestamp = end
        if let net = reading.gridPowerW.map({ $0 / 60_000 }), let (taken, given) = directions(usage),
            abs(taken - given - net) <= max(0.0005, 0.05 * max(taken, given))
        {
            reading.periodEnergy.importKWh = taken
            reading.periodEnergy.exportKWh = given
        }
        return reading
    }

    /// Figures of the circuits with all that hangs on them.
    private func whole(_ usage: UsageAnswer, _ nodes: [Node]) -> [ChannelID: Double] {
        var values: [ChannelID: Double] = [:]
        for entry in usage.entries { values[entry.id] = entry.kWh }
        guard learned.isNet else { return values }
        for node in nodes {
            guard let container = node.container, !isMain(container), let shown = values[container] else { continue }
            values[container] = values[node.id].map { shown + $0 }
        }
        return values
    }

    /// What the mains took and gave, where Emporia has it apart. The signs differ from account to account.
    private func directions(_ usage: UsageAnswer) -> (taken: Double, given: Double)? {
        var sums = (taken: 0.0, given: 0.0)
        for monitor in monitors {
            guard let taken = usage[ChannelID(device: monitor.gid, number: "MainsFromGrid")]?.kWh,
                let given = usage[ChannelID(device: monitor.gid, number: "MainsToGrid")]?.kWh
            else { return nil }
            sums.taken += abs(taken)
            sums.given += abs(given)
        }
        return sums
    }

    func reading(_ nodes: [Node], _ window: UsageWindow) -> Reading {
        var reading = Reading(known: known)
        reading.period = Int64(window.count) * window.bucket
        let mains = nodes.filter { $0.role == .mains }
        let solar = nodes.filter { $0.role == .solar && $0.parent == nil }
        reading.set(
            grid: mains.count == monitors.count ? window.sum(of: mains, { $1 }) : nil,
            solar: window.sum(of: solar, { production($0, $1) }))
        // The mains of one device are the grid; those of several are worth seeing one by one.
        let shown = nodes.filter { $0.role != .mains || mains.count > 1 }
        reading.circuits = shown.map { circuit($0, window) }
        return reading
    }

    private func circuit(_ node: Node, _ window: UsageWindow) -> Circuit {
        let kind: Circuit.Kind =
            switch node.role {
            case .mains: .grid
            case .solar: .solar
            case .circuit(let kind): kind
            }
        var circuit = Circuit(id: node.id.circuit, name: node.name, kind: kind)
        circuit.parentID = node.parent?.circuit ?? ""
        circuit.set(window.sum(of: [node]) { id, kWh in node.role == .solar ? production(id, kWh) : kWh })
        return circuit
    }

    /// The house's consumption since its midnight; nil = not to be told.
    /// - Parameter usage: of a day.
    func dayEnergy(of usage: UsageAnswer, nodes: [Node]) -> Double? {
        guard !monitors.isEmpty else { return nil }
        var sum = 0.0
        for monitor in monitors {
            let total = usage[ChannelID(device: monitor.gid, number: "TotalUsage")]?.kWh
            guard let mains = monitor.mains, let net = usage[mains]?.kWh else { return nil }
            let solar = nodes.filter { $0.role == .solar && $0.parent == nil && $0.id.device == monitor.gid }
            var produced = 0.0
            for node in solar {
                guard let kWh = usage[node.id]?.kWh else { return nil }
                produced += production(node.id, kWh)
            }
            sum += solar.isEmpty ? net : total ?? net + produced
        }
        return sum >= 0 ? sum : nil
    }
}

extension DeviceTree.Device {
    fileprivate func isCalled(_ name: String) -> Bool {
        name == String(gid) || name.lowercased() == self.name.lowercased()
    }

    fileprivate var isCharger: Bool { isAppliance && model.hasPrefix("VVDN") }
}
