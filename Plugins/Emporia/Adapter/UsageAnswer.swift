import AdapterKit

/// What `getDeviceListUsages` says: kWh of one bucket, of every channel of the devices that were asked for.
struct UsageAnswer: Sendable {
    struct Entry: Sendable {
        var id: ChannelID
        var name: String
        /// Nil = not measured.
        var kWh: Double?
        /// The channel in whose entry the device's stands.
        var parent: ChannelID?
    }

    /// Each channel once, in the order of the answer.
    private(set) var entries: [Entry] = []
    private var places: [ChannelID: Int] = [:]

    private static let mostEntries = 2000

    /// Nil where it is no answer of that kind.
    init?(_ json: JSON) {
        guard let devices = json["deviceListUsages"]?["devices"]?.list else { return nil }
        for device in devices { add(device, below: nil) }
    }

    subscript(_ id: ChannelID) -> Entry? { places[id].map { entries[$0] } }

    /// As deep as JSON is read.
    private mutating func add(_ device: JSON, below parent: ChannelID?) {
        guard let gid = device["deviceGid"]?.integer else { return }
        for channel in device["channelUsages"]?.list ?? [] {
            guard let number = channel["channelNum"]?.text, number.utf8.count <= ChannelID.longestNumber else {
                continue
            }
            let id = ChannelID(device: channel["deviceGid"]?.integer ?? gid, number: number)
            let name = channel["name"]?.text?.shortened ?? ""
            add(Entry(id: id, name: name, kWh: channel["usage"]?.number, parent: parent))
            for nested in channel["nestedDevices"]?.list ?? [] { add(nested, below: id) }
        }
    }

    /// A device that was asked for by itself, too, may stand there twice.
    fileprivate mutating func add(_ entry: Entry) {
        if let place = places[entry.id] {
            entries[place].kWh = entries[place].kWh ?? entry.kWh
            entries[place].parent = entries[place].parent ?? entry.parent
        } else if entries.count < Self.mostEntries {
            places[entry.id] = entries.count
            entries.append(entry)
        }
    }
}

/// What `getChartUsage` says: kWh of one channel, bucket by bucket.
struct ChartAnswer: Sendable {
    /// Nanoseconds since the epoch.
    var start: Int64
    /// Nil = not measured.
    var kWh: [Double?]

    private static let mostBuckets = 2000

    /// - Parameter start: where the answer does not say when it begins.
    init?(_ json: JSON, start: Int64) {
        guard let usages = json["usageList"]?.list else { return nil }
        self.start = json["firstUsageInstant"]?.text.flatMap(ISOTime.nanoseconds) ?? start
        kWh = usages.prefix(Self.mostBuckets).map(\.number)
    }
}

extension UsageAnswer {
    /// Takes what is missing from an answer to the same question.
    mutating func fill(from other: UsageAnswer) {
        for entry in other.entries { add(entry) }
    }
}
