public import AdapterKit

/// Reads a Sense monitor through the maker's cloud: one request a reading, none of them over the websocket that Sense has
/// asked clients to leave.
///
/// Sources: the public client library `sense_energy` 0.15.0, and https://github.com/scottbonline/sense/issues/77 for
/// what Sense says of the request interface.
public final class Sense: MeterAdapter, HistoryProviding, LoginProviding {
    public static let descriptor = AdapterDescriptor(
        meterType: "sense", name: "Sense", vendor: "smart-meter", version: "1.0.0", url: "https://sense.com",
        summary: "A Sense monitor with the devices that it finds, through the maker's cloud",
        // A reading a minute is 1,440; the day's figure and the list of devices take up to 300, history has the rest.
        requestsPerDay: 2000, samplingSeconds: 60, minimumSamplingSeconds: 60, historyStepSeconds: 3600,
        settings: Preferences.settings)

    let host: AdapterHost
    private let session: Session
    private var setUp: SetUp?
    private var devices = Devices()
    /// Of the newest measurement; the cloud goes on showing it while the monitor is away.
    private var frame: Int64?
    /// Whether the monitor was away at the start: what is shown may be old until its frame counts on.
    private var isAway = false
    private var stuckSince: Int64?
    private var day = DayFigure()
    /// Monotonic.
    private var devicesAskedAt: Int64 = 0
    var log = HistoryLog()

    private enum Key {
        static let frame = "frame"
        static let firmware = "firmware"
    }

    /// What is found out at the start.
    struct SetUp: Sendable {
        var monitor: Monitor
        var known: KnownPowers
        var hasSolar: Bool { known.contains(.solar) }
    }

    /// Nanoseconds.
    /// What is asked beside a reading leaves so much of its time.
    private static let reserve = 2 * Time.second
    private static let stuckPause = 60.0

