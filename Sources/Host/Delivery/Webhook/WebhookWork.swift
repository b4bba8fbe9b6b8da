import Observability
import Platform
import Readings
import Storage
import Transfer

/// What the webhook's thread owns: it reads the messages that wait, and sends them one by one.
package struct WebhookWork: SendingWork {
    package static let threadName = "webhook"
    package static func status(_ options: Options) -> WebhookStatus {
        WebhookStatus(destination: WebhookMessage.label(of: options.url))
    }

    private let loop: WebhookLoop
    private var reader: Reader?
    private var client: HTTPClient?
    private var failures = 0
    /// How often each message that waits was tried in vain.
    private var attempts: [Int64: Int] = [:]
    /// Taken by the receiver, and perhaps not yet marked so in the store: never sent again.
    private var answered: Set<Int64> = []

    package init(loop: WebhookLoop) {
        self.loop = loop
    }

    package mutating func run() {
        while !loop.isEnding {
            do throws(StorageError) {
                guard let message = try next() else {
                    wait(until: nil)
                    continue
                }
                send(message)
            } catch {
                reader = nil
                pause(after: WebhookFailure(store: error.message))
            }
        }
    }

    /// Waits for news, or for a pause to end. What is new is tried at once: an alert does not wait because an earlier
    /// one did.
    private mutating func wait(until deadline: Int64?) {
        while Poll.firstReadable(loop.news.number, loop.ending.number, until: deadline) == loop.news.number {
            loop.news.silence()
            if loop.takeReload() || deadline == nil { return }
            if let message = try? next(), attempts[message.id] == nil { return }
        }
    }

    // MARK: What waits

    /// What to send next: of what was tried least, the oldest. An episode's end never overtakes its beginning.
    private mutating func next() throws(StorageError) -> OutboundMessage? {
        let reader = if let reader { reader } else { try Reader(directory: loop.directory) }
        self.reader = reader
        let stored = try reader.waitingMessages()
        answered.formIntersection(stored.map(\.id))
        let waiting = stored.filter { !answered.contains($0.id) }
        let ids = Set(waiting.map(\.id))
        attempts = attempts.filter { ids.contains($0.key) }
        loop.update { status in
            status.waiting = waiting.count
            if waiting.isEmpty { status.fault = nil }
        }
        var episodes: Set<Int64> = []
        let firsts = waiting.filter { episodes.insert($0.outbound.id).inserted }
        return firsts.min { attempts[$0.id, default: 0] < attempts[$1.id, default: 0] }
    }

    // MARK: A message

    private mutating func send(_ message: OutboundMessage) {
        do throws(TransferError) {
            let response = try post(message)
            guard (200..<300).contains(response.status) else {
                return failed(message, WebhookFailure(status: response.status, retryAfter: response.retryAfter))
            }
            succeeded(message)
        } catch {
            guard error.kind != .cancelled else { return }
            let isAddress = error.kind == .tls || error.kind == .invalid
            failed(message, WebhookFailure(words: error.message, isAddress: isAddress))
        }
    }

    private mutating func post(_ message: OutboundMessage) throws(TransferError) -> HTTPResponse {
        let client = if let client { client } else { try HTTPClient(userAgent: "smart-meter") }
        self.client = client
        return try client.perform(
            WebhookMessage.request(message, to: loop.options.url, secret: loop.options.secret(), at: .now),
            until: Clock.monotonic() + loop.options.answerTime, interrupt: loop.ending.number)
    }

    private mutating func succeeded(_ message: OutboundMessage) {
        answered.insert(message.id)
        attempts[message.id] = nil
        failures = 0
        var settlement = Settlement()
        settlement.messages = [AnsweredMessage(id: message.id, at: .now)]
        loop.settle(settlement) {}
        let hasRecovered = attempts.isEmpty && loop.currentStatus.fault != nil
        loop.update { status in
            status.sent += 1
            status.waiting -= 1
            status.lastSuccess = .now
            if hasRecovered { status.fault = nil }
            status.nextAttempt = nil
        }
        if hasRecovered {
            loop.log.write(.info, "webhook recovered", [LogField("destination", loop.currentStatus.destination)])
        }
    }

    private mutating func failed(_ message: OutboundMessage, _ failure: WebhookFailure) {
        attempts[message.id, default: 0] += 1
        pause(after: failure)
    }

    private mutating func pause(after failure: WebhookFailure) {
        failures += 1
        let growing = Backoff.pause(
            afterFailures: failures, longest: loop.options.longestPause, random: loop.options.random())
        let pause = max(growing, min(failure.pause, 10 * Duration.minute))
        let known = loop.currentStatus.fault
        if known?.words != failure.words {
            loop.log.write(
                .warning, "webhook waits",
                [
                    LogField("destination", loop.currentStatus.destination), LogField("reason", failure.words),
                    LogField("todo", failure.todo),
                ])
        }
        loop.update { status in
            status.fault = WebhookStatus.Fault(
                words: failure.words, todo: failure.todo, since: known?.since ?? .now)
            status.nextAttempt = .now + pause
        }
        wait(until: Clock.monotonic() + pause)
    }
}
