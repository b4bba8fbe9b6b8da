/// What a topic is about, told from its text alone.
enum Topic: Hashable {
    /// A value of a Gen1 meter: `shellies/<id>/emeter/<number>/<quantity>`.
    case value(id: String, emeter: Int, quantity: Gen1Quantity)
    /// `shellies/announce`, `shellies/<id>/announce`.
    case announce
    /// Of a Gen1 device.
    case gen1Online(id: String)
    /// Of a Gen2 device.
    case online(prefix: String)
    /// `<prefix>/events/rpc`
    case events(prefix: String)
    /// `<prefix>/status/<component>`
    case status(prefix: String, component: String)
    /// `<our own>/rpc`
    case answer

    /// - Parameter own: what our questions name as their source.
    init?(_ topic: String, own: String) {
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, let last = parts.last else { return nil }
        if parts.count == 2, last == "rpc", parts[0] == own {
            self = .answer
        } else if parts.count >= 3, last == "rpc", parts[parts.count - 2] == "events" {
            self = .events(prefix: String(topic.dropLast("/events/rpc".count)))
        } else if parts.count >= 3, parts[parts.count - 2] == "status" {
            self = .status(prefix: String(topic.dropLast("/status/".count + last.count)), component: String(last))
        } else if parts[0] == "shellies" {
            self.init(gen1: parts)
        } else if last == "online" {
            self = .online(prefix: String(topic.dropLast("/online".count)))
        } else {
            return nil
        }
    }

    private init?(gen1 parts: [Substring]) {
        switch (parts.count, parts.last) {
        case (5, let last?):
            guard parts[2] == "emeter", !parts[1].isEmpty, let quantity = Gen1Quantity(rawValue: String(last)),
                let number = Int(parts[3]), (0..<ChannelName.mostNumbers).contains(number)
            else { return nil }
            self = .value(id: String(parts[1]), emeter: number, quantity: quantity)
        case (3, "online"?): self = .gen1Online(id: String(parts[1]))
        case (2...3, "announce"?): self = .announce
        default: return nil
        }
    }
}

/// What a Gen1 meter publishes, each as a topic of its own. `energy` and `returned_energy` are left out: they count
/// from zero after each restart, and `total` does not.
enum Gen1Quantity: String, Hashable {
    case power
    case voltage
    case current
    case powerFactor = "pf"
    case total
    case totalReturned = "total_returned"
}
