import AdapterKit

/// A point of both clocks, in nanoseconds.
struct Moment: Hashable, Sendable {
    var wall: Int64
    var monotonic: Int64

    static let second: Int64 = 1_000_000_000
}

/// All that the broker's messages say, assembled: which meters there are, what they measure now, and whole readings of
/// it. Time is passed in; what is to be sent goes to `outgoing`.
struct Household {
    enum Outgoing: Hashable {
        case subscribe(String)
        case publish(topic: String, payload: String)
    }

    struct Key: Hashable {
        var dialect: Meter.Dialect
        var prefix: String
    }

    let preferences: Preferences
    /// What our questions name as their source; answers come to `<own>/rpc`.
    let own: String
    /// Never removed: places in it are kept.
    var meters: [Meter] = []
    private var places: [Key: Int] = [:]
    var outgoing: [Outgoing] = []
    /// Answers to what `ask` has asked.
    var answers: [(request: Int, answer: JSON)] = []
    /// Things to say once, in the log.
    var news: [String] = []

    var layout: HouseLayout
    var isLayoutStale = false
    /// What was taken for the mains, to be remembered over a restart.
    var rememberedMains: String?

    /// Meters of a former run that kept a log, and have not been heard of in this one.
    private(set) var logsAwaited: Set<String>
    /// Those, and what was the mains then.
    private(set) var awaited: Set<String>

    var requests = 0
    /// Monotonic; nil = there is no connection.
    private(set) var connectedAt: Int64?
    /// Nanoseconds of former connections.
    private var connectedBefore: Int64 = 0
    /// Monotonic.
    private var tickedAt: Int64 = 0
    /// When the first message that is not in a reading yet came.
    var changedAt: Int64?
    /// Of the newest message, or of the silence that ended what a meter said.
    var newest = Moment(wall: 0, monotonic: 0)
    var emittedAt: Int64?
    private var hasRefusedMeters = false

    static let mostMeters = 256
    /// Without a sign for so long, a meter is not measured: 2.5 times the pause that its firmware makes at most.
    static let longestSilence = 150 * Moment.second

    /// - Parameter logKeepers: meters that kept a log in a former run.
    init(_ preferences: Preferences, own: String, rememberedMains: String?, logKeepers: Set<String>) {
        self.preferences = preferences
        self.own = own
        self.rememberedMains = rememberedMains
        logsAwaited = logKeepers
        awaited = logKeepers.union(preferences.mains == .unsaid ? [rememberedMains].compactMap { $0 } : [])
        layout = HouseLayout(preferences, rememberedMains: rememberedMains)
    }

    // MARK: The connection

    mutating func connect(at now: Moment) {
        connectedAt = now.monotonic
        tickedAt = now.monotonic
        var filters = ["\(own)/rpc", "shellies/announce"]
        if preferences.devices.isEmpty {
            filters += ["shellies/+/emeter/#", "shellies/+/online", "+/events/rpc", "+/online"]
        }
        for device in preferences.devices {
            filters += ["shellies/\(device)/emeter/#", "shellies/\(device)/online", "shellies/\(device)/announce"]
            filters += Self.filters(device)
        }
        for meter in meters where meter.dialect == .gen2 && preferences.devices.isEmpty {
            filters += Self.filters(meter.prefix)
        }
        outgoing = filters.map(Outgoing.subscribe)
        outgoing += ["announce", "update"].map { .publish(topic: "shellies/command", payload: $0) }
        for device in preferences.devices { find(.gen2, device, now) }
        for place in meters.indices where meters[place].dialect == .gen2 && !meters[place].isRetired {
            meters[place].inquiry.begin()
        }
    }

    /// A message that was missed may have said that all is different: nothing is known until it is heard anew.
    mutating func disconnect() {
        connectedBefore += connectedAt.map { tickedAt - $0 } ?? 0
        connectedAt = nil
        changedAt = nil
        outgoing = []
        for place in meters.indices {
            meters[place].forget()
            meters[place].inquiry.stop()
        }
    }

