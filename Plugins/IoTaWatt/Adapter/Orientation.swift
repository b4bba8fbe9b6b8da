import AdapterKit

/// Which series count production as negative. What the energy of a week has told is kept over restarts: a roof under
/// snow tells nothing.
struct Orientation: Sendable {
    /// Those that have a direction and of which no setting says it; others are forgotten.
    var series: [String] = [] {
        didSet { isInverted = isInverted.filter { series.contains($0.key) } }
    }
    /// Of the series of which it is known; true = production is negative.
    private(set) var isInverted: [String: Bool]

    /// Of a week; less may be what an inverter draws at night.
    private static let leastWattHours = 100.0

    init(stored: [UInt8]?) {
        let members = stored.flatMap { JSON.parse($0) }?.members ?? [:]
        isInverted = members.compactMapValues(\.flag)
    }

    /// Those of which it is not known.
    var unknown: [String] { series.filter { isInverted[$0] == nil } }

    /// - Parameter energies: watt hours of a week, in the order of the names.
    mutating func learn(_ energies: [Double?], of names: [String]) {
        for (name, energy) in zip(names, energies) {
            guard let energy, abs(energy) >= Self.leastWattHours else { continue }
            isInverted[name] = energy < 0
        }
    }

    var encoded: [UInt8] {
        let members = isInverted.sorted { $0.key < $1.key }.map { "\(JSON.quoted($0.key)):\($0.value)" }
        return Array("{\(members.joined(separator: ","))}".utf8)
    }
}
