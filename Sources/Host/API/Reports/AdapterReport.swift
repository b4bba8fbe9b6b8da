package import Readings

/// One instance that `METER_TYPE` names: how it fares, and what it runs with.
package struct AdapterReport: Sendable {
    package var instance: String
    package var meterType: String
    package var isHouse: Bool
    package var state: String
    package var since: Instant
    /// Why it is not running.
    package var reason: String?
    /// What it complains about although it delivers.
    package var condition: String?
    package var attempts = 0
    package var failures = 0
    package var consecutiveFailures = 0
    package var lastSuccess: Instant?
    package var lastError: String?
    package var lastErrorAt: Instant?
    package var lastReadSeconds: Double?
    package var nextRun: Instant?
    /// Of the day's ration; nil = no limit.
    package var requestsLeft: Int?
    package var readings = Readings()
    /// Nil where the meter has no log to ask.
    package var gaps: Gaps?
    /// Nil where nothing is known of it: no adapter of the type was found.
    package var schedule: Schedule?
    package var descriptor: Descriptor?
    package var settings: [Setting] = []

    package init(instance: String, meterType: String, isHouse: Bool, state: String, since: Instant) {
        self.instance = instance
        self.meterType = meterType
        self.isHouse = isHouse
        self.state = state
        self.since = since
    }

    /// What became of the readings that it handed over, since the start.
    package struct Readings: Hashable, Sendable {
        package var accepted = 0
        package var busy = 0
        package var invalid = 0
        package var badValues = 0
        package var tooLate = 0

        package init() {}
    }

    /// What is missing, and can be had of the meter's own log.
    package struct Gaps: Sendable {
        package var missingSlots: Int
        package var filledSlots: Int
        package var retryAt: Instant?
        package var lastError: String?

        package init(missingSlots: Int, filledSlots: Int, retryAt: Instant?, lastError: String?) {
            self.missingSlots = missingSlots
            self.filledSlots = filledSlots
            self.retryAt = retryAt
            self.lastError = lastError
        }
    }

    package struct Schedule: Sendable {
        package var sampleSeconds: Double
        package var minimumSeconds: Double
        package var intervalSeconds: Double
        package var lateSeconds: Double
        package var requestsPerDay: Int?

        package init(
            sampleSeconds: Double, minimumSeconds: Double, intervalSeconds: Double, lateSeconds: Double,
            requestsPerDay: Int?
        ) {
            self.sampleSeconds = sampleSeconds
            self.minimumSeconds = minimumSeconds
            self.intervalSeconds = intervalSeconds
            self.lateSeconds = lateSeconds
            self.requestsPerDay = requestsPerDay
        }
    }

    /// What the adapter says of itself.
    package struct Descriptor: Sendable {
        package var name: String
        package var vendor: String
        package var version: String
        package var url: String
        package var summary: String
        package var isPush: Bool
        package var file: String

        package init(
            name: String, vendor: String, version: String, url: String, summary: String, isPush: Bool, file: String
        ) {
            self.name = name
            self.vendor = vendor
            self.version = version
            self.url = url
            self.summary = summary
            self.isPush = isPush
            self.file = file
        }
    }

    /// A setting in force; a secret's value is masked.
    package struct Setting: Sendable {
        package var name: String
        package var value: String
        package var source: String

        package init(name: String, value: String, source: String) {
            self.name = name
            self.value = value
            self.source = source
        }
    }
}

/// Every instance, the files that are no adapters for this host, and those that it could not look at yet.
package struct AdaptersReport: Sendable {
    package var adapters: [AdapterReport]
    package var refused: [Refusal]
    package var waiting: [Wait]

    package init(adapters: [AdapterReport], refused: [Refusal], waiting: [Wait]) {
        self.adapters = adapters
        self.refused = refused
        self.waiting = waiting
    }

    package struct Refusal: Sendable {
        package var file: String
        package var reason: String

        package init(file: String, reason: String) {
            self.file = file
            self.reason = reason
        }
    }

    /// Of a file, or of a directory of them.
    package struct Wait: Sendable {
        package var file: String
        package var reason: String
        package var since: Instant
        package var todo: String

        package init(file: String, reason: String, since: Instant, todo: String) {
            self.file = file
            self.reason = reason
            self.since = since
            self.todo = todo
        }

        static let shape = Shape<Self>(
            "Wait",
            [
                .text("file") { $0.file }, .text("reason") { $0.reason }, .time("since") { $0.since },
                .text("todo", "What would end it sooner") { $0.todo },
            ])
    }

    static let shape = Shape<Self>(
        "Adapters",
        [
            .list("adapters", AdapterReport.shape) { $0.adapters },
            .list(
                "refused", Shape<Refusal>("Refusal", [.text("file") { $0.file }, .text("reason") { $0.reason }]),
                "Files that are not used, and why"
            ) { $0.refused },
            .list(
                "waiting", Wait.shape,
                "Files that the host could not look at for want of something; they are tried again by themselves"
            ) { $0.waiting },
        ])
}

