import Configuration
import Delivery
import Glibc
import Observability
import Readings
import Storage

/// `smart-meter outbox`: what waits to be delivered, seen and handled. Reading needs no running host and disturbs none;
/// what changes the store goes through the host where one runs.
struct OutboxCommand {
    /// Runs on the one connection that writes. Nil: it did not answer in time.
    typealias Operate = (@escaping @Sendable (Store) throws(StorageError) -> Int) -> Result<Int, StorageError>?

    private let settings: HostSettings
    private let directory: DataDirectory
    private let zone: Zone
    /// How delivery fares; nil = no host runs, or delivery is off.
    private let status: DeliveryStatus?
    /// Nil = no host runs, so here.
    private let operate: Operate?

    /// - Parameter zone: of the house: what a date means.
    init(_ settings: HostSettings, in zone: Zone, status: DeliveryStatus? = nil, operate: Operate? = nil) {
        self.settings = settings
        directory = DataDirectory(unlocked: Environment.absolute(settings.dataDirectory))
        self.zone = zone
        self.status = status
        self.operate = operate
    }

    func run(_ verb: OutboxVerb, json: Bool, console: some Console) -> Int32 {
        guard operate != nil || !lacksStore else {
            console.complain(
                "smart-meter: there is no store in DATA_DIR \(directory.path): set DATA_DIR to that of the service")
            return SmartMeter.ExitStatus.failed
        }
        do throws(StorageError) {
            switch verb {
            case .list: try list(json: json, console)
            case .verify: return try verify(json: json, console)
            case .export(let from, let to): return try export(from, to, json: json, console)
            case .replay(let from, let to): return try replay(from, to, json: json, console)
            case .drop(let isSure): return try drop(isSure: isSure, json: json, console)
            }
            return SmartMeter.ExitStatus.ok
        } catch {
            console.complain("smart-meter: \(error.message); \(error.advice)")
            return SmartMeter.ExitStatus.failed
        }
    }

    /// There is none. One that this user may not look for is none of it.
    private var lacksStore: Bool {
        unsafe access(directory.path(of: Store.fileName), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)
    }

    // MARK: Looking

    private func list(json: Bool, _ console: some Console) throws(StorageError) {
        let reader = try Reader(directory: directory)
        let list = OutboxList(
            destination: destination, status: status, isRunning: operate != nil,
            waiting: try reader.backlogByInstance(), rejected: try reader.rejectedLines(limit: 100))
        console.print(json ? list.json : list.text)
    }

    /// Nil = delivery is off.
    private var destination: String? {
        settings.isDeliveryOn ? "\(InfluxTarget(settings.influx).label) \(settings.influx.bucket)" : nil
    }

    private func verify(json: Bool, _ console: some Console) throws(StorageError) -> Int32 {
        let findings = try Reader(directory: directory).findings()
        if json {
            var writer = JSONWriter()
            writer.beginObject()
            writer.field("sound", findings.isEmpty)
            writer.key("findings")
            writer.beginArray()
            for finding in findings { writer.value(finding) }
            writer.endArray()
            writer.endObject()
            console.print(String(decoding: writer.bytes, as: UTF8.self))
        } else {
            console.print(findings.isEmpty ? "the store is sound" : findings.joined(separator: "\n"))
        }
        return findings.isEmpty ? SmartMeter.ExitStatus.ok : SmartMeter.ExitStatus.failed
    }

    /// Lines as they are delivered, with a head that `influx -import` wants and every other reader takes for a comment.
    private func export(
        _ from: String?, _ to: String?, json: Bool, _ console: some Console
    ) throws(StorageError) -> Int32 {
        guard let span = TimeText.span(from, to, in: zone, console)?.range else { return SmartMeter.ExitStatus.usage }
        let reader = try Reader(directory: directory)
        let onlyWaiting = from == nil && to == nil
        var writer = LineWriter(tags: settings.influx.tags.map { ($0.key, $0.value) })
        if !json { console.print("# DML\n# CONTEXT-DATABASE: \(settings.influx.bucket)") }
        func flush() {
            let text = String(decoding: writer.bytes.dropLast(), as: UTF8.self)
            writer.removeAll()
            guard !text.isEmpty else { return }
            guard json else { return console.print(text) }
            for line in text.split(separator: "\n") {
                var object = JSONWriter()
                object.beginObject()
                object.field("line", String(line))
                object.endObject()
                console.print(String(decoding: object.bytes, as: UTF8.self))
            }
        }
        try reader.forEachSlot(from: span.lowerBound, to: span.upperBound, onlyWaiting: onlyWaiting) { slot in
            writer.append(slot, index: 0)
            flush()
        }
        try reader.forEachAlert(from: span.lowerBound, to: span.upperBound, onlyWaiting: onlyWaiting) { alert in
            writer.append(alert, index: 0)
            flush()
        }
        return SmartMeter.ExitStatus.ok
    }

    // MARK: Changing

    private func replay(
        _ from: String?, _ to: String?, json: Bool, _ console: some Console
    ) throws(StorageError) -> Int32 {
        guard let span = TimeText.span(from, to, in: zone, console)?.range else { return SmartMeter.ExitStatus.usage }
        if from == nil, to == nil {
            let count = try change { store throws(StorageError) in try store.replayRejected() }
            report("replayed_lines", count, "\(count) rejected lines go out again", json: json, console)
        } else {
            let count = try change { store throws(StorageError) in
                try store.replay(from: span.lowerBound, to: span.upperBound)
            }
            report("replayed_slots", count, "\(count) slots go out again", json: json, console)
        }
        return SmartMeter.ExitStatus.ok
    }

    private func drop(isSure: Bool, json: Bool, _ console: some Console) throws(StorageError) -> Int32 {
        guard isSure else {
            console.complain(
                "smart-meter: this gives up everything that waits: it is never sent (it stays in the store). Say: outbox drop --yes"
            )
            return SmartMeter.ExitStatus.usage
        }
        let count = try change { store throws(StorageError) in try store.dropWaiting() }
        report("dropped_slots", count, "\(count) slots were given up", json: json, console)
        return SmartMeter.ExitStatus.ok
    }

    private func report(_ name: String, _ count: Int, _ text: String, json: Bool, _ console: some Console) {
        guard json else { return console.print(text) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.field(name, count)
        writer.endObject()
        console.print(String(decoding: writer.bytes, as: UTF8.self))
    }

    private func change(
        _ operation: @escaping @Sendable (Store) throws(StorageError) -> Int
    ) throws(StorageError) -> Int {
        guard let operate else {
            return try operation(
                try Store.open(in: try DataDirectory(locking: Environment.absolute(settings.dataDirectory))).store)
        }
        guard let result = operate(operation) else {
            throw StorageError(.busy, "the running host did not answer in time")
        }
        return try result.get()
    }
}
