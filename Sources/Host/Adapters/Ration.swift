import Readings

/// How many requests of a rolling day are used: 24 hourly counters, so that it holds across restarts and midnights.
struct Ration: Sendable {
    /// nil = no limit.
    let limit: Int?
    private var hours: [Int64: Int] = [:]

    /// `stored` is what `encoded` made.
    init(limit: Int?, stored: [UInt8] = []) {
        self.limit = limit
        var reader = ByteReader(stored)
        while let hour = reader.read(Int64.self), let count = reader.read(Int64.self), hours.count < 48 {
            hours[hour] = Int(clamping: max(0, count))
        }
    }

    /// Takes `requests` of the ration; false where it does not hold as many.
    mutating func spend(_ requests: Int, at now: Instant) -> Bool {
        guard let left = left(at: now) else { return true }
        guard requests <= left else { return false }
        hours[hour(now), default: 0] += requests
        return true
    }

    /// nil = no limit.
    func left(at now: Instant) -> Int? {
        guard let limit else { return nil }
        let used = hours.reduce(0) { $1.key > hour(now) - 24 ? $0 + $1.value : $0 }
        return max(0, limit - used)
    }

    mutating func encoded(at now: Instant) -> [UInt8] {
        hours = hours.filter { $0.key > hour(now) - 24 }
        var writer = ByteWriter()
        for (hour, count) in hours.sorted(by: { $0.key < $1.key }) {
            writer.write(hour)
            writer.write(Int64(count))
        }
        return writer.bytes
    }

    private func hour(_ instant: Instant) -> Int64 { instant.nanoseconds.floorDivided(by: Duration.hour) }
}
