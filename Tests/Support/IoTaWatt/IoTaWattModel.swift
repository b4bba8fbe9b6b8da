public import Foundation

/// What an IoTaWatt measures and how it is set up. The house repeats itself every day of UTC, so that the energy of any
/// time is known exactly.
public struct IoTaWattModel: Sendable {
    public struct Input: Sendable {
        public enum Kind: Sendable {
            case voltage(volts: Double, hertz: Double)
            /// Watts by the second of the day (UTC), constant for 5 s; the power factor; the channel of its voltage.
            case power(watts: @Sendable (Int) -> Double, powerFactor: Double, voltage: Int)
        }
        public var channel: Int
        public var name: String
        public var kind: Kind
        public var isReversed = false

        public init(_ channel: Int, _ name: String, _ kind: Kind) {
            self.channel = channel
            self.name = name
            self.kind = kind
        }
    }

    /// A script of the owner's: a sum of inputs.
    public struct Output: Sendable {
        public var name: String
        public var units: String
        public var terms: [(factor: Double, channel: Int)]

        public init(_ name: String, units: String = "Watts", _ terms: [(factor: Double, channel: Int)]) {
            self.name = name
            self.units = units
            self.terms = terms
        }
    }

    public var deviceName = "IotaWatt"
    public var version = "02_08_03"
    public var timeZone = TimeZone(secondsFromGMT: 0)
    public var inputs: [Input]
    public var outputs: [Output]
    /// Oldest keys of the two logs, seconds since the epoch: multiples of 5 and of 60.
    public var currentLogFrom: Int
    public var historyLogFrom: Int
    /// Stretches in which the device was off, seconds since the epoch, multiples of 5.
    public var holes: [Range<Int>] = []
    /// How long after its time a record of the log is there.
    public var logLagSeconds = 0.0
    /// Forms of older firmware.
    public var padsWatts = false
    public var keepsTrailingDots = false
    public var sendsTextJSON = false

    public init(inputs: [Input], outputs: [Output] = [], currentLogFrom: Int, historyLogFrom: Int) {
        self.inputs = inputs
        self.outputs = outputs
        self.currentLogFrom = currentLogFrom
        self.historyLogFrom = historyLogFrom
    }

    /// A house with two mains legs, a roof whose CT counts production as negative, and eleven branches: 14 CTs.
    ///
    /// - Parameter now: the end of the logs: a year of the current log and ten of the history log lie before it.
    public static func house(now: Int) -> IoTaWattModel {
        let branches: [(String, @Sendable (Int) -> Double)] = [
            ("heat_pump", { 900 + 600 * wave($0, 1800) }),
            ("ev_charger", { (64_800..<79_200).contains($0) ? 7200 : 3 }),
            ("kitchen", { 120 + 80 * wave($0, 3600) }), ("oven", { (61_200..<63_000).contains($0) ? 2100 : 0 }),
            ("dryer", { (36_000..<39_600).contains($0) ? 2400 : 1.5 }), ("washer", { 40 + 35 * wave($0, 700) }),
            ("lights_1", { $0 < 25_200 || $0 > 61_200 ? 90 : 12 }), ("lights_2", { 20 + 10 * wave($0, 5400) }),
            ("office", { (28_800..<61_200).contains($0) ? 180 : 35 }), ("garage", { 15 + 5 * wave($0, 900) }),
            ("water_heater", { $0 % 7200 < 900 ? 3000 : 0 }),
        ]
        let sun: @Sendable (Int) -> Double = { second in
            guard (21_600..<72_000).contains(second) else { return -4 }
            // Clouds: within every minute the roof passes between full and a fifth.
            let arch = sin(Double(second - 21_600) / 50_400 * .pi)
            return 5200 * arch * (second % 60 < 30 ? 1 : 0.2)
        }
        let loads = branches.map(\.1)
        let leg: @Sendable (Int) -> Double = { second in
            (loads.reduce(0) { $0 + $1(second) } - sun(second)) / 2
        }
        var inputs = [
            Input(0, "voltage", .voltage(volts: 121.9, hertz: 60.01)),
            Input(1, "main_1", .power(watts: leg, powerFactor: 0.97, voltage: 0)),
            Input(2, "main_2", .power(watts: leg, powerFactor: 0.95, voltage: 0)),
            Input(3, "solar", .power(watts: { -sun($0) }, powerFactor: 0.99, voltage: 0)),
        ]
        for (index, branch) in branches.enumerated() {
            inputs.append(
                Input(
                    index + 4, branch.0,
                    .power(watts: branch.1, powerFactor: 0.9 + Double(index) / 120, voltage: 0)))
        }
        let midnight = now / 86_400 * 86_400
        return IoTaWattModel(
            inputs: inputs,
            outputs: [
                Output("total_use", [(1, 1), (1, 2), (-1, 3)]), Output("line_volts", units: "Volts", [(2, 0)]),
            ], currentLogFrom: midnight - 365 * 86_400, historyLogFrom: midnight - 3650 * 86_400)
    }

    // MARK: The truth

    /// Watts of an input in the 5 s that begin at `key`.
    public func watts(_ name: String, at key: Int) -> Double? {
        guard let input = inputs.first(where: { $0.name == name }), case .power(let watts, _, _) = input.kind,
            !holes.contains(where: { $0.contains(key) })
        else { return nil }
        return watts(key % 86_400 / 5 * 5)
    }

    /// What inputs add up to within (from, to]: the mean, and the energies by sign, of what was measured.
    public func total(
        _ terms: [String: Double], from: Int, to: Int
    ) -> (meanW: Double, positiveKWh: Double, negativeKWh: Double) {
        var (count, positive, negative) = (0, 0.0, 0.0)
        for key in stride(from: from, to: to, by: 5) {
            let values = terms.compactMap { name, factor in watts(name, at: key).map { factor * $0 } }
            guard values.count == terms.count else { continue }
            let sum = values.reduce(0, +)
            count += 1
            if sum > 0 { positive += sum } else { negative -= sum }
        }
        let hours = 5.0 / 3600 / 1000
        return ((positive - negative) / Double(max(1, count)), positive * hours, negative * hours)
    }

    /// 0 to 1 and back within `period` seconds.
    private static func wave(_ second: Int, _ period: Double) -> Double {
        (1 + sin(Double(second) / period * 2 * .pi)) / 2
    }
}
