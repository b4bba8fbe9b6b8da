import AdapterKit

/// Which channel is what in this house: made anew when a meter is found or renamed.
struct HouseLayout: Sendable {
    /// Which way a channel counts.
    enum Sense: Sendable {
        case forward, backward
        /// Of a roof nobody has said it: the way in which more energy has gone.
        case byCounters
    }

    /// Where a number comes from.
    struct Place: Sendable {
        var meter: Int
        var channel: ChannelName
        var sense: Sense
    }

    struct Branch: Sendable {
        /// Without its numbers.
        var circuit: Circuit
        var place: Place
    }

    private(set) var known: KnownPowers = []
    private(set) var mains: [Place] = []
    private(set) var solar: [Place] = []
    private(set) var branches: [Branch] = []
    /// What the settings name and nobody has heard of.
    private(set) var missing: [String] = []
    /// What a person should know or do.
    private(set) var problems: [String] = []
    /// The three-phase meter that is taken for the mains because nobody says otherwise.
    private(set) var foundMains: String?
    /// For the log.
    private(set) var summary = ""

    /// The host refuses a reading of more.
    private static let mostCircuits = 4096

    /// Before anything is found.
    init(_ preferences: Preferences, rememberedMains: String?) {
        if case .named = preferences.solar { known.insert(.solar) }
        switch preferences.mains {
        case .named: known.insert(.grid)
        // A roof without a grid has no total: what the total means must not change when the grid's meter is found.
        case .unsaid where rememberedMains != nil || known.contains(.solar): known.insert(.grid)
        case .unsaid, .none: break
        }
    }

    /// - Parameter isMainsAwaited: the remembered mains have not been heard of yet, and no other meter takes their place.
    init(_ meters: [Meter], _ preferences: Preferences, rememberedMains: String?, isMainsAwaited: Bool) {
        self.init(preferences, rememberedMains: rememberedMains)
        let ready = meters.indices.filter { meters[$0].isReady && !meters[$0].isForeign }
            .sorted { meters[$0].id < meters[$1].id }
        switch preferences.mains {
        case .named(let references): mains = find(references, "SHELLY_MAINS", meters, ready, otherwise: .forward)
        case .none: break
        case .unsaid:
            mains = threePhaseMeter(meters, ready, rememberedMains, isAwaited: isMainsAwaited)
            if !mains.isEmpty { known.insert(.grid) }
        }
        if case .named(let references) = preferences.solar {
            solar = find(references, "SHELLY_SOLAR", meters, ready, otherwise: .byCounters).filter { place in
                !mains.contains { $0.meter == place.meter && $0.channel == place.channel }
            }
        }
        for place in ready { addBranches(of: place, meters) }
        if branches.count > Self.mostCircuits {
            branches.removeLast(branches.count - Self.mostCircuits)
            problems.append("more than \(Self.mostCircuits) channels: SHELLY_DEVICES names the meters to take")
        }
        summarise(meters)
    }

    // MARK: Roles

    private mutating func threePhaseMeter(
        _ meters: [Meter], _ ready: [Int], _ remembered: String?, isAwaited: Bool
    ) -> [Place] {
        let candidates = ready.filter { !meters[$0].threePhases.isEmpty }
        let before = candidates.first { meters[$0].id == remembered }
        if let remembered, before == nil, isAwaited {
            problems.append(
                "\(remembered), which was the grid, has not been heard of: where it is gone, SHELLY_MAINS says what is")
            return []
        }
        guard let place = before ?? candidates.first else { return [] }
        guard candidates.count == 1 || meters[place].id == remembered else {
            problems.append("there are several three-phase meters: SHELLY_MAINS says which is the grid (or none)")
            return []
        }
        foundMains = meters[place].id
        return meters[place].threePhases.map { Place(meter: place, channel: $0, sense: .forward) }
    }

