public import Readings

/// What a history is asked of.
public enum HistorySeries: Hashable, Sendable {
    case total
    /// What the house uses less its top-level consuming circuits.
    case unmonitored
    /// By the durable number.
    case circuit(Int32)
}

/// What one series adds up to in a period. Nil = not measured.
public struct SeriesSum: Hashable, Sendable {
    /// In the positive direction; of the total: what the house uses.
    public var energy: Millijoules?
    public var returned: Millijoules?
    public var minimumPowerW: Double?
    public var maximumPowerW: Double?
    public var coveredSeconds = 0.0
    public var quality = Quality.unknown
    private var wattSeconds = 0.0
    private var hasPower = false

    /// Mean over the covered time.
    public var powerW: Double? { hasPower && coveredSeconds > 0 ? wattSeconds / coveredSeconds : nil }

    mutating func add(_ bucket: Bucket) {
        add(energy: bucket.energy.consumed ?? bucket.energy.imported, returned: nil)
        add(
            bucket.powerW, minimum: bucket.minimumPowerW, maximum: bucket.maximumPowerW, for: bucket.coveredSeconds,
            bucket.quality)
    }

    mutating func add(_ circuit: BucketCircuit) {
        add(energy: circuit.energy, returned: circuit.returned)
        add(
            circuit.powerW, minimum: circuit.minimumPowerW, maximum: circuit.maximumPowerW,
            for: circuit.coveredSeconds, circuit.quality)
    }

    mutating func add(_ remainder: BucketRemainder, of bucket: Bucket) {
        add(energy: remainder.energy, returned: nil)
        guard let powerW = remainder.powerW else { return }
        add(powerW, minimum: nil, maximum: nil, for: bucket.coveredSeconds, bucket.quality)
    }

    private mutating func add(energy: Millijoules?, returned: Millijoules?) {
        self.energy = self.energy +| energy
        self.returned = self.returned +| returned
    }

    private mutating func add(
        _ powerW: Double?, minimum low: Double?, maximum high: Double?, for seconds: Double, _ quality: Quality
    ) {
        coveredSeconds += seconds
        self.quality = self.quality.combined(with: quality)
        guard let powerW else { return }
        hasPower = true
        wattSeconds += powerW * seconds
        if let low { minimumPowerW = min(minimumPowerW ?? low, low) }
        if let high { maximumPowerW = max(maximumPowerW ?? high, high) }
    }
}

/// What of a bucket no circuit accounts for.
struct BucketRemainder {
    private(set) var energy: Millijoules?
    private(set) var powerW: Double?

    /// A circuit that was measured for less than this part of the bucket's time leaves the remainder unknown.
    private static let leastCoverage = 0.9

    /// - Parameter isTopLevel: of a circuit, by its durable number.
    init(of bucket: Bucket, isTopLevel: (Int32) -> Bool) {
        // Where only the grid is measured, use is import; what is exported comes from a source that nobody named.
        energy = bucket.energy.consumed ?? (bucket.energy.exported ?? 0 == 0 ? bucket.energy.imported : nil)
        powerW = bucket.powerW.flatMap { $0 >= 0 ? $0 : nil }
        for circuit in bucket.circuits where circuit.kind.isConsuming && isTopLevel(circuit.circuit) {
            let isCovered = circuit.coveredSeconds >= Self.leastCoverage * bucket.coveredSeconds
            energy = Self.difference(energy, isCovered ? circuit.energy : nil, -|)
            powerW = Self.difference(powerW, isCovered ? circuit.powerW : nil, -)
        }
    }

    private static func difference<Number>(
        _ first: Number?, _ second: Number?, _ minus: (Number, Number) -> Number
    ) -> Number? {
        guard let first, let second else { return nil }
        return minus(first, second)
    }
}

/// A local period of a history: a sum for each series that was asked for, in that order.
public struct HistoryPeriod: Hashable, Sendable {
    public var start: Instant
    public var end: Instant
    public var sums: [SeriesSum]

    /// Measured part of the whole period, 0 to 1.
    public func coverage(of sum: SeriesSum) -> Double {
        let seconds = Double(end - start) / 1e9
        return seconds > 0 ? min(1, sum.coveredSeconds / seconds) : 0
    }
}

/// Adds buckets up, in order of time, to the periods of a zone, for some series. Periods without a bucket are left out.
public struct HistorySums {
    private let series: [HistorySeries]
    /// Index in `series` by the circuit's durable number; -1 = not asked for.
    private let places: [Int]
    private let isTopLevel: [Bool]
    private var current: HistoryPeriod?

    /// - Parameter isTopLevel: by the circuit's durable number.
    public init(series: [HistorySeries], isTopLevel: [Bool]) {
        self.series = series
        self.isTopLevel = isTopLevel
        var places: [Int] = []
        for case (let index, .circuit(let number)) in series.enumerated() where number >= 0 {
            while places.count <= Int(number) { places.append(-1) }
            places[Int(number)] = index
        }
        self.places = places
    }

    /// Whether the circuits of buckets are looked at at all.
    public static func needsCircuits(_ series: [HistorySeries]) -> Bool { series.contains { $0 != .total } }

    /// Answers the period that this bucket is the first one after.
    /// - Parameter bounds: of the period that the bucket lies in; asked for once a period.
    public mutating func add(_ bucket: Bucket, within bounds: () -> Range<Instant>) -> HistoryPeriod? {
        var finished: HistoryPeriod?
        if let end = current?.end, bucket.start >= end { finished = finish() }
        if current == nil {
            let bounds = bounds()
            current = HistoryPeriod(
                start: bounds.lowerBound, end: bounds.upperBound,
                sums: [SeriesSum](repeating: SeriesSum(), count: series.count))
        }
        for (index, one) in series.enumerated() {
            switch one {
            case .total: current?.sums[index].add(bucket)
            case .unmonitored:
                let remainder = BucketRemainder(of: bucket) {
                    isTopLevel.indices.contains(Int($0)) && isTopLevel[Int($0)]
                }
                current?.sums[index].add(remainder, of: bucket)
            case .circuit: break
            }
        }
        for circuit in bucket.circuits {
            guard places.indices.contains(Int(circuit.circuit)) else { continue }
            let place = places[Int(circuit.circuit)]
            if place >= 0 { current?.sums[place].add(circuit) }
        }
        return finished
    }

    /// The last period; nil where there is none.
    public mutating func finish() -> HistoryPeriod? {
        defer { current = nil }
        return current
    }
}
