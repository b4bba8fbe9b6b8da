import AdapterKit

/// The meters as history needs them: a copy of what the thread knows.
struct HistoryPlan: Sendable {
    /// A log in a device's flash.
    struct Log: Hashable, Sendable {
        /// In `meters`.
        var meter: Int
        var prefix: String
        /// `em1data` or `emdata`.
        var component: Component

        var namespace: String { component.kind == .em1data ? "EM1Data" : "EMData" }

        /// What a record holds, with what its keys begin with.
        var channels: [(channel: ChannelName, prefix: String)] {
            guard component.kind == .emdata else { return [(.single(component.number), "")] }
            return ChannelName.letters.enumerated().map { index, letter in
                (.phase(component.number, index + 1), "\(letter)_")
            }
        }
    }

    var meters: [Meter]
    var layout: HouseLayout
    var logs: [Log]
    /// Devices that are named in the settings and have not said yet what they are.
    var missing: [String]
    /// False while meters are still being looked for.
    var isSettled: Bool

    init(_ meters: [Meter], _ layout: HouseLayout, _ preferences: Preferences, isSettled: Bool) {
        self.isSettled = isSettled
        self.meters = meters
        self.layout = layout
        missing = preferences.devices.filter { device in !meters.contains { $0.prefix == device && $0.isReady } }
        logs = meters.indices.flatMap { place -> [Log] in
            let meter = meters[place]
            guard meter.dialect == .gen2, meter.isReady, !meter.isForeign else { return [] }
            return meter.channels.keys.sorted().compactMap { channel in
                let component: Component?
                switch channel {
                case .single(let number): component = Component("em1data:\(number)")
                case .total(let number): component = Component("emdata:\(number)")
                case .emeter, .phase: component = nil
                }
                return component.map { Log(meter: place, prefix: meter.prefix, component: $0) }
            }
        }
    }
}
