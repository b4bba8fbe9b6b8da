public import Readings

/// How long the periods are that buckets are summed over: by the clock on the wall.
public enum LocalPeriod: String, CaseIterable, Sendable {
    case quarter = "15m"
    case hour = "1h"
    case day = "1d"
    case month = "1mo"

    /// The period that an instant lies in: a day of 23, 24 or 25 hours, an hour of 30 or 90 minutes.
    public func bounds(containing instant: Instant, in zone: Zone) -> Range<Instant> {
        switch self {
        case .quarter:
            let start = (instant + 1).slotEnd(interval: Bucket.length) - Bucket.length
            return start..<(start + Bucket.length)
        case .hour: return zone.startOfHour(containing: instant)..<zone.nextHourStart(after: instant)
        case .day: return zone.startOfDay(containing: instant)..<zone.nextDayStart(after: instant)
        case .month: return zone.startOfMonth(containing: instant)..<zone.nextMonthStart(after: instant)
        }
    }

    /// Whether a day's fixed price is part of it: a share of it in an hour would be an invention.
    public var hasFixedPrice: Bool { self == .day || self == .month }
}

/// Money in millionths of the bill's currency: rounded once a bucket, so that hours add up to days and days to months.
public typealias MicroCurrency = Int64

/// The buckets of a local period, added up.
public struct EnergyPeriod: Hashable, Sendable {
    public var start: Instant
    public var end: Instant
    public var energy = Flows<Millijoules?>(repeating: nil)
    /// What is paid for, and the part of it for which no price was known.
    public var billed: Millijoules?
    public var unpriced: Millijoules = 0
    public var importCost: MicroCurrency?
    public var exportEarnings: MicroCurrency?
    public var fixedCost: MicroCurrency?
    public var minimumPowerW: Double?
    public var maximumPowerW: Double?
    public var coveredSeconds = 0.0
    private var wattSeconds = 0.0

    init(_ bounds: Range<Instant>) {
        start = bounds.lowerBound
        end = bounds.upperBound
    }

    /// Mean power over the covered time.
    public var powerW: Double? { maximumPowerW == nil || coveredSeconds == 0 ? nil : wattSeconds / coveredSeconds }

    /// Measured part of the whole period, 0 to 1.
    public var coverage: Double { min(1, coveredSeconds / (Double(end - start) / 1e9)) }

    /// Import less export, with what the days cost by themselves; nil where no price was known.
    public var cost: MicroCurrency? {
        guard importCost != nil || exportEarnings != nil || fixedCost != nil else { return nil }
        return (importCost ?? 0) -| (exportEarnings ?? 0) +| (fixedCost ?? 0)
    }

    mutating func add(_ bucket: Bucket) {
        for flow in Flow.allCases { energy[flow] = energy[flow] +| bucket.energy[flow] }
        billed = billed +| bucket.billed
        if let price = bucket.importPrice {
            importCost = importCost +| bucket.billed.map { Self.money($0, price) }
        } else {
            unpriced = unpriced +| (bucket.billed ?? 0)
        }
        if let price = bucket.exportPrice {
            exportEarnings = exportEarnings +| bucket.energy.exported.map { Self.money($0, price) }
        }
        if let low = bucket.minimumPowerW { minimumPowerW = min(minimumPowerW ?? low, low) }
        if let high = bucket.maximumPowerW { maximumPowerW = max(maximumPowerW ?? high, high) }
        coveredSeconds += bucket.coveredSeconds
        wattSeconds += (bucket.powerW ?? 0) * bucket.coveredSeconds
    }

    mutating func addFixed(_ price: Double) {
        fixedCost = fixedCost +| Self.micro(price)
    }

    private static func money(_ energy: Millijoules, _ perKWh: Double) -> MicroCurrency {
        micro(Double(energy) / 3.6e9 * perKWh)
    }

    private static func micro(_ amount: Double) -> MicroCurrency { Int64(exactly: (amount * 1e6).rounded()) ?? 0 }
}

/// Adds buckets up, in order of time, to the hours, days or months of a zone. Periods without a bucket are left out, but
/// for days between others that have their fixed price: that is due whether or not anything was measured.
public struct LocalSums {
    private let zone: Zone
    private let length: LocalPeriod
    /// End of the local day whose fixed price is being looked for, and the newest price of that day.
    private var dayEnd = Instant(nanoseconds: .min)
    private var fixedPrice: Double?
    /// Of the day before.
    private var lastFixedPrice: Double?
    private var current: EnergyPeriod?
    private var finished: [EnergyPeriod] = []

    public init(by length: LocalPeriod, in zone: Zone) {
        self.length = length
        self.zone = zone
    }

    public mutating func add(_ bucket: Bucket) {
        if bucket.start >= dayEnd {
            closeDay()
            passDays(until: bucket.start)
            dayEnd = zone.nextDayStart(after: bucket.start)
        }
        beginPeriod(containing: bucket.start)
        current?.add(bucket)
        if let price = bucket.fixedPrice { fixedPrice = price }
    }

    public mutating func periods() -> [EnergyPeriod] {
        closeDay()
        closePeriod()
        return finished
    }

    private mutating func closeDay() {
        if length.hasFixedPrice, let fixedPrice { current?.addFixed(fixedPrice) }
        lastFixedPrice = fixedPrice
        fixedPrice = nil
    }

    /// Days in which nothing was measured cost what the day before them did.
    private mutating func passDays(until start: Instant) {
        guard length.hasFixedPrice, let lastFixedPrice else { return }
        var next = zone.nextDayStart(after: dayEnd)
        while next <= start {
            beginPeriod(containing: dayEnd)
            current?.addFixed(lastFixedPrice)
            dayEnd = next
            next = zone.nextDayStart(after: dayEnd)
        }
    }

    private mutating func beginPeriod(containing instant: Instant) {
        if let end = current?.end, instant >= end { closePeriod() }
        if current == nil { current = EnergyPeriod(length.bounds(containing: instant, in: zone)) }
    }

    private mutating func closePeriod() {
        if let current { finished.append(current) }
        current = nil
    }
}