extension AdapterReport {
    /// In the order in which `InstanceState` has them.
    private static let states = [
        "waiting", "misconfigured", "starting", "running", "paused", "backing_off", "needs_attention",
        "restarting", "abandoned", "stopped",
    ]

    /// What changes while it runs.
    static let status = Shape<Self>(
        "AdapterStatus",
        [
            .text("instance") { $0.instance },
            .text("meter_type") { $0.meterType },
            .flag("is_house", "It is the house's meter") { $0.isHouse },
            .word("state", states) { $0.state },
            .time("since", "When the state began") { $0.since },
            .optionalText("reason", "Why it is not running") { $0.reason },
            .optionalText("condition", "What it complains about although it delivers") { $0.condition },
            .count("attempts", "Since the start") { $0.attempts },
            .count("failures") { $0.failures },
            .count("consecutive_failures") { $0.consecutiveFailures },
            .optionalTime("last_success") { $0.lastSuccess },
            .optionalText("last_error") { $0.lastError },
            .optionalTime("last_error_at") { $0.lastErrorAt },
            .optionalNumber("last_read_seconds") { $0.lastReadSeconds },
            .optionalTime("next_run", "Null: not before something changes") { $0.nextRun },
            .optionalCount("requests_left", "Of the day's ration; null: no limit") { $0.requestsLeft },
            .object("readings", Readings.shape, "What became of its readings, since the start") { $0.readings },
            .optionalObject("gaps", Gaps.shape, "What its own log is asked for; null: it has none") { $0.gaps },
        ])

    static let shape = Shape<Self>(
        "Adapter",
        status.fields + [
            .optionalObject("schedule", Schedule.shape) { $0.schedule },
            .optionalObject("descriptor", Descriptor.shape, "What the adapter says of itself") { $0.descriptor },
            .list("settings", Setting.shape, "In force; a secret's value is ***") { $0.settings },
        ])
}

extension AdapterReport.Gaps {
    fileprivate static let shape = Shape<Self>(
        "Gaps",
        [
            .count("missing_slots", "Still to be asked for") { $0.missingSlots },
            .count("filled_slots", "Since the start") { $0.filledSlots },
            .optionalTime("retry_at", "When the rest can be asked for; null: at once, or there is none") { $0.retryAt },
            .optionalText("last_error", "Why the log did not answer when last asked") { $0.lastError },
        ])
}

extension AdapterReport.Readings {
    fileprivate static let shape = Shape<Self>(
        "ReadingCounts",
        [
            .count("accepted") { $0.accepted },
            .count("busy", "Dropped: the queue was full") { $0.busy },
            .count("invalid", "Refused: they break a rule") { $0.invalid },
            .count("bad_values", "Single numbers that were none, or beyond anything") { $0.badValues },
            .count("too_late", "Came after their slot was final") { $0.tooLate },
        ])
}

extension AdapterReport.Schedule {
    fileprivate static let shape = Shape<Self>(
        "Schedule",
        [
            .number("sample_seconds", "Between two readings") { $0.sampleSeconds },
            .number("minimum_seconds", "Never sooner after an attempt") { $0.minimumSeconds },
            .number("interval_seconds", "Of a stored slot") { $0.intervalSeconds },
            .number("late_seconds", "How late a reading may come") { $0.lateSeconds },
            .optionalCount("requests_per_day", "Null: no limit") { $0.requestsPerDay },
        ])
}

extension AdapterReport.Descriptor {
    fileprivate static let shape = Shape<Self>(
        "Descriptor",
        [
            .text("name") { $0.name },
            .text("vendor") { $0.vendor },
            .text("version") { $0.version },
            .text("url") { $0.url },
            .text("description") { $0.summary },
            .word("delivery", ["pull", "push"], "Whether it is read, or hands over by itself") {
                $0.isPush ? "push" : "pull"
            },
            .text("file") { $0.file },
        ])
}

extension AdapterReport.Setting {
    fileprivate static let shape = Shape<Self>(
        "Setting",
        [
            .text("name", "The variable") { $0.name },
            .text("value", "Empty: unset") { $0.value },
            .text("source") { $0.source },
        ])
}
