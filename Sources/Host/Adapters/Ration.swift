import Readings

/// The requests of a rolling day: how many are used, what for, and how to make do with the rest. 24 hourly counters, so
/// that it holds across restarts and midnights. Live reading comes first; history gets what that leaves over.
struct Ration: Sendable {
    /// What a request is for.
    enum Use: Sendable {
        case live
        case history
    }

    private struct Used {
        var live = 0
        var history = 0
        var all: Int { live + history }
    }

    /// nil = no limit.
    let limit: Int?
    /// Nanoseconds between reads; 0 = the adapter pushes.
    private let sampling: Int64
    private var hours: [Int64: Used] = [:]
    /// Reads since the start, and live requests.
    private var reads = 0
    private var requests = 0
    /// Requests that are stored as used although they are not yet.
    private var ahead = 0

    /// A read is held to cost one request until so many have been seen: the first often logs in and looks around.
    private static let believed = 20
    /// Of reads that are further apart a power says nothing of the quarter hours between: that is no plan to measure by,
    /// but a ration that is used up.
    private static let longestPlan = 15 * Duration.minute
    private static let hoursOfDay: Int64 = 24

    /// - Parameter stored: what `encoded` made.
    init(limit: Int?, sampling: Int64 = 0, stored: [UInt8] = []) {
        self.limit = limit
        self.sampling = sampling
        var reader = ByteReader(stored)
        while let hour = reader.read(Int64.self), let counts = reader.read(Int64.self), hours.count < 48 {
            hours[hour] = Used(
                live: Int(UInt32(truncatingIfNeeded: counts)), history: Int(UInt32(truncatingIfNeeded: counts >> 32)))
        }
    }

    // MARK: Spending

    /// Takes `requests` of the ration; false where it does not hold as many.
    mutating func spend(_ requests: Int, for use: Use = .live, at now: Instant) -> Bool {
        guard let left = left(for: use, at: now) else { return true }
        guard requests <= left else { return false }
        switch use {
        case .live:
            hours[hour(now), default: Used()].live += requests
            self.requests += requests
        case .history: hours[hour(now), default: Used()].history += requests
        }
        ahead -= requests
        return true
    }

    /// A read was made, whatever it cost.
    mutating func noteRead() { reads += 1 }

    /// nil = no limit.
    func left(for use: Use = .live, at now: Instant) -> Int? {
        guard let limit else { return nil }
        let used = used(at: now)
        let left = max(0, limit - used.all)
        // A twentieth is for what nobody foresees, such as attempts that fail.
        return use == .live ? left : min(left, max(0, limit - limit / 20 - liveNeed(at: now) - used.history))
    }

    // MARK: Making do

    /// How far apart reads have to lie, in ns, so that there is something left for each until used requests come back:
    /// what is left is spread, and what comes back is as well.
    func pace(at now: Instant) -> Int64 {
        guard sampling > 0, var left = left(at: now) else { return 0 }
        var pace: Int64 = 0
        for (span, returning) in returns(at: now) {
            let affordable = max(1, Double(left) / perRead)
            pace = max(pace, Int64(Double(span) / affordable))
            left += returning.all
        }
        return pace
    }

    /// Ns between reads, as a reading of now has to be taken for.
    func plannedSampling(at now: Instant) -> Int64 { max(sampling, min(pace(at: now), Self.longestPlan)) }

    /// Ns until there is something left, at most a day.
    func pause(for use: Use = .live, at now: Instant) -> Int64 {
        guard let left = left(for: use, at: now), left < 1 else { return 0 }
        let back = returns(at: now).first { use == .live ? $0.returning.all > 0 : $0.returning.history > 0 }
        return back?.span ?? Duration.day
    }

    /// What live reading takes of a day.
    private func liveNeed(at now: Instant) -> Int {
        guard sampling > 0 else { return used(at: now).live }
        return Int((perRead * Double(Duration.day) / Double(sampling)).rounded(.up))
    }

    private var perRead: Double { max(1, Double(requests + Self.believed) / Double(reads + Self.believed)) }

    /// The coming hours of a day: how many ns away each begins, and what it brings back.
    private func returns(at now: Instant) -> [(span: Int64, returning: Used)] {
        (1...Self.hoursOfDay).map { ahead in
            let hour = self.hour(now) + ahead
            return (hour * Duration.hour - now.nanoseconds, hours[hour - Self.hoursOfDay] ?? Used())
        }
    }

    // MARK: Keeping

    /// What is to be durable before the requests that were spent last are made; nil = it is already. Where there are many
    /// requests, some are written down before they are spent: after a crash they count as used.
    mutating func secured(at now: Instant) -> [UInt8]? {
        guard let limit, ahead < 0 else { return nil }
        ahead = limit / 2000
        var rest = self
        rest.hours[hour(now), default: Used()].live += ahead
        return rest.encoded(at: now)
    }

    mutating func encoded(at now: Instant) -> [UInt8] {
        hours = hours.filter { counts($0.key, at: now) }
        var writer = ByteWriter()
        for (hour, used) in hours.sorted(by: { $0.key < $1.key }) {
            writer.write(hour)
            writer.write(Int64(UInt32(clamping: used.live)) | Int64(UInt32(clamping: used.history)) << 32)
        }
        return writer.bytes
    }

    private func used(at now: Instant) -> Used {
        hours.reduce(into: Used()) { sum, entry in
            guard counts(entry.key, at: now) else { return }
            sum.live += entry.value.live
            sum.history += entry.value.history
        }
    }

    /// Within a day of now. A little ahead of it is a clock that was set back; far ahead, one that had been wrong.
    private func counts(_ hour: Int64, at now: Instant) -> Bool {
        hour > self.hour(now) - Self.hoursOfDay && hour < self.hour(now) + Self.hoursOfDay
    }

    private func hour(_ instant: Instant) -> Int64 { instant.nanoseconds.floorDivided(by: Duration.hour) }
}
