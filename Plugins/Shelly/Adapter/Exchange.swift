import AdapterKit
import Glibc
import Synchronization

/// What the adapter's thread and the calls of the host say to each other: one question at a time, and the word to stop.
final class Exchange: Sendable {
    enum Question: Sendable {
        case plan
        case call(prefix: String, method: String, params: String)
    }

    enum Answer: Sendable {
        case plan(HistoryPlan)
        case result(JSON)
        case failure(AdapterError)
    }

    private struct State {
        var isStopping = false
        var tickets = 0
        var question: (ticket: Int, question: Question)?
        var answer: (ticket: Int, answer: Answer)?
    }

    private let state = Mutex(State())
    private let asked: Bell
    private let answered: Bell

    init() throws(AdapterError) {
        asked = try Bell()
        answered = try Bell()
    }

    // MARK: The host's side

    func stop() {
        state.withLock { $0.isStopping = true }
        asked.ring()
    }

    func ask(_ question: Question, until deadline: Deadline, _ host: AdapterHost) throws(AdapterError) -> Answer {
        let ticket = state.withLock { state in
            state.tickets += 1
            state.question = (state.tickets, question)
            state.answer = nil
            return state.tickets
        }
        asked.ring()
        while true {
            answered.silence()
            if let answer = state.withLock({ $0.answer }), answer.ticket == ticket { return answer.answer }
            guard !host.isCancelled else { throw AdapterError(.cancelled, "the host asked to stop") }
            let left = (deadline.monotonic - host.nowMonotonic) / 1_000_000
            guard left > 0 else {
                throw AdapterError(.timeout, "the device did not answer in time")
            }
            _ = Bell.wait(
                for: [(answered.descriptor, Int32(POLLIN)), (host.cancelDescriptor, Int32(POLLIN))],
                milliseconds: Int32(clamping: min(left, 500)))
        }
    }

    // MARK: The thread's side

    /// Readable when there is a question, or the word to stop.
    var descriptor: Int32 { asked.descriptor }
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Takes the question, if there is one.
    func next() -> (ticket: Int, question: Question)? {
        asked.silence()
        return state.withLock { state in
            defer { state.question = nil }
            return state.question
        }
    }

    func answer(_ ticket: Int, _ answer: Answer) {
        state.withLock { $0.answer = (ticket, answer) }
        answered.ring()
    }
}
