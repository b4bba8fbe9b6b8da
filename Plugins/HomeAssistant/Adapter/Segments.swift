/// A quantity over time, piece by piece constant, with holes where it was not measured. Nanoseconds since the epoch.
struct Segments: Sendable {
    struct Segment: Sendable {
        var from: Int64
        var to: Int64
        var value: Double
    }

    /// What a quantity was within a stretch of time.
    struct Measure: Sendable {
        /// Value times nanoseconds, of the positive and of the negative values, and the nanoseconds measured.
        var positive = 0.0
        var negative = 0.0
        var time: Int64 = 0

        var mean: Double { (positive - negative) / Double(time) }
    }

    /// Ascending, without overlap.
    private(set) var all: [Segment] = []

    init() {}

    /// - Parameters:
    ///   - track: states hold until the next one.
    ///   - factor: to watts or kWh.
    ///   - end: how far what is known reaches.
    ///   - hold: until when a value other than 0 holds that was reported at an instant. A value of 0 may rest for weeks:
    ///     Home Assistant reports only what changes.
    init(_ track: StateTrack, factor: Double, end: Int64, hold: (Int64) -> Int64) {
        for (index, change) in track.changes.enumerated() {
            guard let value = change.value else { continue }
            var to = index + 1 < track.changes.count ? track.changes[index + 1].at : end
            if value != 0 { to = min(to, hold(change.at)) }
            if to > change.at { all.append(Segment(from: change.at, to: to, value: value * factor)) }
        }
    }

    /// Where both are measured, what `combine` makes of them.
    init(_ one: Segments, _ other: Segments, _ combine: (Double, Double) -> Double) {
        var (left, right) = (one.all[...], other.all[...])
        while let first = left.first, let second = right.first {
            let (from, to) = (max(first.from, second.from), min(first.to, second.to))
            if to > from { all.append(Segment(from: from, to: to, value: combine(first.value, second.value))) }
            if first.to <= second.to { left.removeFirst() } else { right.removeFirst() }
        }
    }

    func mapped(_ change: (Double) -> Double) -> Segments {
        var mapped = self
        for index in mapped.all.indices { mapped.all[index].value = change(mapped.all[index].value) }
        return mapped
    }

    /// What lies in (from, to]; nil where less than four fifths of it are measured.
    func measure(_ from: Int64, _ to: Int64) -> Measure? {
        var measure = Measure()
        var index = firstIndex(after: from)
        while index < all.count, all[index].from < to {
            let segment = all[index]
            let time = min(segment.to, to) - max(segment.from, from)
            measure.time += time
            if segment.value > 0 {
                measure.positive += segment.value * Double(time)
            } else {
                measure.negative -= segment.value * Double(time)
            }
            index += 1
        }
        return measure.time > 0 && measure.time >= (to - from) / 5 * 4 ? measure : nil
    }

    /// What a counter shows at an instant.
    func value(at instant: Int64) -> Double? {
        let index = firstIndex(after: instant - 1)
        guard index < all.count, all[index].from <= instant else { return nil }
        return all[index].value
    }

    /// The first that ends after an instant.
    private func firstIndex(after instant: Int64) -> Int {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].to <= instant { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
