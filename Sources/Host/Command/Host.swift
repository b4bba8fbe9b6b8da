import API
import Adapters
import Analysis
import CLinux
import Configuration
import Delivery
import Glibc
import Observability
import Pipeline
import Platform
import Readings
import Storage
import Synchronization

/// One run of the host, from its parts to its last commit. Main owns it.
struct Host {
    private let settings: Settings
    private let log: Log
    private let directory: DataDirectory
    private let pipeline: Pipeline
    private let instances: Instances
    private let delivery: DeliveryLoop?
    private let house: House
    private let server: HTTPServer
    private let serverThread: Thread
    private let events: HostEvents
    /// There while a host runs: found at a start, the run before did not end in order.
    private let marker: String

    /// What a stop may take (design: within 2 s).
    private static let stopTime = 1800 * Duration.millisecond

    init(_ settings: Settings, _ zone: SystemZone) throws {
        self.settings = settings
        let host = settings.host
        _ = sm_undumpable()
        events = try HostEvents()
        let log = try Log(level: LogLevel(host.logLevel), format: host.logFormat == .json ? .json : .text)
        self.log = log
        log.register(secrets: settings.secrets)
        try log.start()
        log.info("smart-meter starts", LogField("version", HostVersion.text), LogField("zone", zone.zone.name))

        let directory = try DataDirectory(locking: host.dataDirectory)
        self.directory = directory
        marker = directory.path(of: "running")
        let uncleanEnd = Self.leaveMarker(marker)

        let catalog = AdapterCatalog(
            release: settings.catalogDirectories.release, directories: settings.catalogDirectories.others)
        for refusal in catalog.refused {
            log.warning("adapter refused", LogField("file", refusal.path), LogField("reason", refusal.reason))
        }

        let board = LiveBoard()
        let wakeDelivery = WakeDelivery()
        let pipeline = try Pipeline(options: Self.pipelineOptions(settings, directory, zone.zone, log)) {
            wakeDelivery.ring()
        }
        self.pipeline = pipeline
        try pipeline.start()
        instances = Instances(pipeline: pipeline, board: board, log: log, uncleanEnd: uncleanEnd)
        delivery = try Self.makeDelivery(settings, directory, pipeline, log)
        wakeDelivery.set(delivery)
        try delivery?.start()

        house = House(
            instances: instances, board: board, pipeline: pipeline, delivery: delivery,
            standIn: Self.makeStandIn(settings, catalog, board, log), zone: zone, refused: catalog.refused,
            stale: Int64(host.staleSeconds) * Duration.second, isUnconfigured: settings.isUnconfigured,
            history: History(directory), currency: host.tariff.currency, log: log)
        let server = try HTTPServer(
            address: host.bindAddress, port: host.servicePort, router: Router(HouseRoutes.table(house)))
        self.server = server
        serverThread = try Thread(name: "http") { [log] in
            do throws(ServerError) {
                try server.run()
            } catch {
                log.error("http server ended", LogField("error", "\(error)"))
            }
        }
        log.info("serving", LogField("address", host.bindAddress), LogField("port", server.port))
        if settings.isUnconfigured {
            log.warning("no meter is configured: set HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN, or METER_TYPE")
        }
        try instances.begin(InstancePlan.all(settings, catalog), settings)
    }

    // MARK: The parts

    private static func pipelineOptions(
        _ settings: Settings, _ directory: DataDirectory, _ zone: Zone, _ log: Log
    ) -> PipelineOptions {
        let host = settings.host
        return PipelineOptions(
            directory: directory, zone: zone, releasedAt: HostVersion.releasedAt, deliveryIsOn: host.isDeliveryOn,
            history: Int64(host.historyDays) * Duration.day, undelivered: Int64(host.undeliveredDays) * Duration.day,
            high: HighConsumption.Rules(
                thresholdW: host.highPowerThresholdW, hold: Int64(host.highPowerHoldSeconds) * Duration.second,
                clear: Int64(host.fetchIntervalSeconds) * Duration.second),
            phantomThresholdW: host.phantomThresholdW, phantomExclude: host.phantomExclude,
            tariff: host.tariff.tariff, currency: host.tariff.currency, log: log)
    }

    private static func makeDelivery(
        _ settings: Settings, _ directory: DataDirectory, _ pipeline: Pipeline, _ log: Log
    ) throws -> DeliveryLoop? {
        let influx = settings.host.influx
        guard settings.host.isDeliveryOn else {
            log.info(
                "delivery is off", LogField("note", "the embedded store is all there is; set INFLUXDB_URL to deliver"))
            return nil
        }
        let target = InfluxTarget(influx)
        log.info("delivery is on", LogField("destination", target.label), LogField("bucket", influx.bucket))
        let options = DeliveryLoop.Options(
            target: target, tags: influx.tags.map { ($0.key, $0.value) },
            credentials: { [log] in
                // Files and .env are read anew: a token that was changed is found after a refusal.
                let now = Settings.read()
                log.register(secrets: now.secrets)
                let influx = now.host.influx
                return InfluxCredentials(token: influx.token, username: influx.username, password: influx.password)
            })
        return try DeliveryLoop(
            options: options, directory: directory, settle: { pipeline.settle($0, done: $1) }, log: log)
    }

