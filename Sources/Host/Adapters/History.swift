import AdapterABI

/// A question for a meter's own log: `meter_history_request`.
struct HistoryRequest: Hashable, Sendable {
    /// Wall time in ns, (from, to].
    var from: Int64
    var to: Int64
    /// Ns of a record.
    var step: Int64
    var maxRecords: UInt32
    /// Monotonic ns.
    var deadline: Int64
}

/// What came of it, beside the records: `meter_history_result`.
struct HistoryAnswer: Hashable, Sendable {
    /// METER_HISTORY_...
    var outcome: UInt32 = 0
    var coveredTo: Int64 = 0
    var retryAfter: Int64 = 0
    var noneBefore: Int64 = 0
}

/// Where the parts of an answer go while a call runs, on the calling thread.
@safe struct CallListener {
    typealias Put = (UnsafePointer<meter_reading>) -> Int32
    typealias Prompt = (LoginPrompt) -> LoginReply

    /// Takes a record, which is valid for that call: METER_SINK_...
    let put: Put
    let prompt: Prompt

    /// Whatever comes is unasked for.
    init() { self.init(prompt: { _ in .cancelled }) }

    init(put: @escaping Put) {
        unsafe self.put = unsafe put
        prompt = { _ in .cancelled }
    }

    init(prompt: @escaping Prompt) {
        unsafe put = { _ in METER_SINK_STOP }
        self.prompt = prompt
    }
}
