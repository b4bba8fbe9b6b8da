import AdapterKit

/// Where the broker is: `mqtt://host:1883`, or with TLS `mqtts://host:8883`.
struct BrokerAddress: Hashable, Sendable {
    var host: String
    var port: Int32
    var isEncrypted: Bool

    /// As a person wrote it, with the port.
    var text: String {
        "\(isEncrypted ? "mqtts" : "mqtt")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    init(_ url: String) throws(AdapterError) {
        let words = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, ["mqtt", "mqtts"].contains(words[0].lowercased()) else {
            throw Self.refused("must begin with mqtt:// or mqtts://")
        }
        isEncrypted = words[0].lowercased() == "mqtts"
        var place = words[1]
        if place.hasSuffix("/") { place.removeLast() }
        guard !place.contains("@") else {
            throw Self.refused(
                "must not hold a user or a password: set SHELLY_MQTT_USERNAME and SHELLY_MQTT_PASSWORD")
        }
        guard !place.contains(where: { "/?#".contains($0) || $0.isWhitespace || $0 == "\0" }) else {
            throw Self.refused("is more than a host and a port")
        }
        let (name, number) = try Self.split(place)
        guard !name.isEmpty, name.utf8.count <= 253 else { throw Self.refused("names no host") }
        host = String(name)
        guard let number else {
            port = isEncrypted ? 8883 : 1883
            return
        }
        guard let port = Int32(number), (1...65_535).contains(port) else {
            throw Self.refused("has a port that is none: 1 to 65535 is allowed")
        }
        self.port = port
    }

    /// An address of IPv6 stands in brackets.
    private static func split(_ place: Substring) throws(AdapterError) -> (Substring, Substring?) {
        if place.hasPrefix("[") {
            guard let end = place.firstIndex(of: "]") else { throw refused("has a bracket without its end") }
            let rest = place[place.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw refused("is more than a host and a port") }
            return (place[place.index(after: place.startIndex)..<end], rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = place.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw refused("has more than one port: an address of IPv6 stands in brackets") }
        return (parts[0], parts.count == 2 ? parts[1] : nil)
    }

    private static func refused(_ reason: String) -> AdapterError {
        AdapterError(.misconfigured, "SHELLY_MQTT_URL \(reason), such as mqtt://broker.local:1883")
    }
}