    private static func makeStandIn(
        _ settings: Settings, _ catalog: AdapterCatalog, _ board: LiveBoard, _ log: Log
    ) -> StandIn? {
        guard settings.host.fallback == .mock,
            !settings.host.meterTypes.contains(where: { $0 == .instance(StandIn.identity) }),
            let adapter = catalog.adapter(ofType: StandIn.identity.meterType)
        else { return nil }
        let resolved = AdapterSettingResolver(identity: StandIn.identity, lookup: settings.lookup)
            .resolve(adapter.description.settings)
        return StandIn(adapter: adapter, settings: resolved.values, board: board, log: log)
    }

    /// Answers whether it was there already.
    private static func leaveMarker(_ path: String) -> Bool {
        let wasThere = unsafe access(path, F_OK) == 0
        _ = FileDescriptor(owning: unsafe sm_open(path, O_WRONLY | O_CREAT, 0o600))
        return wasThere
    }

    // MARK: The run

    /// How a run ends.
    enum Ending {
        /// A signal asked for it; the exit status.
        case stopped(Int32)
        /// The store is damaged: a new start sets it aside.
        case startAnew
    }

    /// Until a signal asks to end, or the store cannot go on.
    func run() throws -> Ending {
        let listener = try UnixSocket.listen(at: directory.path(of: "control.sock"))
        let control = ControlServer(house: house, settings: settings.host, log: log)
        while true {
            if pipeline.status.isDamaged {
                log.error("the store is damaged: starting anew, which sets it aside")
                _ = stop()
                return .startAnew
            }
            var wake = house.tendStandIn()
            let now = Clock.monotonic()
            for entry in instances.all {
                if let next = entry.running?.checkDeadline(now: now) { wake = min(wake, next) }
            }
            switch events.next(until: min(wake, now + Duration.second * 5), listener: listener.number) {
            case .stop(let signal):
                log.info("smart-meter stops", LogField("signal", signal))
                return .stopped(stop())
            case .reload: reload()
            case .clockSet:
                log.warning("the clock was set")
                pipeline.clockChanged()
                for entry in instances.all { entry.running?.clockChanged() }
            case .connection:
                if let connection = UnixSocket.accept(from: listener.number) { control.serve(connection) }
            case .nothing: break
            }
        }
    }

    /// SIGHUP: settings and secrets are read again. What cannot change while running keeps its value until a restart.
    private func reload() {
        let fresh = Settings.read()
        guard fresh.problems.isEmpty else {
            for problem in fresh.problems { log.error("settings not reloaded", LogField("problem", problem)) }
            return
        }
        log.register(secrets: fresh.secrets)
        log.configure(
            level: LogLevel(fresh.host.logLevel), format: fresh.host.logFormat == .json ? .json : .text)
        delivery?.reload()
        let catalog = AdapterCatalog(
            release: fresh.catalogDirectories.release, directories: fresh.catalogDirectories.others)
        // Stopping an adapter may take a second: not on main.
        let instances = instances
        _ = try? Thread(name: "reload") { instances.reconfigure(InstancePlan.all(fresh, catalog), fresh) }
        log.info("settings reloaded")
    }

    /// Adapters first, so that nothing new comes; the pipeline last, so that everything that came is durable.
    private func stop() -> Int32 {
        let deadline = Clock.monotonic() + Self.stopTime
        let running = instances.all.compactMap(\.running)
        for adapter in running { adapter.stop() }
        house.standIn?.stop()
        server.stop()
        delivery?.stop()
        for adapter in running where !adapter.join(until: deadline - 800 * Duration.millisecond) {
            log.warning("adapter left behind", LogField("instance", adapter.identity.name))
        }
        serverThread.join(until: deadline - 700 * Duration.millisecond)
        _ = delivery?.join(until: deadline - 600 * Duration.millisecond)
        let isCommitted = pipeline.stop(until: deadline)
        if isCommitted { unsafe unlink(marker) }
        unsafe unlink(directory.path(of: "control.sock"))
        log.info("smart-meter has stopped", LogField("committed", isCommitted))
        _ = log.stop(until: Clock.monotonic() + 200 * Duration.millisecond)
        return isCommitted ? SmartMeter.ExitStatus.ok : SmartMeter.ExitStatus.failed
    }
}

/// Rings delivery after a commit; made before there is a delivery.
private final class WakeDelivery: Sendable {
    private let delivery = Mutex<DeliveryLoop?>(nil)
    func set(_ loop: DeliveryLoop?) { delivery.withLock { $0 = loop } }
    func ring() { delivery.withLock { $0 }?.wake() }
}

extension InfluxTarget {
    init(_ influx: HostSettings.Influx) {
        self.init(
            url: influx.url, organisation: influx.organisation, bucket: influx.bucket,
            api: InfluxAPI(rawValue: influx.api.rawValue), caFile: influx.caFile ?? "")
    }
}

extension LogLevel {
    init(_ name: HostSettings.LogLevelName) {
        switch name {
        case .error: self = .error
        case .warning: self = .warning
        case .info: self = .info
        case .debug: self = .debug
        }
    }
}
