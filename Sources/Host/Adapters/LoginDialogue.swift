import AdapterABI
package import Observability
package import Platform
import Readings
import Synchronization

/// What an adapter asks a person for while it logs in.
package struct LoginPrompt: Hashable, Sendable {
    /// METER_PROMPT_...
    var kind: UInt32
    package var question: String

    /// Whether the answer may be seen while it is typed. Of a kind that is not known it may not.
    package var isEchoed: Bool { kind == METER_PROMPT_TEXT || kind == METER_PROMPT_CODE }
}

/// What the person said: METER_OK and an answer, or METER_CANCELLED.
struct LoginReply: Hashable, Sendable {
    var code: Int32
    var answer: [UInt8] = []

    static let cancelled = LoginReply(code: METER_CANCELLED)
}

/// A login between an adapter and a person: questions go one way, answers the other. The adapter's side is the
/// instance's thread; the person's side is another, and may go away at any time.
package final class LoginDialogue: Sendable {
    /// What the person's side is to know.
    package enum News: Hashable, Sendable {
        case question(LoginPrompt)
        /// The last one: what the adapter says that it found.
        case found(String)
        /// The last one.
        case failed(AdapterFailure)
    }

    private struct State {
        var news: [News] = []
        /// The question that waits for an answer.
        var open: LoginPrompt?
        var answer: [UInt8]?
        /// Monotonic ns.
        var cancelledAt: Int64?
        var isOver = false
        /// Masked until the end.
        var codes: [String] = []
    }

    private let state = Mutex(State())
    /// Rung when there is an answer, and when there will be none: the adapter's side.
    let answered: Doorbell
    private let told: Doorbell
    private let log: Log
    /// What an adapter may take to return once nobody is there any more, in ns.
    private let endTime: Int64
    /// Whether the instance runs for this alone, and ends with it.
    let isAll: Bool

    /// As long as a request takes at most that has no deadline of its own.
    package static let endTime = 15 * Duration.second

    package init(log: Log, isAll: Bool = false, endTime: Int64 = LoginDialogue.endTime) throws(SystemError) {
        self.log = log
        self.isAll = isAll
        self.endTime = endTime
        answered = try Doorbell()
        told = try Doorbell()
    }

    // MARK: The person's side

    /// Readable when there is news.
    package var descriptor: Int32 { told.number }

    /// The next news; nil = none yet.
    package func takeNews() -> News? {
        told.silence()
        return state.withLock { $0.news.isEmpty ? nil : $0.news.removeFirst() }
    }

    /// To the question that is open; else nobody hears it. It is masked wherever it would be logged: a secret for good, a
    /// code, which is of no use afterwards, until the login is over.
    package func answer(_ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self)
        let isSecret = state.withLock { state in
            guard let open = state.open, state.answer == nil else { return false }
            if open.kind == METER_PROMPT_CODE { state.codes.append(words) }
            return open.kind != METER_PROMPT_TEXT
        }
        if isSecret { log.register(secrets: [words]) }
        state.withLock { state in
            if state.open != nil, state.answer == nil { state.answer = bytes }
        }
        answered.ring()
    }

    /// Nobody is there any more.
    package func cancel() {
        state.withLock { $0.cancelledAt = $0.cancelledAt ?? Clock.monotonic() }
        answered.ring()
    }

    // MARK: The adapter's side

    var isCancelled: Bool { state.withLock { $0.cancelledAt != nil } }

    /// By when the adapter has to return (monotonic ns); nil = there is a person to wait for.
    var limit: Int64? { state.withLock { $0.cancelledAt }.map { $0 + endTime } }

    /// False where another question is open, or nobody is there: there will be no answer.
    func ask(_ prompt: LoginPrompt) -> Bool {
        let isAsked = state.withLock { state in
            guard state.open == nil, state.cancelledAt == nil, !state.isOver else { return false }
            state.open = prompt
            state.news.append(.question(prompt))
            return true
        }
        if isAsked { told.ring() }
        return isAsked
    }

    /// The answer to the question that is open; nil = none yet.
    func takeReply() -> LoginReply? {
        state.withLock { state in
            if state.cancelledAt != nil {
                state.open = nil
                return .cancelled
            }
            guard let answer = state.answer else { return nil }
            state.open = nil
            state.answer = nil
            return LoginReply(code: METER_OK, answer: answer)
        }
    }

    /// Asks and waits, for as long as it takes.
    /// - Parameter cancelDescriptor: readable when the instance is to stop.
    func ask(_ prompt: LoginPrompt, orUntil cancelDescriptor: Int32) -> LoginReply {
        guard ask(prompt) else { return .cancelled }
        while true {
            if let reply = takeReply() { return reply }
            guard Poll.firstReadable(cancelDescriptor, answered.number, until: nil) == answered.number else {
                cancel()
                return .cancelled
            }
            answered.silence()
        }
    }

    /// The first end counts. What is told of it is masked already: a code is no secret afterwards.
    func finish(_ outcome: Result<String, AdapterFailure>) {
        let last: News =
            switch outcome {
            case .success(let found): .found(log.redacted(found))
            case .failure(let failure):
                .failed(
                    AdapterFailure(
                        code: failure.code, message: log.redacted(failure.message), retryAfter: failure.retryAfter))
            }
        let codes = state.withLock { state -> [String]? in
            guard !state.isOver else { return nil }
            state.isOver = true
            state.open = nil
            state.news.append(last)
            return state.codes
        }
        guard let codes else { return }
        log.forget(secrets: codes)
        told.ring()
    }
}
