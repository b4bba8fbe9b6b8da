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
    private let log: Log
    private let directory: DataDirectory
    private let pipeline: Pipeline
    private let instances: Instances
    private let delivery: DeliveryLoop?
    private let webhook: WebhookLoop?
    private let house: House
    private let server: HTTPServer
    private let events: HostEvents
    private let exits: UncleanExits
    private let shelf: AdapterShelf
    private let reconfiguration: Reconfiguration
    /// As they were at the start, and as last read.
    private let started: Settings
    private var current: Settings
    private var news = CatalogNews()
    private var reports = InstanceReports()
    /// Whether the names in `.env` were looked at since it was read.
    private var hasCheckedNames = false

    /// What a stop may take (design: within 2 s).
    private static let stopTime = 1800 * Duration.millisecond

    init(_ settings: Settings, _ zone: SystemZone) throws {
        started = settings
        current = settings
        let host = settings.host
        _ = sm_undumpable()
        sm_raise_descriptor_limit()
        events = try HostEvents()
        let log = try Log(level: LogLevel(host.logLevel), format: host.logFormat == .json ? .json : .text)
        self.log = log
        log.register(secrets: settings.secrets)
        try log.start()
        log.info("smart-meter starts", LogField("version", HostVersion.text), LogField("zone", zone.zone.name))

        let directory = try DataDirectory(locking: settings.dataDirectory)
        self.directory = directory
        let exits = UncleanExits(directory, now: .now)
        self.exits = exits
        let isolationNote = Self.isolationNote(settings, exits)
        if let isolationNote { log.error(isolationNote) }
        if let before = exits.before { RunnerSpawner.killLeftovers(of: before) }
        let shelf = try Self.makeShelf(settings, directory, isolationNote == nil ? host.isolation : .always, log)
        self.shelf = shelf

        let board = LiveBoard()
        let wakeDelivery = WakeDelivery()
        let pipeline = try Pipeline(options: Self.pipelineOptions(settings, directory, zone.zone, log)) {
            wakeDelivery.ring()
        }
        self.pipeline = pipeline
        try pipeline.start()
        instances = Instances(pipeline: pipeline, board: board, log: log, uncleanEnd: exits.wasUnclean)
        reconfiguration = Reconfiguration(instances)
        // Adapters are looked for while everything else begins.
        _ = shelf.tend()
        instances.begin(InstancePlan.all(settings, shelf.catalog))
        delivery = try Self.makeDelivery(settings, directory, pipeline, log)
        webhook = try Self.makeWebhook(settings, directory, pipeline, log)
        wakeDelivery.set(delivery, webhook)
        try delivery?.start()
        try webhook?.start()

        house = House(
            instances: instances, board: board, pipeline: pipeline, delivery: delivery, webhook: webhook,
            standIn: Self.makeStandIn(settings, shelf, board, log), zone: zone, shelf: shelf,
            isolationNote: isolationNote, history: History(directory), options: Self.houseOptions(settings), log: log)
        server = try HTTPServer(
            address: host.bindAddress, port: host.servicePort, router: Router(RouteTable.all(house)), house: house,
            rules: Self.accessRules(settings))
        try server.start { [log] in log.error("http server ended", LogField("error", "\($0)")) }
        log.info("serving", LogField("address", host.bindAddress), LogField("port", server.port))
        if settings.isUnconfigured {
            log.warning(Settings.unconfigured)
        }
    }

    // MARK: The parts

    static func pipelineOptions(
        _ settings: Settings, _ directory: DataDirectory, _ zone: Zone, _ log: Log
    ) -> PipelineOptions {
        let host = settings.host
        var options = PipelineOptions(
            directory: directory, zone: zone, releasedAt: HostVersion.releasedAt, deliveryIsOn: host.isDeliveryOn,
            history: Int64(host.historyDays) * Duration.day, undelivered: Int64(host.undeliveredDays) * Duration.day,
            high: HighConsumption.Rules(
                thresholdW: host.highPowerThresholdW, hold: Int64(host.highPowerHoldSeconds) * Duration.second,
                clear: Int64(host.fetchIntervalSeconds) * Duration.second),
            phantomThresholdW: host.phantomThresholdW, phantomExclude: host.phantomExclude,
            tariff: host.tariff.tariff, currency: host.tariff.currency, log: log)
        options.tellsAlerts = host.alertWebhookURL != nil
        return options
    }

    private static func houseOptions(_ settings: Settings) -> House.Options {
        House.Options(
            stale: Int64(settings.host.staleSeconds) * Duration.second, isUnconfigured: settings.isUnconfigured,
            tariff: settings.host.tariff, phantomThresholdW: settings.host.phantomThresholdW)
    }

    private static func accessRules(_ settings: Settings) -> AccessRules {
        AccessRules(
            token: settings.host.apiToken, areMetricsOpen: settings.host.metricsOpen,
            hosts: HostCheck(allowed: settings.host.allowedHosts))
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

    private static func makeWebhook(
        _ settings: Settings, _ directory: DataDirectory, _ pipeline: Pipeline, _ log: Log
    ) throws -> WebhookLoop? {
        guard let url = settings.host.alertWebhookURL else { return nil }
        let secret = WebhookSecret(settings, log)
        let webhook = try WebhookLoop(
            options: WebhookLoop.Options(url: url) { secret.current }, directory: directory,
            settle: { pipeline.settle($0, done: $1) }, log: log)
        log.info(
            "alerts go to a webhook", LogField("destination", webhook.currentStatus.destination),
            LogField("signed", settings.host.alertWebhookSecret != nil))
        return webhook
    }

    private static func makeStandIn(
        _ settings: Settings, _ shelf: AdapterShelf, _ board: LiveBoard, _ log: Log
    ) -> StandIn? {
        guard settings.host.fallback == .mock,
            !settings.host.meterTypes.contains(where: { $0 == .instance(StandIn.identity) })
        else { return nil }
        return StandIn(shelf: shelf, lookup: settings.lookup, board: board, log: log)
    }

    private static func makeShelf(
        _ settings: Settings, _ directory: DataDirectory, _ isolation: HostSettings.Isolation, _ log: Log
    ) throws -> AdapterShelf {
        let loader = AdapterLoader(
            staging: try StagingArea(directory.path(of: "adapters")),
            spawner: try RunnerSpawner(environment: Environment.variables, adoptsOrphans: true), isolation: isolation,
            secret: settings.secretPaths, log: log)
        let directories = settings.catalogDirectories
        return try AdapterShelf(
            release: directories.release, directories: directories.others, loader: loader, watches: true)
    }

    /// Why every adapter gets a process of its own although it was not set so.
    private static func isolationNote(_ settings: Settings, _ exits: UncleanExits) -> String? {
        guard exits.areTooMany, settings.host.isolation != .always else { return nil }
        return "\(exits.recent.count) runs in ten minutes did not end in order: every adapter has a process of its own"
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
    mutating func run() throws -> Ending {
        let listener = try UnixSocket.listen(at: directory.path(of: "control.sock"))
        let control = ControlServer(house: house, settings: current.host, log: log)
        while true {
            if pipeline.status.isDamaged {
                log.error("the store is damaged: starting anew, which sets it aside")
                _ = stop()
                return .startAnew
            }
            reports.tend(instances, current, isComplete: shelf.catalog.isComplete, pipeline, log)
            checkNames()
            let now = Clock.monotonic()
            var wake = min(tendShelf(), house.tendStandIn())
            for entry in instances.all {
                if let next = entry.running?.checkDeadline(now: now) { wake = min(wake, next) }
            }
            let adapters = [shelf.watchDescriptor, shelf.bell.number]
            let event = events.next(
                until: min(wake, now + Duration.second * 5), listener: listener.number, adapters: adapters)
            switch event {
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
            case .adapters, .nothing: break
            }
        }
    }

    /// Names in `.env` that are no setting; once all adapters that there are have said what theirs are.
    private mutating func checkNames() {
        let catalog = shelf.catalog
        guard !hasCheckedNames, catalog.isComplete else { return }
        hasCheckedNames = true
        for note in StrayNames.notes(current, catalog) {
            log.write(note.isLikelyMeant ? .warning : .debug, note.text, [])
        }
    }

    /// What has happened to adapters' files. Answers when to look again (monotonic ns).
    private mutating func tendShelf() -> Int64 {
        let (hasChanged, wake) = shelf.tend()
        guard hasChanged else { return wake }
        let catalog = shelf.catalog
        news.say(catalog, log)
        reconfiguration.ask(current, catalog, isByPerson: false)
        return wake
    }

    /// SIGHUP: settings and secrets are read again, and adapters looked for. What cannot change while running keeps its
    /// value until a restart, and is named.
    private mutating func reload() {
        let fresh = Settings.read()
        guard fresh.problems.isEmpty else {
            for problem in fresh.problems { log.error("settings not reloaded", LogField("problem", problem)) }
            return
        }
        log.register(secrets: fresh.secrets)
        log.configure(
            level: LogLevel(fresh.host.logLevel), format: fresh.host.logFormat == .json ? .json : .text)
        delivery?.reload()
        server.replace(rules: Self.accessRules(fresh))
        webhook?.reload()
        current = fresh
        hasCheckedNames = false
        pipeline.adopt(Self.pipelineOptions(fresh, directory, house.zone.zone, log))
        var options = Self.houseOptions(fresh)
        options.tariff = started.host.tariff
        let waiting = started.host.waitingForRestart(in: fresh.host)
        house.adopt(options, waiting: waiting)
        shelf.rescan()
        reconfiguration.ask(fresh, shelf.catalog, isByPerson: true)
        log.info("settings reloaded")
        if !waiting.isEmpty { log.warning("needs a restart: \(waiting.joined(separator: ", "))") }
    }

    /// Adapters first, so that nothing new comes; the pipeline last, so that everything that came is durable.
    private func stop() -> Int32 {
        let deadline = Clock.monotonic() + Self.stopTime
        instances.close()
        let running = instances.all.compactMap(\.running)
        for adapter in running { adapter.stop() }
        house.standIn?.stop()
        server.stop()
        delivery?.stop()
        webhook?.stop()
        for adapter in running where !adapter.join(until: deadline - 800 * Duration.millisecond) {
            log.warning("adapter left behind", LogField("instance", adapter.identity.name))
        }
        server.join(until: deadline - 700 * Duration.millisecond)
        _ = delivery?.join(until: deadline - 600 * Duration.millisecond)
        _ = webhook?.join(until: deadline - 600 * Duration.millisecond)
        let isCommitted = pipeline.stop(until: deadline)
        if isCommitted { exits.end() }
        unsafe unlink(directory.path(of: "control.sock"))
        log.info("smart-meter has stopped", LogField("committed", isCommitted))
        _ = log.stop(until: Clock.monotonic() + 200 * Duration.millisecond)
        return isCommitted ? SmartMeter.ExitStatus.ok : SmartMeter.ExitStatus.failed
    }
}

/// Rings delivery and the webhook after a commit; made before there are any.
private final class WakeDelivery: Sendable {
    private let loops = Mutex<(delivery: DeliveryLoop?, webhook: WebhookLoop?)>((nil, nil))
    func set(_ delivery: DeliveryLoop?, _ webhook: WebhookLoop?) { loops.withLock { $0 = (delivery, webhook) } }
    func ring() {
        let loops = loops.withLock { $0 }
        loops.delivery?.wake()
        loops.webhook?.wake()
    }
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
