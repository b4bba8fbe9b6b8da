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
    /// Devices and channels that have to be heard of first.
    var missing: [String] = []
    /// False while meters are still being looked for.
    var isSettled = false
    /// Whether no log is to be expected.
    var isLogless = false

    init(_ meters: [Meter], _ layout: HouseLayout) {
        self.meters = meters
        self.layout = layout
        logs = meters.indices.flatMap { place -> [Log] in
            let meter = meters[place]
            guard meter.keepsLog else { return [] }
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
