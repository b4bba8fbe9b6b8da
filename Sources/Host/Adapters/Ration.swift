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
            hours[hour] = Int(min(max(0, count), Int64(UInt32.max)))
        }
    }

    /// Takes `requests` of the ration; false where it does not hold as many.
    mutating func spend(_ requests: Int, at now: Instant) -> Bool {
        guard let left = left(at: now) else { return true }
        guard requests <= left else { return false }
        hours[hour(now), default: 0] += requests
        return true
    }

    /// As `spend`, for what can wait: takes the requests only where `hourly` more ones an hour, from now on, still find
    /// the ration enough at any time.
    mutating func spend(_ requests: Int, sparing hourly: Double, at now: Instant) -> Bool {
        guard let limit else { return true }
        let spared = (0..<24).allSatisfy { ahead in
            // What is older by then no longer counts.
            let used = hours.reduce(0) { counts($1.key - Int64(ahead), at: now) ? $0 + $1.value : $0 }
            return Double(used + requests) + hourly * Double(ahead + 1) <= Double(limit)
        }
        return spared && spend(requests, at: now)
    }

    /// nil = no limit.
    func left(at now: Instant) -> Int? {
        guard let limit else { return nil }
        let used = hours.reduce(0) { counts($1.key, at: now) ? $0 + $1.value : $0 }
        return max(0, limit - used)
    }

    mutating func encoded(at now: Instant) -> [UInt8] {
        hours = hours.filter { counts($0.key, at: now) }
        var writer = ByteWriter()
        for (hour, count) in hours.sorted(by: { $0.key < $1.key }) {
            writer.write(hour)
            writer.write(Int64(count))
        }
        return writer.bytes
    }

    /// Within a day of now. A little ahead of it is a clock that was set back; far ahead, one that had been wrong.
    private func counts(_ hour: Int64, at now: Instant) -> Bool {
        hour > self.hour(now) - 24 && hour < self.hour(now) + 24
    }

    private func hour(_ instant: Instant) -> Int64 { instant.nanoseconds.floorDivided(by: Duration.hour) }
}