    public init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        session = Session(host, try Preferences(host))
    }

    public func login(_ prompter: LoginPrompter) throws(AdapterError) -> String { try session.logIn(prompter) }

    // MARK: Start and stop

    public func start() throws(AdapterError) {
        var monitor = try session.monitor(nil)
        let firmware = try checkedFirmware(monitor)
        let answer = try session.json("app/monitors/\(monitor.id)/overview", nil)
        guard let overview = answer["monitor_overview"]?["monitor"], overview.members != nil else {
            throw AdapterError(.badData, "Sense's overview of monitor \(monitor.id) is none")
        }
        monitor.hasSolar = overview["solar_configured"]?.flag ?? monitor.hasSolar
        setUp = SetUp(monitor: monitor, known: monitor.hasSolar ? [.grid, .solar] : .consumption)
        try findDevices(monitor, nil)
        frame = host.state(Key.frame).flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        host.log(
            .info, "Sense monitor \(monitor.words), firmware \(firmware), \(devices.count) devices")
    }

    public func stop() {
        guard let frame else { return }
        // Lost, it costs one old reading at the next start, and only where the monitor is away by then.
        try? host.setState(Key.frame, Array(String(frame).utf8))
    }

    /// Firmware grows only: what was new enough is not asked for again.
    private func checkedFirmware(_ monitor: Monitor) throws(AdapterError) -> String {
        let mark = "\(monitor.id) "
        if let known = host.state(Key.firmware).map({ String(decoding: $0, as: UTF8.self) }), known.hasPrefix(mark) {
            return String(known.dropFirst(mark.count))
        }
        let status = try session.json("app/monitors/\(monitor.id)/status", nil)
        guard let information = status["monitor_info"], let version = information["version"]?.text else {
            throw AdapterError(.badData, "Sense does not say which firmware monitor \(monitor.id) has")
        }
        let firmware = Firmware(version)
        guard !firmware.isKnown || firmware >= Firmware.oldest else {
            throw AdapterError(
                .unsupported,
                "the firmware of Sense monitor \(monitor.id) is too old: it is \(firmware.text), \(Firmware.oldest.text) or "
                    + "later is needed; Sense updates monitors that are online by itself (ask its support), then restart "
                    + "smart-meter or send it SIGHUP")
        }
        isAway = information["online"]?.flag == false
        try host.setState(Key.firmware, Array((mark + firmware.text).utf8))
        return firmware.text
    }

    private func findDevices(_ monitor: Monitor, _ deadline: Deadline?) throws(AdapterError) {
        devicesAskedAt = host.nowMonotonic
        let overview = try session.json("app/monitors/\(monitor.id)/devices/overview", deadline)
        guard let found = Devices(overview: overview) else {
            throw AdapterError(.badData, "Sense's list of devices is none")
        }
        devices = found
    }

    // MARK: Reading

    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        let setUp = try started()
        let answer = try session.json("app/\(setUp.monitor.id)/realtime_update", deadline)
        let now = host.nowWall
        guard let update = RealtimeUpdate(answer) else {
            throw AdapterError(.badData, "Sense's realtime_update of monitor \(setUp.monitor.id) has no power in it")
        }
        try check(update.frame, now)
        var reading = Reading(known: setUp.known)
        reading.timestamp = now
        if setUp.hasSolar {
            reading.gridPowerW = update.importW
            reading.solarPowerW = update.solarW
            let shown = update.devices?.first { $0.id == Devices.solar }?.powerW
            reading.circuits = [Devices.solarCircuit(powerW: shown ?? update.solarW)]
        } else {
            reading.consumptionPowerW = update.consumptionW
        }
        reading.voltagesV = update.voltagesV
        reading.frequencyHz = update.frequencyHz
        reading.circuits += devices.circuits(of: update)
        reading.dayEnergyKWh = askBeside(setUp, deadline)
        return reading
    }

    func started() throws(AdapterError) -> SetUp {
        guard let setUp else { throw AdapterError(.failed, "called before start") }
        return setUp
    }

    /// A frame that does not count on is a monitor that is away: what the cloud shows is what it said last.
    private func check(_ new: Int64?, _ now: Int64) throws(AdapterError) {
        guard let new else { return }
        let isStuck = new == frame || (isAway && frame == nil)
        frame = new
        guard isStuck else {
            isAway = false
            stuckSince = nil
            return
        }
        isAway = true
        let since = stuckSince ?? now
        stuckSince = since
        throw AdapterError(
            .noData,
            "the Sense monitor is away: the cloud shows the same measurement (frame \(new)) since "
                + "\(ISOTime.text(since)); is it online, and its network?", retryAfterSeconds: Self.stuckPause)
    }

    // MARK: Beside a reading

    /// One request more where it is time for it; what it cannot answer is asked again later.
    /// - Returns: today's kWh, where it was asked for.
    private func askBeside(_ setUp: SetUp, _ deadline: Deadline) -> Double? {
        let monotonic = host.nowMonotonic
        let end = Deadline(monotonic: deadline.monotonic - Self.reserve)
        guard end.monotonic - monotonic >= Self.reserve else { return nil }
        let since = monotonic - devicesAskedAt
        let isDay = day.isDue(wall: host.nowWall, monotonic: monotonic)
        do throws(AdapterError) {
            if isDay {
                let answer = try session.json(dayAddress(setUp.monitor, at: host.nowWall), end)
                return day.take(answer, at: host.nowWall)
            }
            if since >= Time.day || (devices.hasStranger && since >= Time.hour) {
                try findDevices(setUp.monitor, end)
            }
        } catch {
            if isDay { day.fail(error, at: host.nowWall) }
            host.log(.debug, "asked beside a reading in vain: \(error.message)")
        }
        return nil
    }

    func dayAddress(_ monitor: Monitor, at instant: Int64, solar: Bool = false) -> String {
        // In UTC, but without saying so.
        let start = ISOTime.text(instant).dropLast()
        return "app/monitors/\(monitor.id)/history/usage\(solar ? "/solar" : "")?scale=DAY&start=\(start)"
    }

    // MARK: History

    public func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome {
        let setUp = try started()
        return try log.answer(request, setUp, devices, now: host.nowWall, put: put) { (instant) throws(AdapterError) in
            try self.askDay(instant, setUp, request.deadline)
        }
    }

    private func askDay(_ instant: Int64, _ setUp: SetUp, _ deadline: Deadline) throws(AdapterError) -> DayLog {
        let askedAt = host.nowWall
        let usage = try session.json(dayAddress(setUp.monitor, at: instant), deadline, mayRenew: false)
        guard var day = DayLog(usage, askedAt: askedAt), day.hour(beginning: instant) != nil else {
            throw AdapterError(.badData, "Sense's history of \(ISOTime.text(instant)) is not that of a day with it")
        }
        guard day.isOnHourGrid else {
            throw AdapterError(
                .unsupported, "Sense's history is by the hours of \(setUp.monitor.zone), which are not those of UTC")
        }
        if setUp.hasSolar {
            let solar = try session.json(
                dayAddress(setUp.monitor, at: instant, solar: true), deadline, mayRenew: false)
            guard day.addSolar(solar) else {
                throw AdapterError(.badData, "Sense's solar history of \(ISOTime.text(instant)) is none")
            }
        }
        return day
    }
}
