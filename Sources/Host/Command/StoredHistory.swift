import API
import Analysis
import Platform
import Readings
import Storage

/// A history out of the store, read a little at a time: nothing of the store is held between two reads.
struct StoredHistory: HistorySource {
    let report: HistoryReport
    private let history: History
    private let zone: Zone
    /// Nil: each slot is a period of its own.
    private let period: LocalPeriod?
    /// Nil where the instance has never stored anything.
    private let number: Int?
    private let takesCircuits: Bool
    private var sums: HistorySums
    /// Where to go on: buckets that begin before, and slots that end up to here, were read.
    private var next: Instant

    init(
        _ question: HistoryReport.Question, of meter: InstanceIdentity, zone: Zone, history: History
    ) throws(Problem) {
        let period = LocalPeriod(rawValue: question.resolution.rawValue)
        // Periods are made of whole quarter hours, and so is what the answer says of itself.
        let from = period?.bounds(containing: question.from, in: zone).lowerBound ?? question.from
        let to = period == nil ? question.to : question.to.slotEnd(interval: Bucket.length)
        let found = try history.read { (reader) throws(StorageError) -> Found in
            guard let number = try reader.number(of: meter) else { return Found() }
            let rows =
                period == nil
                ? try reader.slotCount(of: number, from: from, to: to)
                : try reader.bucketCount(of: number, from: from, to: to)
            return Found(number: number, circuits: try reader.knownCircuits(of: number), rows: rows)
        }
        let series = try Self.series(question.selections, found.circuits)
        let periods = min(found.rows, period?.most(from: from, to: to) ?? .max)
        guard periods * series.count <= question.limit else {
            throw Problem(
                status: 400, title: "Bad Request",
                detail: "This would be \(periods * series.count) values, and at most \(question.limit) are answered. "
                    + "Ask for a shorter time, fewer circuits or a coarser resolution.")
        }
        report = HistoryReport(
            instance: meter.name, zone: zone.name, resolution: question.resolution.rawValue, from: from,
            to: to, series: series.map(\.shown))
        sums = HistorySums(series: series.map(\.summed), isTopLevel: Self.topLevel(found.circuits))
        takesCircuits = HistorySums.needsCircuits(series.map(\.summed))
        self.history = history
        self.zone = zone
        self.period = period
        number = found.number
        next = from
    }

    private struct Found: Sendable {
        var number: Int?
        var circuits: [KnownCircuit] = []
        var rows = 0
    }

    // MARK: What is asked for

    private struct Series {
        let summed: HistorySeries
        let shown: HistoryReport.Series
    }

    /// In the order of the request, none twice.
    private static func series(
        _ selections: [HistoryReport.Question.Selection], _ circuits: [KnownCircuit]
    ) throws(Problem) -> [Series] {
        var series: [Series] = []
        for selection in selections {
            switch selection {
            case .total:
                let shown = HistoryReport.Series(id: "total", name: "Total", kind: .total, isCircuit: false)
                series.append(Series(summed: .total, shown: shown))
            case .unmonitored:
                let shown = HistoryReport.Series(
                    id: "unmonitored", name: "Unmonitored", kind: .other, isCircuit: false)
                series.append(Series(summed: .unmonitored, shown: shown))
            case .all: series += circuits.map(Self.series)
            case .circuit(let id):
                guard let circuit = circuits.first(where: { $0.id == id }) else {
                    throw Problem(
                        status: 404, title: "Not Found",
                        detail: "There is no circuit \(id.prefix(100)); /api/v1/circuits lists those that are.")
                }
                series.append(Self.series(circuit))
            }
        }
        var seen: Set<HistorySeries> = []
        return series.filter { seen.insert($0.summed).inserted }
    }

    private static func series(_ circuit: KnownCircuit) -> Series {
        Series(
            summed: .circuit(circuit.number),
            shown: HistoryReport.Series(
                id: circuit.id, name: circuit.name, kind: circuit.kind, parentID: circuit.parentID, isCircuit: true))
    }

    /// By number. A parent that the instance has never shown counts as none.
    private static func topLevel(_ circuits: [KnownCircuit]) -> [Bool] {
        let ids = Set(circuits.map(\.id))
        var isTopLevel: [Bool] = []
        for circuit in circuits {
            while isTopLevel.count <= Int(circuit.number) { isTopLevel.append(true) }
            isTopLevel[Int(circuit.number)] = circuit.parentID == circuit.id || !ids.contains(circuit.parentID)
        }
        return isTopLevel
    }

    // MARK: Reading

    mutating func read(
        until deadline: Int64, _ body: (HistoryReport.Period) -> Bool
    ) throws(Problem) -> Bool {
        guard let number else { return false }
        var (sums, next) = (sums, next)
        let (zone, period, to) = (zone, period, report.to)
        func take(_ bucket: Bucket, _ bounds: () -> Range<Instant>) -> Bool {
            guard let finished = sums.add(bucket, within: bounds) else { return Clock.monotonic() < deadline }
            return body(Self.report(finished)) && Clock.monotonic() < deadline
        }
        let isAll = try history.read { (reader) throws(StorageError) -> Bool in
            guard let period else {
                return try reader.forEachSlot(of: number, from: next, to: to) { end, slot in
                    next = end
                    return take(slot) { slot.start..<end }
                }
            }
            return try reader.forEachBucket(of: number, from: next, to: to, takesCircuits: takesCircuits) { bucket in
                next = bucket.start + 1
                return take(bucket) { period.bounds(containing: bucket.start, in: zone) }
            }
        }
        if isAll, let last = sums.finish() { _ = body(Self.report(last)) }
        (self.sums, self.next) = (sums, next)
        return !isAll
    }

    private static func report(_ period: HistoryPeriod) -> HistoryReport.Period {
        HistoryReport.Period(
            start: period.start, end: period.end,
            values: period.sums.map { sum in
                var value = HistoryReport.Value()
                value.powerW = sum.powerW.map(Shares.thousandths)
                value.minimumPowerW = sum.minimumPowerW
                value.maximumPowerW = sum.maximumPowerW
                value.energyKWh = sum.energy.map(Shares.kWh)
                value.returnedKWh = sum.returned.map(Shares.kWh)
                value.coverage = Shares.thousandths(period.coverage(of: sum))
                value.quality = sum.quality
                return value
            })
    }
}

extension LocalPeriod {
    /// Periods that a time has at most.
    fileprivate func most(from: Instant, to: Instant) -> Int {
        let shortest =
            switch self {
            case .quarter: Bucket.length
            // A zone's clock may be changed by half an hour.
            case .hour: Duration.hour / 2
            case .day: 22 * Duration.hour
            case .month: 27 * Duration.day
            }
        return Int((to - from) / shortest) + 2
    }
}
