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
    private let sampling: Int64
    private let isHistory = Atomic<Bool>(false)
    private let condition = Mutex<Condition?>(nil)
    private let allowance = Mutex(LineAllowance())

    /// A push adapter's state that is not OK.
    struct Condition: Sendable {
        var code: Int32
        var message: String
        /// When there was none before.
        var since: Instant
    }

    /// - Parameters:
    ///   - sampling: ns between readings.
    ///   - isPush: whether they come by themselves.
    init(
        instance: InstanceIdentity, port: EmissionPort, state: [String: [UInt8]], requestsPerDay: Int?,
        sampling: Int64, isPush: Bool, memory: any AdapterMemory, log: Log
    ) throws(SystemError) {
        self.instance = instance
        self.port = port
        self.log = log
        self.memory = memory
        self.state = Mutex(state)
        self.sampling = sampling
        ration = Mutex(
            Ration(limit: requestsPerDay, sampling: isPush ? 0 : sampling, stored: state[StateKey.ration] ?? []))
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

    // MARK: The ration, on the owner's side

    func rationLeft(at now: Instant) -> Int? { ration.withLock { $0.left(at: now) } }

    /// Ns that reads have to lie apart.
    func pace(at now: Instant) -> Int64 { ration.withLock { $0.pace(at: now) } }

    /// Ns between readings, as one of now has to be taken for.
    func plannedSampling(at now: Instant) -> Int64 { max(sampling, ration.withLock { $0.plannedSampling(at: now) }) }

    func noteRead() { ration.withLock { $0.noteRead() } }

    /// What is spent while `body` runs is spent on history.
    func forHistory<Failure: Error, Value>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        isHistory.store(true, ordering: .releasing)
        defer { isHistory.store(false, ordering: .releasing) }
        return try body()
    }

    /// Why nothing may be spent on it now, and when that changes; nil = there is something left.
    func shortage(for use: Ration.Use, at now: Instant) -> AdapterFailure? {
        let pause = ration.withLock { $0.pause(for: use, at: now) }
        guard pause > 0 else { return nil }
        let what = use == .live ? "is used up" : "has nothing left for history beside live readings"
        let until = Timestamp.text(Instant(seconds: (now + pause).seconds))
        return AdapterFailure(
            code: METER_RATIONED, message: "the day's ration of requests \(what); it goes on at \(until)",
            retryAfter: pause)
    }

    /// What was written down as used before it was.
    func settleRation() {
        let now = Instant(nanoseconds: Clock.wall())
        if let exact = ration.withLock({ $0.limit == nil ? nil : $0.encoded(at: now) }) { note(StateKey.ration, exact) }
    }

    // MARK: The adapter's side

    func emit(_ reading: UnsafePointer<meter_reading>?) -> Int32 {
        let now = Instant(nanoseconds: Clock.wall())
        return unsafe port.accept(reading, sampling: plannedSampling(at: now))
    }

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
            log.write(
                .warning, "adapter trouble",
                [LogField("instance", instance.name), LogField("error", condition.message)]
                    + InstanceState.todo(code, instance))
        } else {
            log.info("adapter recovered", LogField("instance", instance.name))
        }
    }

    func spend(_ requests: UInt32) -> Int32 {
        guard gate.isOpen else { return METER_CANCELLED }
        let now = Instant(nanoseconds: Clock.wall())
        let use: Ration.Use = isHistory.load(ordering: .acquiring) ? .history : .live
        let (isSpent, secured) = ration.withLock { ration in
            ration.spend(Int(requests), for: use, at: now) ? (true, ration.secured(at: now)) : (false, nil)
        }
        if let secured {
            state.withLock { $0[StateKey.ration] = secured }
            memory.secure(StateKey.ration, secured)
        }
        return isSpent ? METER_OK : METER_RATIONED
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
