import Observability
import Platform
import Readings
import Storage
import Synchronization
import Transfer

/// What the delivery thread owns: it reads rows, makes lines of them, and sends them.
package struct DeliveryWork: SendingWork {
    package static let threadName = "delivery"
    package static func status(_ options: Options) -> DeliveryStatus {
        DeliveryStatus(destination: options.target.label)
    }

    private let loop: DeliveryLoop
    private var writer: LineWriter
    private var reader: Reader?
    private var client: HTTPClient?
    private var credentials: InfluxCredentials
    private var api: InfluxAPI?
    private var failures = 0
    /// The most bytes that the server was found to take.
    private var batchBytes: Int
    private var nextCount: Int64 = 0
    private let durable: Doorbell?

    package init(loop: DeliveryLoop) {
        self.loop = loop
        writer = LineWriter(tags: loop.options.tags)
        credentials = loop.options.credentials()
        api = loop.options.target.api
        batchBytes = loop.options.batchBytes
        durable = try? Doorbell()
    }

    package mutating func run() {
        while !loop.isEnding {
            if loop.takeReload() { credentials = loop.options.credentials() }
            let pause: Int64?
            do throws(StorageError) {
                pause = try deliverSome()
            } catch {
                reader = nil
                pause = failed(
                    Failure(.unreadable, "the store cannot be read: \(error.message)", pause: Duration.second))
            }
            guard let pause else { continue }
            wait(pause == .max ? nil : Clock.monotonic() + pause)
            // A token may have changed in its file meanwhile.
            if failures > 0 { credentials = loop.options.credentials() }
        }
    }

    /// Waits for news, or for a pause to end: news do not shorten a pause, a reload does.
    private mutating func wait(_ deadline: Int64?) {
        while Poll.firstReadable(loop.news.number, loop.ending.number, until: deadline) == loop.news.number {
            loop.news.silence()
            if deadline == nil || loop.takeReload() { return }
            // What waits grows meanwhile. A store that cannot be read now is met with the next batch.
            if let reader { try? count(reader, isAll: false) }
        }
    }

    // MARK: A batch

    /// Answers how long to pause; nil = go on at once, .max = until there is news.
    private mutating func deliverSome() throws(StorageError) -> Int64? {
        let reader = if let reader { reader } else { try Reader(directory: loop.directory) }
        self.reader = reader
        let (slots, unreadable) = try reader.waitingSlots(points: loop.options.batchLines)
        putAside(unreadable)
        let alerts = try reader.waitingAlerts()
        try count(reader, isAll: slots.isEmpty && alerts.isEmpty)
        guard !slots.isEmpty || !alerts.isEmpty else {
            set(.idle)
            return .max
        }
        writer.removeAll()
        for (index, alert) in alerts.enumerated() { writer.append(alert, index: index) }
        for (index, slot) in slots.enumerated() { writer.append(slot, index: index) }
        let bytesPerLine = Double(writer.bytes.count) / Double(max(1, writer.lines.count))
        loop.update { $0.bytesPerLine = bytesPerLine }
        return send(slots, alerts)
    }

    /// What cannot be read is never sent, and holds nothing up.
    private func putAside(_ unreadable: [UnreadableSlot]) {
        guard !unreadable.isEmpty else { return }
        var settlement = Settlement()
        for slot in unreadable {
            settlement.slots.append(slot.row)
            settlement.rejected.append(
                RejectedLine(
                    at: .now, line: "(slot \(slot.row.id) of the store)", reason: slot.reason, slot: slot.row.id,
                    alert: nil))
        }
        loop.log.write(
            .error, "delivery put slots aside that cannot be read",
            [LogField("count", unreadable.count), LogField("reason", unreadable[0].reason)])
        settleAndWait(settlement)
    }

    /// Counts what waits: all of it is read for that, so not at every batch.
    private mutating func count(_ reader: Reader, isAll: Bool) throws(StorageError) {
        let now = Clock.monotonic()
        guard isAll || now >= nextCount else { return }
        nextCount = now + Duration.second
        let backlog = try reader.backlog()
        loop.update { $0.backlog = backlog }
    }

    private mutating func send(_ slots: [OutboundSlot], _ alerts: [OutboundAlert]) -> Int64? {
        var batch = Batch(count: writer.lines.count)
        var failure: Failure?
        for range in pieces(0..<writer.lines.count) where failure == nil {
            failure = send(range, &batch)
        }
        let settlement = batch.settlement(slots, alerts, writer, failed: failure != nil)
        if batch.acceptedCount > 0 || failure == nil { succeeded(batch) }
        if !settlement.isEmpty { settleAndWait(settlement) }
        if let failure { return failed(failure) }
        // Every line was refused: that is no fault of the lines.
        guard batch.isStuck else { return nil }
        return failed(Failure(.misconfigured, batch.lastWords, pause: loop.options.slowPause))
    }

    /// A batch in pieces of as many bytes as the server takes.
    private func pieces(_ lines: Range<Int>) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = lines.lowerBound
        for line in lines where writer.bytes(of: start..<(line + 1)).count > batchBytes && line > start {
            pieces.append(start..<line)
            start = line
        }
        if start < lines.upperBound { pieces.append(start..<lines.upperBound) }
        return pieces
    }

    /// Sends some lines, halving them where one is at fault. Answers what ends the batch; nil = each line is settled.
    private mutating func send(_ lines: Range<Int>, _ batch: inout Batch) -> Failure? {
        guard !loop.isEnding else { return Failure(.delivering, "stopping", pause: 0) }
        let response: HTTPResponse
        do throws(TransferError) {
            response = try post(Array(writer.bytes(of: lines)))
        } catch {
            // What the server did with it is unknown; it may still be doing it.
            let pause = error.kind == .timeout ? loop.options.answerTime : 0
            let state: DeliveryStatus.State = error.kind == .tls || error.kind == .invalid ? .misconfigured : .retrying
            return Failure(state, error.message, pause: pause)
        }
        let verdict = Verdict(status: response.status, body: response.body, retryAfter: response.retryAfter)
        switch verdict {
        case .accepted: batch.accept(lines)
        case .faulty(let words, let named, let isNamed):
            return blame(lines, words: words, named: named, isNamed: isNamed, &batch)
        case .tooLarge:
            guard lines.count > 1 else {
                batch.reject(lines.lowerBound, words: "the server takes no line of this size")
                return nil
            }
            batchBytes = max(1024, min(batchBytes, writer.bytes(of: lines).count) / 2)
            return halves(lines, &batch)
        case .unauthorized(let words): return Failure(.unauthorized, words, pause: loop.options.slowPause)
        case .notFound(let words):
            // Perhaps it is another version now.
            api = loop.options.target.api
            return Failure(.missingBucket, words, pause: loop.options.slowPause)
        case .misconfigured(let words): return Failure(.misconfigured, words, pause: loop.options.slowPause)
        case .busy(let retryAfter, let words):
            return Failure(.retrying, words, pause: min(retryAfter, 10 * Duration.minute))
        }
        return nil
    }

    private mutating func blame(
        _ lines: Range<Int>, words: String, named: [Int], isNamed: Bool, _ batch: inout Batch
    ) -> Failure? {
        // v3 numbers the lines that it left out, and has stored the others.
        let bad = Set(named.map { lines.lowerBound + $0 - 1 }).intersection(lines)
        if !bad.isEmpty, bad.count < lines.count {
            for line in lines {
                if bad.contains(line) { batch.reject(line, words: words) } else { batch.accept(line..<(line + 1)) }
            }
            return nil
        }
        guard lines.count > 1 else {
            if isNamed { batch.reject(lines.lowerBound, words: words) } else { batch.suspect(lines.lowerBound, words) }
            return batch.isHopeless ? Failure(.misconfigured, words, pause: loop.options.slowPause) : nil
        }
        return halves(lines, &batch)
    }

    private mutating func halves(_ lines: Range<Int>, _ batch: inout Batch) -> Failure? {
        let middle = lines.lowerBound + lines.count / 2
        return send(lines.lowerBound..<middle, &batch) ?? send(middle..<lines.upperBound, &batch)
    }

    private mutating func post(_ body: [UInt8]) throws(TransferError) -> HTTPResponse {
        let client = if let client { client } else { try HTTPClient(userAgent: "smart-meter") }
        self.client = client
        let api = try detect(client)
        set(.delivering)
        return try client.perform(
            loop.options.target.write(body, api: api, credentials: credentials),
            until: Clock.monotonic() + loop.options.answerTime, interrupt: loop.ending.number)
    }

    /// Which interface the server speaks: as set, or as `/ping` and `/health` tell.
    private mutating func detect(_ client: HTTPClient) throws(TransferError) -> InfluxAPI {
        if let api { return api }
        var found: InfluxAPI?
        // InfluxDB 3 guards /ping, and knows only bearer tokens there.
        for (path, scheme) in [("/ping", InfluxAPI.v2), ("/ping", .v3), ("/health", .v2)] where found == nil {
            let response = try client.perform(
                loop.options.target.probe(path, api: scheme, credentials: credentials),
                until: Clock.monotonic() + loop.options.answerTime, interrupt: loop.ending.number)
            found = InfluxTarget.api(fromPing: response)
        }
        let detected = found ?? (credentials.token == nil ? .v1 : .v2)
        api = detected
        loop.update { $0.api = detected.rawValue }
        loop.log.write(
            .info, "delivery found",
            [LogField("api", detected.rawValue), LogField("destination", loop.options.target.label)])
        return detected
    }

    // MARK: What came of it

    private struct Failure {
        var state: DeliveryStatus.State
        var words: String
        /// Nanoseconds at least.
        var pause: Int64

        init(_ state: DeliveryStatus.State, _ words: String, pause: Int64) {
            self.state = state
            self.words = words
            self.pause = pause
        }
    }

    private mutating func succeeded(_ batch: Batch) {
        let hadFailed = failures > 0
        failures = 0
        if hadFailed {
            loop.log.write(.info, "delivery recovered", [LogField("destination", loop.options.target.label)])
        }
        let api = api
        loop.update { status in
            status.lastSuccess = .now
            status.lastAnswer = batch.lastWords.isEmpty ? "accepted" : batch.lastWords
            status.delivered += batch.acceptedCount
            status.rejected += batch.rejectedCount
            status.api = api?.rawValue
            status.nextAttempt = nil
            if status.state != .idle, status.state != .delivering {
                status.state = .delivering
                status.since = .now
            }
        }
        if batch.rejectedCount > 0 {
            loop.log.write(
                .error, "delivery rejected",
                [
                    LogField("lines", batch.rejectedCount), LogField("words", batch.lastWords),
                    LogField("see", "smart-meter outbox ls"),
                ])
        }
    }

    private mutating func failed(_ failure: Failure) -> Int64 {
        if loop.isEnding { return 0 }
        failures += 1
        let growing = Backoff.pause(
            afterFailures: failures, longest: loop.options.longestPause, random: loop.options.random())
        let pause = max(failure.pause, growing)
        if failures == 1 || loop.currentStatus.state != failure.state {
            let level: LogLevel = failure.state == .retrying ? .warning : .error
            loop.log.write(
                level, "delivery waits",
                [
                    LogField("state", failure.state.rawValue), LogField("destination", loop.options.target.label),
                    LogField("answer", failure.words),
                ])
        }
        set(failure.state)
        loop.update { status in
            status.lastAnswer = failure.words
            status.nextAttempt = .now + pause
        }
        if loop.takeReload() { return 0 }
        return pause
    }

    private func set(_ state: DeliveryStatus.State) {
        loop.update { status in
            // While it goes on trying, what is wrong stays said.
            if state == .delivering, status.state != .idle { return }
            guard status.state != state else { return }
            status.state = state
            status.since = .now
        }
    }

    /// Rows that were answered for would be read again until that is durable.
    private func settleAndWait(_ settlement: Settlement) {
        guard let durable else { return }
        durable.silence()
        loop.settle(settlement) { durable.ring() }
        _ = Poll.firstReadable(durable.number, loop.ending.number, until: Clock.monotonic() + Duration.minute)
    }
}

extension Instant {
    static var now: Instant { Instant(nanoseconds: Clock.wall()) }
}
