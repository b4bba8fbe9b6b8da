import Delivery
import Observability
import Readings
import Storage

/// `smart-meter outbox`: what waits to be delivered, seen and handled. Reading needs no running host and disturbs none;
/// what changes the store goes through the host where one runs.
struct OutboxCommand {
    private let directory: DataDirectory
    private let path: String
    /// Runs on the one connection that writes; nil = there is no host, so here.
    private let operate: ((@escaping @Sendable (Store) throws(StorageError) -> Int) -> Result<Int, StorageError>?)?

    init(
        directory path: String,
        operate: ((@escaping @Sendable (Store) throws(StorageError) -> Int) -> Result<Int, StorageError>?)? = nil
    ) {
        self.path = path
        directory = DataDirectory(unlocked: path)
        self.operate = operate
    }

    func run(_ verb: OutboxVerb, json: Bool, console: some Console) -> Int32 {
        do throws(StorageError) {
            switch verb {
            case .list: try list(json: json, console)
            case .verify: return try verify(json: json, console)
            case .export(let from, let to): return try export(from, to, console)
            case .replay(let from, let to): return try replay(from, to, console)
            case .drop(let isSure): return try drop(isSure: isSure, console)
            }
            return SmartMeter.ExitStatus.ok
        } catch {
            console.complain("smart-meter: \(error.message); \(error.advice)")
            return SmartMeter.ExitStatus.failed
        }
    }

    // MARK: Looking

    private func list(json: Bool, _ console: some Console) throws(StorageError) {
        let reader = try Reader(directory: directory)
        let backlog = try reader.backlogByInstance()
        let rejected = try reader.rejectedLines(limit: 100)
        guard !json else { return console.print(listJSON(backlog, rejected)) }
        if backlog.isEmpty { console.print("nothing waits to be delivered") }
        for (meter, waiting) in backlog {
            let oldest = waiting.oldest.map(Timestamp.text) ?? "-"
            let newest = waiting.newest.map(Timestamp.text) ?? "-"
            console.print(
                "\(meter.name)  slots=\(waiting.slots) points=\(waiting.points) oldest=\(oldest) newest=\(newest)")
        }
        for line in rejected {
            console.print("rejected \(Timestamp.text(line.at))  \(line.line)\n  the server says: \(line.reason)")
        }
    }

    private func listJSON(
        _ backlog: [(meter: InstanceIdentity, backlog: Backlog)], _ rejected: [RejectedLine]
    ) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.key("waiting")
        json.beginArray()
        for (meter, waiting) in backlog {
            json.beginObject()
            json.field("instance", meter.name)
            json.field("slots", waiting.slots)
            json.field("points", waiting.points)
            json.field("oldest", waiting.oldest)
            json.field("newest", waiting.newest)
            json.endObject()
        }
        json.endArray()
        json.key("rejected")
        json.beginArray()
        for line in rejected {
            json.beginObject()
            json.field("at", line.at)
            json.field("line", line.line)
            json.field("reason", line.reason)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
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

    private func export(_ from: String?, _ to: String?, _ console: some Console) throws(StorageError) -> Int32 {
        guard let span = span(from, to, console) else { return SmartMeter.ExitStatus.usage }
        let reader = try Reader(directory: directory)
        var writer = LineWriter(tags: [])
        try reader.forEachSlot(
            from: span.lowerBound, to: span.upperBound, onlyWaiting: from == nil && to == nil
        ) { slot in
            writer.removeAll()
            writer.append(slot, index: 0)
            let text = String(decoding: writer.bytes.dropLast(), as: UTF8.self)
            if !text.isEmpty { console.print(text) }
        }
        return SmartMeter.ExitStatus.ok
    }

    // MARK: Changing

    private func replay(_ from: String?, _ to: String?, _ console: some Console) throws(StorageError) -> Int32 {
        guard let span = span(from, to, console) else { return SmartMeter.ExitStatus.usage }
        if from == nil, to == nil {
            let count = try change { store throws(StorageError) in try store.replayRejected() }
            console.print("\(count) rejected lines go out again")
        } else {
            let count = try change { store throws(StorageError) in
                try store.replay(from: span.lowerBound, to: span.upperBound)
            }
            console.print("\(count) slots go out again")
        }
        return SmartMeter.ExitStatus.ok
    }

    private func drop(isSure: Bool, _ console: some Console) throws(StorageError) -> Int32 {
        guard isSure else {
            console.complain(
                "smart-meter: this gives up everything that waits: it is never sent (it stays in the store). Say: outbox drop --yes"
            )
            return SmartMeter.ExitStatus.usage
        }
        let count = try change { store throws(StorageError) in try store.dropWaiting() }
        console.print("\(count) slots were given up")
        return SmartMeter.ExitStatus.ok
    }

    private func change(
        _ operation: @escaping @Sendable (Store) throws(StorageError) -> Int
    ) throws(StorageError) -> Int {
        guard let operate else {
            return try operation(try Store.open(in: try DataDirectory(locking: path)).store)
        }
        guard let result = operate(operation) else {
            throw StorageError(.busy, "the running host did not answer in time")
        }
        return try result.get()
    }

    // MARK: Time

    /// (from, to]; nil = it was complained about.
    private func span(_ from: String?, _ to: String?, _ console: some Console) -> Range<Instant>? {
        var bounds = (Instant(nanoseconds: 0), Instant(nanoseconds: .max))
        for (text, isStart) in [(from, true), (to, false)] {
            guard let text else { continue }
            guard let instant = TimeText.instant(text) else {
                console.complain(
                    "smart-meter: '\(text)' is not a time: 2026-11-23T07:00:00Z or seconds since 1970 are understood")
                return nil
            }
            if isStart { bounds.0 = instant } else { bounds.1 = instant }
        }
        guard bounds.0 < bounds.1 else {
            console.complain("smart-meter: --from must be before --to")
            return nil
        }
        return bounds.0..<bounds.1
    }
}

/// Times as operators write them.
enum TimeText {
    /// `2026-11-23T07:00:00Z`, `2026-11-23` (its UTC midnight), or seconds since 1970.
    static func instant(_ text: String) -> Instant? {
        if let seconds = Int64(text) { return Instant(seconds: seconds) }
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard let date = numbers(parts[0], "-", 3), (1970...2200).contains(date[0]), (1...12).contains(date[1]),
            (1...31).contains(date[2])
        else { return nil }
        var seconds = CalendarDate(year: date[0], month: date[1], day: date[2]).daysSinceEpoch * 86400
        if parts.count == 2 {
            guard parts[1].hasSuffix("Z"), let time = numbers(parts[1].dropLast(), ":", 3), (0..<24).contains(time[0]),
                (0..<60).contains(time[1]), (0..<60).contains(time[2])
            else { return nil }
            seconds += Int64(time[0] * 3600 + time[1] * 60 + time[2])
        }
        return parts.count <= 2 ? Instant(seconds: seconds) : nil
    }

    private static func numbers(_ text: Substring, _ separator: Character, _ count: Int) -> [Int]? {
        let numbers = text.split(separator: separator, omittingEmptySubsequences: false).compactMap { Int($0) }
        return numbers.count == count ? numbers : nil
    }
}