    private mutating func find(
        _ references: [ChannelReference], _ setting: String, _ meters: [Meter], _ ready: [Int],
        otherwise sense: Sense
    ) -> [Place] {
        references.flatMap { reference -> [Place] in
            let found = ready.flatMap { Self.channels(reference, $0, meters[$0]) }
            guard let first = found.first else {
                missing.append(reference.written)
                problems.append("\(setting): nothing is found that is called '\(reference.written)'")
                return []
            }
            guard found.allSatisfy({ $0.meter == first.meter }) else {
                problems.append(
                    "\(setting): '\(reference.written)' is a channel of several devices: write DEVICE/CHANNEL")
                return []
            }
            return found.map { place in
                let said = reference.isInverted.map { $0 ? Sense.backward : .forward }
                return Place(meter: place.meter, channel: place.channel, sense: said ?? sense)
            }
        }
    }

    private static func channels(_ reference: ChannelReference, _ place: Int, _ meter: Meter) -> [Place] {
        let devices = [meter.id, meter.prefix].map { $0.lowercased() }
        let names = devices + [meter.name?.lowercased()].compactMap { $0 }
        let channels: [ChannelName]
        let exact = meter.channels.keys.filter { channel in
            let text = channel.text
            return reference.text == text || devices.contains { reference.text == "\($0)/\(text)" }
                || meter.channelNames[channel]?.lowercased() == reference.text
        }
        if !exact.isEmpty {
            channels = exact.sorted()
        } else if names.contains(reference.text) {
            channels = meter.threePhases.isEmpty ? meter.channels.keys.sorted() : meter.threePhases
        } else {
            channels = []
        }
        return channels.map { Place(meter: place, channel: $0, sense: .forward) }
    }

    // MARK: Circuits

    private mutating func addBranches(of place: Int, _ meters: [Meter]) {
        let meter = meters[place]
        for channel in meter.channels.keys.sorted() {
            if case .phase(let number, _) = channel, meter.channels[.total(number)] != nil { continue }
            let role = role(of: place, channel)
            guard case .total(let number) = channel else {
                branches.append(branch(meter, place, channel, role, name: meter.title(of: channel)))
                continue
            }
            let total = branch(meter, place, channel, role, name: meter.title(of: channel))
            // The phases of the mains are the mains.
            if role?.kind != .grid { branches.append(total) }
            for phase in 1...3 {
                var leg = branch(
                    meter, place, .phase(number, phase), role, name: "\(meter.title(of: channel)) L\(phase)")
                leg.circuit.kind = total.circuit.kind
                leg.circuit.phase = UInt32(phase)
                leg.circuit.parentID = role?.kind == .grid ? "" : total.circuit.id
                branches.append(leg)
            }
        }
    }

    private struct Role {
        var kind: Circuit.Kind
        var sense: Sense
        var phase: UInt32
    }

    private func role(of meter: Int, _ channel: ChannelName) -> Role? {
        for (places, kind) in [(mains, Circuit.Kind.grid), (solar, .solar)] {
            guard let index = places.firstIndex(where: { $0.meter == meter && $0.channel == channel }) else { continue }
            let isPhase = kind == .grid && (2...3).contains(places.count)
            return Role(kind: kind, sense: places[index].sense, phase: isPhase ? UInt32(index + 1) : 0)
        }
        return nil
    }

    private func branch(_ meter: Meter, _ place: Int, _ channel: ChannelName, _ role: Role?, name: String) -> Branch {
        let kind = role?.kind ?? Circuit.Kind(guessedFrom: name)
        var circuit = Circuit(id: "\(meter.id)/\(channel.text)", name: name, kind: kind)
        circuit.phase = role?.phase ?? 0
        let sense = role?.sense ?? (kind == .solar ? .byCounters : .forward)
        return Branch(circuit: circuit, place: Place(meter: place, channel: channel, sense: sense))
    }

    private mutating func summarise(_ meters: [Meter]) {
        func list(_ places: [Place]) -> String {
            let names = places.map { "\(meters[$0.meter].id)/\($0.channel.text)" }
            return names.isEmpty ? "none" : names.joined(separator: " + ")
        }
        summary = "grid: \(list(mains)), solar: \(list(solar)), circuits: \(branches.count)"
    }
}

extension Meter {
    /// What a person knows a channel as.
    func title(of channel: ChannelName) -> String {
        if let name = channelNames[channel] { return name }
        guard case .total = channel else { return "\(name ?? id) \(channel.text)" }
        return name ?? id
    }
}
