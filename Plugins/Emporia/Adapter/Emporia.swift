public import AdapterKit

/// Reads the devices of an Emporia account from Emporia's service: the newest minute that is complete there.
public final class Emporia: MeterAdapter, HistoryProviding {
    public static let descriptor = AdapterDescriptor(
        meterType: "emporia", name: "Emporia Vue", vendor: "smart-meter", version: "1.0.0",
        url: "https://www.emporiaenergy.com", summary: "Emporia's monitors and plugs, from Emporia's cloud service",
        requestsPerDay: 1900, samplingSeconds: 60, minimumSamplingSeconds: 60, lateSeconds: 1080,
        historyStepSeconds: 60, historyReachSeconds: 3650 * 86_400, settings: Preferences.settings)

    let host: AdapterHost
    let cloud: Cloud
    private let preferences: Preferences
    private(set) var house: House?
    /// When the list of devices was last asked for, monotonic.
    private var treeAt: Int64 = 0
    /// Channels of the newest answer: what history is asked for.
    private(set) var nodes: [House.Node] = []
    /// Beginning of the newest minute that has had its turn.
    private var turn: Int64?
    /// Minutes that have not been answered yet, by their beginnings: the oldest first.
    private var missed: [Int64] = []
    /// When the day's figure was last asked for, monotonic; nil = not yet.
    private var dayAt: Int64?
    /// Channels that had no figure, also when asked again: they are not worth a second request each minute.
    private var silent: Set<ChannelID> = []
    var charts: ChartChunk?

    static let minute: Int64 = 60 * second
    private static let second: Int64 = 1_000_000_000
    /// A minute is answered up to two minutes after its beginning, seldom later.
    private static let settling: Int64 = 2 * minute
    /// Minutes that a poll takes along, where polls are further apart or have failed; what is older is history, whose
    /// charts Emporia dislikes. The oldest is as late as the descriptor says.
    private static let longestReach: Int64 = 15 * minute
    private static let againPause = 1.0
    private static let treePause: Int64 = 6 * 3600 * second
    private static let dayPause: Int64 = 900 * second

    public init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        preferences = try Preferences(host)
        cloud = Cloud(host, preferences)
    }

    public func start() throws(AdapterError) {
        house = nil
        nodes = []
        turn = nil
        missed = []
        dayAt = nil
        silent = []
        charts = nil
        cloud.session.resume()
        try discover(nil)
    }

    // MARK: What there is

    private func discover(_ deadline: Deadline?) throws(AdapterError) {
        treeAt = host.nowMonotonic
        let before = house
        let found = try House(try cloud.devices(deadline), names: preferences.devices, before: before)
        if before?.summary != found.summary { host.log(.info, "devices of the Emporia account: \(found.summary)") }
        if before == nil, found.monitors.isEmpty {
            host.log(.warning, "no device measures the whole house: there are circuits only")
        }
        house = found
    }

    /// Names change: the list is asked for again now and then. Where that fails, the old one will do.
    func currentHouse(_ deadline: Deadline) throws(AdapterError) -> House {
        if let house {
            guard host.nowMonotonic - treeAt >= Self.treePause else { return house }
            do throws(AdapterError) { try discover(deadline) } catch {
                guard error.code != .cancelled else { throw error }
                host.log(.debug, "the list of devices was not renewed: \(error.message)")
            }
        } else {
            try discover(deadline)
        }
        guard let house else { throw AdapterError(.failed, "read before start") }
        return house
    }

    // MARK: Live

    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        _ = try currentHouse(deadline)
        let newest = host.nowWall / Self.minute * Self.minute - Self.settling
        noteMissed(before: newest)
        try readMissed(deadline)
        var reading: Reading
        do throws(AdapterError) { reading = try self.reading(of: newest, asksAgain: true, deadline) } catch {
            // Otherwise it was answered; what it lacks is not asked for again.
            if error.code != .noData, !missed.contains(newest) { missed.append(newest) }
            throw error
        }
        reading.dayEnergyKWh = dayEnergy(at: newest, deadline)
        return reading
    }

    private func noteMissed(before newest: Int64) {
        if let turn, newest - turn <= Self.longestReach, newest > turn {
            missed += stride(from: turn + Self.minute, to: newest, by: Int64.Stride(Self.minute))
        }
        missed.removeAll { newest - $0 >= Self.longestReach || $0 >= newest }
        turn = newest
    }

    /// One request each, for all channels.
    private func readMissed(_ deadline: Deadline) throws(AdapterError) {
        while let minute = missed.first, deadline.monotonic - host.nowMonotonic > 8 * Self.second {
            do throws(AdapterError) {
                host.emit(try reading(of: minute, asksAgain: false, deadline))
            } catch {
                guard error.code != .cancelled else { throw error }
                guard error.code == .noData || error.code == .badData else { return }
            }
            missed.removeFirst()
        }
    }

    /// - Parameter start: of the minute.
    private func reading(
        of start: Int64, asksAgain: Bool, _ deadline: Deadline
    ) throws(AdapterError) -> Reading {
        guard var house else { throw AdapterError(.failed, "read before start") }
        let usage = try usage(of: start, house, asksAgain: asksAgain, deadline)
        let found = house.nodes(of: usage)
        guard !house.isAllZero(usage) else {
            throw AdapterError(
                .noData, "Emporia answers zeros only, as it does when it is in trouble", retryAfterSeconds: 60)
        }
        house.learn(from: usage, nodes: found, hours: 1.0 / 60)
        self.house = house
        nodes = found
        let reading = house.reading(of: usage, nodes: found, end: start + Self.minute)
        guard reading.isMeasured else {
            throw AdapterError(
                .noData, "Emporia has no figures of the minute of \(ISOTime.text(start)): are the devices online?",
                retryAfterSeconds: 60)
        }
        return reading
    }

    private func usage(
        of start: Int64, _ house: House, asksAgain: Bool, _ deadline: Deadline
    ) throws(AdapterError) -> UsageAnswer {
        let gids = house.devices.map(\.gid)
        var usage = try cloud.usage(of: gids, at: start, .minute, deadline)
        let missing = house.missing(of: usage)
        if asksAgain, !missing.isSubset(of: silent) {
            guard host.wait(seconds: Self.againPause) else {
                throw AdapterError(.cancelled, "the host asked to stop")
            }
            do throws(AdapterError) {
                usage.fill(from: try cloud.usage(of: gids, at: start, .minute, deadline))
            } catch {
                guard error.code != .cancelled else { throw error }
                host.log(.debug, "a minute with gaps was not asked for again: \(error.message)")
            }
        }
        silent = house.missing(of: usage)
        return usage
    }

    /// The figure of the day that the minute lies in, every quarter of an hour.
    private func dayEnergy(at start: Int64, _ deadline: Deadline) -> Double? {
        let now = host.nowMonotonic
        guard var house, !house.monitors.isEmpty, dayAt.map({ now - $0 >= Self.dayPause }) ?? true else { return nil }
        dayAt = now
        do throws(AdapterError) {
            let usage = try cloud.usage(of: house.devices.map(\.gid), at: start, .day, deadline)
            house.learn(from: usage, nodes: nodes, hours: 24)
            self.house = house
            return house.dayEnergy(of: usage, nodes: nodes)
        } catch {
            host.log(.debug, "the day's figure was not to be had: \(error.message)")
            return nil
        }
    }
}
