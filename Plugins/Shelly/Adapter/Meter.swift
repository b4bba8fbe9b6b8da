import AdapterKit

/// One device, as far as its messages have told.
struct Meter: Sendable {
    enum Dialect: Hashable, Sendable {
        /// A topic a value.
        case gen1
        /// JSON-RPC frames.
        case gen2
    }

    let dialect: Dialect
    /// What its topics begin with; of Gen1 the id, behind `shellies/`.
    let prefix: String
    /// By the clock of deadlines.
    let foundAt: Int64
    /// The device's own id, which stays when its topics are renamed.
    private(set) var deviceID: String?
    private(set) var model: String?
    /// What its owner calls it.
    private(set) var name: String?
    private(set) var channelNames: [ChannelName: String] = [:]
    /// Also of channels of which nothing is measured at present.
    private(set) var channels: [ChannelName: Channel] = [:]
    private(set) var isOffline = false
    /// When something of now was last heard of it.
    private(set) var heardAt: Int64?
    /// For how long the broker had been there when something was last heard of it, in nanoseconds.
    private(set) var heardAfter: Int64 = 0
    /// Whether all is known of it that there is to know before its first reading.
    var isReady = false
    /// It is no energy meter.
    var isForeign = false
    /// The device speaks under other topics now.
    private(set) var isRetired = false
    var inquiry = Inquiry()

    init(_ dialect: Dialect, prefix: String, foundAt: Int64) {
        self.dialect = dialect
        self.prefix = prefix
        self.foundAt = foundAt
    }

    /// What history hangs on.
    var id: String { deviceID ?? prefix.cut(toBytes: Self.longestText) }

    /// No text of a circuit is longer than 255 bytes.
    static let longestText = 200

    /// What a three-phase meter measures together; empty = it is none.
    var threePhases: [ChannelName] {
        if channels[.total(0)] != nil { return [.total(0)] }
        let emeters = channels.keys.filter { if case .emeter = $0 { true } else { false } }.sorted()
        return emeters.count == 3 ? emeters : []
    }

    var isMeasuring: Bool { !isOffline && heardAt != nil }

    /// Whether it writes down what it measures.
    var keepsLog: Bool { dialect == .gen2 && isReady && !isForeign && !channels.isEmpty }

    // MARK: What it is

    /// - Returns: whether that is news.
    mutating func identify(id: String?, model: String?, name: String?) -> Bool {
        let before = (deviceID, self.model, self.name)
        if let id, !id.isEmpty, id.utf8.count <= Self.longestText { deviceID = id }
        if let model { self.model = model.cut(toBytes: Self.longestText) }
        if let name, !name.isEmpty { self.name = name.cut(toBytes: Self.longestText) }
        if dialect == .gen1 {
            let emeters = model == "SHEM-3" ? 3 : model == "SHEM" ? 2 : 0
            for number in 0..<emeters where channels[.emeter(number)] == nil { channels[.emeter(number)] = Channel() }
        }
        return before != (deviceID, self.model, self.name)
    }

    mutating func call(_ channel: ChannelName, _ name: String?) {
        channelNames[channel] = name.flatMap { $0.isEmpty ? nil : $0.cut(toBytes: Self.longestText) }
    }

    // MARK: Whether it is there

    mutating func hear(at monotonic: Int64, after connectedTime: Int64) {
        heardAt = monotonic
        heardAfter = connectedTime
        isOffline = false
    }

    /// What it said is not of now any more.
    mutating func forget() {
        heardAt = nil
        for channel in channels.keys { channels[channel] = Channel() }
    }

    mutating func leave() {
        forget()
        isOffline = true
    }

    mutating func retire() {
        forget()
        channels = [:]
        isOffline = false
        isReady = false
        isForeign = true
        isRetired = true
        inquiry.stop()
    }

    // MARK: What it says

    /// A value of a topic of its own.
    mutating func take(_ quantity: Gen1Quantity, emeter number: Int, _ value: Double?) {
        var channel = channels[.emeter(number)] ?? Channel()
        switch quantity {
        case .power: channel.powerW = value
        case .voltage: channel.voltageV = value
        case .current: channel.currentA = value
        case .powerFactor: channel.powerFactor = value.factor
        case .total: channel.forwardWh = value.counter
        case .totalReturned: channel.returnedWh = value.counter
        }
        channels[.emeter(number)] = channel
    }

    /// The status of a component, or what has changed of it, laid over what is known: null removes, and in a whole
    /// status so does what is not there.
    /// - Returns: whether it is one of an energy meter.
    mutating func merge(_ component: Component, _ status: JSON, isWhole: Bool) -> Bool {
        guard let members = status.members else { return false }
        func lay(_ key: String, over value: inout Double?) {
            if let new = members[key] { value = new.number } else if isWhole { value = nil }
        }
        func change(_ name: ChannelName, _ body: (inout Channel) -> Void) {
            body(&channels[name, default: Channel()])
        }
        func takePower(_ prefix: String, _ channel: inout Channel) {
            lay("\(prefix)act_power", over: &channel.powerW)
            lay("\(prefix)voltage", over: &channel.voltageV)
            lay("\(prefix)current", over: &channel.currentA)
            lay("\(prefix)pf", over: &channel.powerFactor)
            lay("\(prefix)freq", over: &channel.frequencyHz)
            channel.powerFactor = channel.powerFactor.factor
        }
        func takeCounters(_ prefix: String, _ channel: inout Channel) {
            lay("\(prefix)total_act_energy", over: &channel.forwardWh)
            lay("\(prefix)total_act_ret_energy", over: &channel.returnedWh)
            channel.forwardWh = channel.forwardWh.counter
            channel.returnedWh = channel.returnedWh.counter
        }
        let number = component.number
        switch component.kind {
        case .em1: change(.single(number)) { takePower("", &$0) }
        case .em1data: change(.single(number)) { takeCounters("", &$0) }
        case .em:
            change(.total(number)) { lay("total_act_power", over: &$0.powerW) }
            for (index, letter) in ChannelName.letters.enumerated() {
                change(.phase(number, index + 1)) { takePower("\(letter)_", &$0) }
            }
        case .emdata:
            for (index, letter) in ChannelName.letters.enumerated() {
                change(.phase(number, index + 1)) { takeCounters("\(letter)_", &$0) }
            }
        }
        return true
    }
}

/// A part of a Gen2 device that measures energy: `em1:0`, `emdata:0`.
struct Component: Hashable, Sendable {
    enum Kind: String, Sendable {
        case em1, em1data, em, emdata
    }

    var kind: Kind
    var number: Int

    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), let number = Int(parts[1]),
            (0..<ChannelName.mostNumbers).contains(number)
        else { return nil }
        self.kind = kind
        self.number = number
    }

    /// The channel that a name in the device's configuration is of.
    var channel: ChannelName {
        switch kind {
        case .em1, .em1data: .single(number)
        case .em, .emdata: .total(number)
        }
    }
}

extension Double? {
    /// After a restart a device says -1 for a counter that it has not read yet.
    fileprivate var counter: Double? { flatMap { $0 >= 0 ? $0 : nil } }
    fileprivate var factor: Double? { flatMap { abs($0) <= 1 ? $0 : nil } }
}
