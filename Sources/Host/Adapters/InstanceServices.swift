import AdapterABI
import Observability
import Platform
import Readings
import Synchronization

/// What the host does for one instance, wherever its adapter runs: takes readings and words, keeps small values and the
/// day's ration. Calls come from any thread.
final class InstanceServices: AdapterServices {
    let port: EmissionPort
    let gate: InstanceGate
    private let instance: InstanceIdentity
    private let log: Log
    private let memory: any AdapterMemory
    private let state: Mutex<[String: [UInt8]]>
    private let ration: Mutex<Ration>
    /// While the log is asked: requests an hour that are to be left over for reads.
    private let spared = Mutex<Double?>(nil)
    private let condition = Mutex<Condition?>(nil)
    private let allowance = Mutex(LineAllowance())

    /// A push adapter's state that is not OK.
    struct Condition: Sendable {
        var code: Int32
        var message: String
        /// When there was none before.
        var since: Instant
    }

    init(
        instance: InstanceIdentity, port: EmissionPort, state: [String: [UInt8]], requestsPerDay: Int?,
        memory: any AdapterMemory, log: Log
    ) throws(SystemError) {
        self.instance = instance
        self.port = port
        self.log = log
        self.memory = memory
        self.state = Mutex(state)
        ration = Mutex(Ration(limit: requestsPerDay, stored: state[StateKey.ration] ?? []))
        gate = try InstanceGate()
    }

    // MARK: The owner's side

    /// A life begins.
    func renew() { gate.renew() }

    func open() {
        gate.open()
        port.open()
        // It may have been told to stop a moment before.
        if gate.isCancelled { port.close() }
    }

    /// From now on readings answer CLOSED and requests CANCELLED; small values are still kept.
    func cancel() {
        gate.cancel()
        port.close()
    }

    func close() {
        port.close()
        gate.close()
    }

    var currentCondition: Condition? { condition.withLock { $0 } }
    /// Makes requests that leave the day's ration what the reads of an hour (`hourly`) need.
    func spendingSparingly<Failure: Error, Answer>(
        _ hourly: Double, _ call: () throws(Failure) -> Answer
    ) throws(Failure) -> Answer {
        spared.withLock { $0 = hourly }
        defer { spared.withLock { $0 = nil } }
        return try call()
    }

    func rationLeft(at now: Instant) -> Int? { ration.withLock { $0.left(at: now) } }
    var stateValues: [String: [UInt8]] { state.withLock { $0 } }
    func stateValue(_ key: String) -> [UInt8]? { state.withLock { $0[key] } }

    func note(_ key: String, _ value: [UInt8]) {
        state.withLock { $0[key] = value }
        memory.note(key, value)
    }

    /// As `note`, and true once it is durable; nil removes the value.
    func keep(_ key: String, _ value: [UInt8]?) -> Bool {
        state.withLock { $0[key] = value }
        return memory.store(key, value)
    }

    /// A line that came from the adapter's side, such as what it wrote to its standard output.
    func take(line: String, _ level: LogLevel, _ fields: LogField...) {
        guard log.isEnabled(level), case .pass(let leftOut) = allowance.withLock({ $0.take(now: Clock.monotonic()) })
        else { return }
        let field = LogField("instance", instance.name)
        if leftOut > 0 { log.warning("adapter talks too much", field, LogField("lines_left_out", leftOut)) }
        log.write(level, line, [field] + fields)
    }

    // MARK: The adapter's side

    func emit(_ reading: UnsafePointer<meter_reading>?) -> Int32 { unsafe port.accept(reading) }

    func log(_ level: UInt32, _ message: meter_text) {
        // Most adapters say much at a level that nobody wants: nothing is copied then.
        guard log.isEnabled(LogLevel(foreign: level)) else { return }
        unsafe log(level, ForeignText.words(message, limit: ForeignText.longestMessage))
    }

    func log(_ level: UInt32, _ words: String) { take(line: words, LogLevel(foreign: level)) }

    func condition(_ code: Int32, retryAfter: Int64, _ message: meter_text) {
        unsafe condition(code, ForeignText.words(message, limit: 1024))
    }

    func condition(_ code: Int32, _ words: String) {
        guard gate.isOpen else { return }
        let now = Instant(nanoseconds: Clock.wall())
        var condition = code == METER_OK ? nil : Condition(code: code, message: words, since: now)
        let hasChanged = self.condition.withLock { current in
            defer { current = condition }
            condition?.since = current?.since ?? now
            return current?.code != condition?.code || current?.message != condition?.message
        }
        guard hasChanged else { return }
        if let condition {
            log.warning(
                "adapter trouble", LogField("instance", instance.name), LogField("error", condition.message))
        } else {
            log.info("adapter recovered", LogField("instance", instance.name))
        }
    }

    func spend(_ requests: UInt32) -> Int32 {
        guard gate.isOpen else { return METER_CANCELLED }
        let now = Instant(nanoseconds: Clock.wall())
        let hourly = spared.withLock { $0 }
        let encoded: [UInt8]?? = ration.withLock { ration in
            guard ration.limit != nil else { return .some(nil) }
            let isTaken =
                if let hourly { ration.spend(Int(requests), sparing: hourly, at: now) } else {
                    ration.spend(Int(requests), at: now)
                }
            return isTaken ? .some(ration.encoded(at: now)) : nil
        }
        guard let encoded else { return METER_RATIONED }
        if let encoded { note(StateKey.ration, encoded) }
        return METER_OK
    }

    func state(_ key: meter_text) -> StateAnswer {
        guard let key = unsafe ForeignText.string(key, limit: StateKey.longest) else { return .invalid }
        return state(key)
    }

    func state(_ key: String) -> StateAnswer {
        guard StateKey.isAdapters(key) else { return .invalid }
        return state.withLock { $0[key] }.map(StateAnswer.value) ?? .notFound
    }

    func setState(_ key: meter_text, _ value: [UInt8]?) -> Int32 {
        guard let key = unsafe ForeignText.string(key, limit: StateKey.longest) else { return METER_INVALID }
        return setState(key, value)
    }

    func setState(_ key: String, _ value: [UInt8]?) -> Int32 {
        guard gate.isOpen else { return METER_CANCELLED }
        guard StateKey.isAdapters(key) else { return METER_INVALID }
        guard memory.store(key, value) else { return METER_FAILED }
        state.withLock { $0[key] = value }
        return METER_OK
    }

    /// A reading's fault, named once a minute.
    static func complaint(_ log: Log, _ instance: InstanceIdentity) -> @Sendable (String) -> Void {
        let gate = RepeatGate(interval: 60 * Duration.second)
        return { reason in
            guard let suppressed = gate.pass(reason, now: Clock.monotonic()) else { return }
            log.warning(
                "reading fault", LogField("instance", instance.name), LogField("reason", reason),
                LogField("repeats", suppressed))
        }
    }
}

extension LogLevel {
    /// From METER_LOG_...
    fileprivate init(foreign level: UInt32) {
        switch level {
        case METER_LOG_ERROR: self = .error
        case METER_LOG_WARNING: self = .warning
        case METER_LOG_INFO: self = .info
        default: self = .debug
        }
    }
}