    /// For how long the broker has been there, all connections together.
    func connectedTime(at now: Moment) -> Int64 { connectedBefore + (connectedAt.map { now.monotonic - $0 } ?? 0) }

    mutating func noteTime(_ now: Moment) { tickedAt = now.monotonic }

    mutating func strike(_ id: String) {
        guard awaited.remove(id) != nil else { return }
        logsAwaited.remove(id)
        isLayoutStale = true
    }

    /// Of a device that was found, or is named.
    private static func filters(_ prefix: String) -> [String] {
        ["\(prefix)/events/rpc", "\(prefix)/status/+", "\(prefix)/online"]
    }

    // MARK: Messages

    mutating func take(_ message: BrokerConnection.Message, at now: Moment) {
        switch Topic(message.topic, own: own) {
        case nil: return
        case .value(let id, let emeter, let quantity)?:
            // What the broker has kept is not of now.
            guard !message.isRetained, isWanted(id), let place = find(.gen1, id, now) else { return }
            let value = JSON.parse(message.payload)?.number
            if meters[place].channels[.emeter(emeter)] == nil { isLayoutStale = true }
            hear(place, now)
            meters[place].take(quantity, emeter: emeter, value)
        case .announce?: announce(message.payload, now)
        case .gen1Online(let id)?: setOnline(.gen1, id, message, now)
        case .online(let prefix)?: setOnline(.gen2, prefix, message, now)
        case .events(let prefix)?: takeEvent(prefix, message, now)
        case .status(let prefix, let text)?:
            guard !message.isRetained, let component = Component(text), isWanted(prefix),
                let status = JSON.parse(message.payload), status.members != nil, let place = find(.gen2, prefix, now)
            else { return }
            merge([(component, status)], isWhole: true, place, now)
        case .answer?: takeAnswer(message.payload, now)
        }
    }

    private func isWanted(_ prefix: String) -> Bool {
        preferences.devices.isEmpty || preferences.devices.contains(prefix)
    }

    /// The meter of these topics, found now if it is new; nil where there is no room.
    @discardableResult
    mutating func find(_ dialect: Meter.Dialect, _ prefix: String, _ now: Moment) -> Int? {
        let key = Key(dialect: dialect, prefix: prefix)
        if let place = places[key] {
            // Topics that a device has left, and come back to.
            if meters[place].isRetired { meters[place] = newMeter(key, now) }
            return place
        }
        guard meters.count < Self.mostMeters, prefix.utf8.count <= 300, !prefix.isEmpty else {
            if !hasRefusedMeters { news.append("too many meters at the broker: no further ones are taken") }
            hasRefusedMeters = true
            return nil
        }
        if dialect == .gen2, preferences.devices.isEmpty {
            outgoing += Self.filters(prefix).map(Outgoing.subscribe)
        }
        meters.append(newMeter(key, now))
        places[key] = meters.count - 1
        return meters.count - 1
    }

    private func newMeter(_ key: Key, _ now: Moment) -> Meter {
        var meter = Meter(key.dialect, prefix: key.prefix, foundAt: now.monotonic)
        if key.dialect == .gen2 { meter.inquiry.begin() }
        return meter
    }

    /// Takes what a device says of itself. One whose topics were renamed is the same device: its former topics tell
    /// nothing any more.
    mutating func identify(_ place: Int, id: String?, model: String?, name: String?) {
        guard meters[place].identify(id: id, model: model, name: name) else { return }
        isLayoutStale = true
        guard let id = meters[place].deviceID else { return }
        for other in meters.indices where other != place && meters[other].deviceID == id {
            guard meters[other].dialect == meters[place].dialect, !meters[other].isRetired else { continue }
            meters[other].retire()
            news.append("\(id) has new topics: \(meters[place].prefix) instead of \(meters[other].prefix)")
        }
    }

