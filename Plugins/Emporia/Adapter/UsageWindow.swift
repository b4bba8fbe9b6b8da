import AdapterKit

/// Buckets of usage in a row, and what they add up to.
struct UsageWindow {
    let count: Int
    /// Nanoseconds of one.
    let bucket: Int64
    /// kWh of a channel in a bucket; nil = not measured.
    let value: (ChannelID, Int) -> Double?

    init(count: Int, bucket: Int64, value: @escaping (ChannelID, Int) -> Double?) {
        self.count = count
        self.bucket = bucket
        self.value = value
    }

    /// Buckets in which each channel that has a figure used exactly nothing.
    func zeros(of nodes: [House.Node]) -> Set<Int> {
        Set(
            (0..<count).filter { index in
                let figures = nodes.compactMap { value($0.id, index) }
                return !figures.isEmpty && figures.allSatisfy { $0 == 0 }
            })
    }

    /// Without the figures of some buckets.
    func without(_ buckets: Set<Int>) -> UsageWindow {
        UsageWindow(count: count, bucket: bucket) { [value] id, index in
            buckets.contains(index) ? nil : value(id, index)
        }
    }

    /// Channels that count as one: added up bucket by bucket before directions are told apart. Nil where less than four
    /// fifths are measured; nothing is added for what is not.
    func sum(of nodes: [House.Node], _ signed: (ChannelID, Double) -> Double) -> PeriodSum? {
        guard !nodes.isEmpty else { return nil }
        var measured = 0
        var positive = 0.0
        var negative = 0.0
        buckets: for index in 0..<count {
            var sum = 0.0
            for node in nodes {
                guard let kWh = value(node.id, index) else { continue buckets }
                sum += signed(node.id, kWh)
            }
            measured += 1
            if sum > 0 { positive += sum } else { negative -= sum }
        }
        guard measured > 0, measured * 5 >= count * 4 else { return nil }
        return PeriodSum(
            meanW: (positive - negative) * 3_600_000 / (Double(measured) * Double(bucket) / 1e9), positiveKWh: positive,
            negativeKWh: negative)
    }
}
