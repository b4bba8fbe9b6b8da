import AdapterABI
import Platform
import Readings

/// Why a call into an adapter failed, as the schedule acts on it.
package struct AdapterFailure: Error, Hashable, Sendable {
    package let code: Int32
    package let message: String
    /// Nanoseconds; 0 = the host decides.
    package let retryAfter: Int64

    /// - Parameter message: may be empty, where the adapter gave no reason.
    package init(code: Int32, message: String, retryAfter: Int64 = 0) {
        self.code = code
        self.message = message.isEmpty ? "the adapter gave no reason (code \(code))" : message
        self.retryAfter = min(max(0, retryAfter), Duration.day)
    }

    /// Whether trying again cannot help: a person has to do something.
    package var needsPerson: Bool { (100...199).contains(code) }

    /// The name of the code in `meter_adapter.h`, in words.
    package var word: String {
        switch code {
        case METER_UNREACHABLE: "unreachable"
        case METER_TIMEOUT: "timeout"
        case METER_UNAVAILABLE: "unavailable"
        case METER_RATE_LIMITED: "rate limited"
        case METER_UNAUTHORIZED: "unauthorized"
        case METER_BAD_DATA: "bad data"
        case METER_NO_DATA: "no data"
        case METER_RATIONED: "rationed"
        case METER_CANCELLED: "cancelled"
        case METER_TOO_LARGE: "too large"
        case METER_NOT_FOUND: "not found"
        case METER_TLS_FAILED: "TLS failed"
        case METER_INVALID: "invalid"
        case METER_MISCONFIGURED: "misconfigured"
        case METER_CREDENTIALS_REFUSED: "credentials refused"
        case METER_LOGIN_REQUIRED: "login required"
        case METER_UNSUPPORTED: "unsupported"
        default: needsPerson ? "needs attention" : "failed"
        }
    }
}

/// What a call into an adapter may come to beside success.
enum HostingError: Error {
    /// The adapter has said why.
    case failed(AdapterFailure)
    /// The process that it ran in is gone: how, in one line.
    case ended(String)
}

/// Where an adapter's code runs. Calls come from the instance's thread, one at a time.
protocol AdapterHosting {
    mutating func create() throws(HostingError)
    mutating func start() throws(HostingError)
    /// - Parameter deadline: monotonic ns.
    mutating func read(until deadline: Int64) throws(HostingError)
    /// Asks the meter's own log; METER_UNSUPPORTED where the adapter has none.
    /// - Parameter put: takes a record, in ascending order: METER_SINK_...
    mutating func history(
        _ request: HistoryRequest, put: @escaping CallListener.Put
    ) throws(HostingError) -> HistoryAnswer
    /// Gets credentials with the help of a person, however long that takes; METER_UNSUPPORTED where the adapter needs
    /// none. Answers what was found.
    mutating func login(_ dialogue: LoginDialogue) throws(HostingError) -> String
    mutating func stop() throws(HostingError)
    /// Whatever state it is in: afterwards nothing of the instance is left.
    mutating func destroy() throws(HostingError)
    /// Waits between calls, until `bell` is rung or `deadline` (monotonic ns; nil = for ever) has come, or shorter.
    mutating func idle(until deadline: Int64?, _ bell: Doorbell) throws(HostingError)
}

/// How long calls may take that have no deadline of their own.
enum CallTime {
    static let start = 15 * Duration.second
    static let stop = Duration.second
    /// A call this much past its deadline is given up.
    static let patience = 2 * Duration.second
}