    private mutating func hear(_ place: Int, _ now: Moment) {
        if meters[place].isOffline { news.append("\(meters[place].id) is online again") }
        meters[place].hear(at: now.monotonic, after: connectedTime(at: now))
        change(at: now)
    }

    /// There is something to be said in a reading.
    mutating func change(at now: Moment) {
        if changedAt == nil { changedAt = now.monotonic }
        newest = now
    }

    private mutating func announce(_ payload: [UInt8], _ now: Moment) {
        guard let said = JSON.parse(payload), let id = said["id"]?.text, let model = said["model"]?.text,
            ["SHEM", "SHEM-3"].contains(model), isWanted(id), let place = find(.gen1, id, now)
        else { return }
        identify(place, id: nil, model: model, name: nil)
        if !meters[place].isReady { isLayoutStale = true }
        meters[place].isReady = true
    }

    private mutating func setOnline(
        _ dialect: Meter.Dialect, _ prefix: String, _ message: BrokerConnection.Message, _ now: Moment
    ) {
        let key = Key(dialect: dialect, prefix: prefix)
        guard let isOnline = JSON.parse(message.payload)?.flag else { return }
        guard let place = places[key] else {
            // Others say so as well: only what is called like a meter is asked whether it is one.
            if isOnline, dialect == .gen2, isWanted(prefix), Self.isCalledLikeAMeter(prefix) {
                find(dialect, prefix, now)
            }
            return
        }
        if isOnline {
            guard dialect == .gen2, meters[place].isOffline, !message.isRetained else { return }
            meters[place].inquiry.begin()
        } else if !meters[place].isOffline {
            meters[place].leave()
            meters[place].inquiry.stop()
            change(at: now)
        }
    }

    private static func isCalledLikeAMeter(_ prefix: String) -> Bool {
        ["shellypro3em", "shellyproem", "shellyem", "shelly3em"].contains { prefix.hasPrefix($0) }
    }

    // MARK: Gen2

    private mutating func takeEvent(_ prefix: String, _ message: BrokerConnection.Message, _ now: Moment) {
        guard !message.isRetained, isWanted(prefix) else { return }
        let known = places[Key(dialect: .gen2, prefix: prefix)]
        // Plugs, lamps and doors speak here, too.
        guard known != nil || message.payload.hasWord(beginning: "em") else { return }
        guard let frame = JSON.parse(message.payload), let method = frame["method"]?.text,
            ["NotifyStatus", "NotifyFullStatus"].contains(method), let params = frame["params"]?.members
        else { return }
        let parts = params.compactMap { key, status in Component(key).map { ($0, status) } }
        guard !parts.isEmpty || known != nil, let place = find(.gen2, prefix, now) else { return }
        identify(place, id: frame["src"]?.text, model: nil, name: nil)
        merge(parts, isWhole: method == "NotifyFullStatus", place, now)
    }

    /// Any sign of a device says that what it has not mentioned has not changed.
    mutating func merge(_ parts: [(Component, JSON)], isWhole: Bool, _ place: Int, _ now: Moment) {
        guard !meters[place].isForeign || !parts.isEmpty else { return }
        let before = meters[place].channels.count
        let wasAway = meters[place].heardAt == nil
        hear(place, now)
        for (component, status) in parts { _ = meters[place].merge(component, status, isWhole: isWhole) }
        if meters[place].channels.count != before {
            meters[place].isForeign = false
            isLayoutStale = true
        }
        // It was away, or we were: what it does not repeat is asked for.
        if wasAway, meters[place].inquiry.questions.isEmpty { meters[place].inquiry.begin() }
    }
}

extension [UInt8] {
    /// Whether there is a text in quotes that begins so.
    fileprivate func hasWord(beginning word: StaticString) -> Bool {
        let wanted = "\"\(word)".utf8.map { $0 }
        guard count >= wanted.count else { return false }
        return indices.dropLast(wanted.count - 1).contains { start in
            self[start] == wanted[0] && self[start + 1] == wanted[1] && self[start + 2] == wanted[2]
        }
    }
}
