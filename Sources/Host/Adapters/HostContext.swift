import AdapterABI
import Observability
import Platform
import Readings
import Synchronization
import Transfer

/// What stands behind the `context` of an instance's `meter_host`. It is made once an instance and never freed: an
/// adapter that keeps the pointer after destroy gets CLOSED and CANCELLED, not a crash.
final class HostContext: Sendable {
    let port: EmissionPort
    /// Readable while calls should return; nil once the instance is destroyed.
    private let cancelBell: Mutex<Doorbell?>
    private let instance: InstanceIdentity
    private let log: Log
    private let memory: any AdapterMemory
    private let isCancelled = Atomic<Bool>(false)
    /// Between the entry of start and the return of stop.
    private let isOpen = Atomic<Bool>(false)
    /// Monotonic ns by which the running call has to return; 0 = none runs.
    private let callDeadline = Atomic<Int64>(0)
    private let state: Mutex<[String: [UInt8]]>
    private let ration: Mutex<Ration>
    private let condition = Mutex<Condition?>(nil)
    private let client = Mutex<HTTPClient?>(nil)
    private let allowance = Mutex(LineAllowance())
    private let hostTable: HostTable

    /// A push adapter's state that is not OK.
    struct Condition: Sendable {
        var code: Int32
        var message: String
        /// When there was none before.
        var since: Instant
    }

    static let userAgent = "smart-meter"
    private static let defaultRequestTime = 15 * Duration.second

    init(
        instance: InstanceIdentity, port: EmissionPort, settings: [String: String], declared: [String],
        state: [String: [UInt8]], requestsPerDay: Int?, memory: any AdapterMemory, log: Log
    ) throws(SystemError) {
        self.instance = instance
        self.port = port
        self.log = log
        self.memory = memory
        self.state = Mutex(state)
        ration = Mutex(Ration(limit: requestsPerDay, stored: state[HostKey.ration] ?? []))
        cancelBell = Mutex(try Doorbell())
        hostTable = HostTable(instance: instance.name, settings: settings, declared: declared)
    }

    /// The table for the adapter; this context lives for good from here on.
    func makeHost() -> UnsafePointer<meter_host> {
        unsafe hostTable.make(context: Unmanaged.passRetained(self).toOpaque())
    }

    // MARK: The owner's side

    func open() {
        isCancelled.store(false, ordering: .releasing)
        cancelBell.withLock { $0?.silence() }
        isOpen.store(true, ordering: .releasing)
        port.open()
    }

    /// From now on emits answer CLOSED and requests CANCELLED; `state_set` still commits.
    func cancel() {
        isCancelled.store(true, ordering: .releasing)
        port.close()
        cancelBell.withLock { $0?.ring() }
    }

    func close() {
        port.close()
        isOpen.store(false, ordering: .releasing)
    }

    /// After destroy: what is left is a husk that answers CLOSED and CANCELLED.
    func retire() {
        // The client first: a request that a stray thread still makes watches the bell.
        client.withLock { $0 = nil }
        cancelBell.withLock { $0 = nil }
    }

    /// -1 once the instance is destroyed.
    var cancelDescriptor: Int32 { cancelBell.withLock { $0?.number } ?? -1 }

    func begin(callUntil deadline: Int64) { callDeadline.store(deadline, ordering: .releasing) }
    func endCall() { callDeadline.store(0, ordering: .releasing) }

    /// Monotonic ns by which the running call has to return; nil = none runs.
    var runningUntil: Int64? {
        let deadline = callDeadline.load(ordering: .acquiring)
        return deadline == 0 ? nil : deadline
    }

    var currentCondition: Condition? { condition.withLock { $0 } }
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

    // MARK: The adapter's side

    func setting(_ name: meter_text, _ value: UnsafeMutablePointer<meter_text>) -> Int32 {
        guard let name = unsafe ForeignText.string(name, limit: 64) else { return METER_INVALID }
        return unsafe hostTable.setting(name, value)
    }

    func take(log level: UInt32, _ message: meter_text) {
        let level: LogLevel =
            switch level {
            case METER_LOG_ERROR: .error
            case METER_LOG_WARNING: .warning
            case METER_LOG_INFO: .info
            default: .debug
            }
        guard log.isEnabled(level), case .pass(let leftOut) = allowance.withLock({ $0.take(now: Clock.monotonic()) })
        else { return }
        let field = LogField("instance", instance.name)
        if leftOut > 0 { log.warning("adapter talks too much", field, LogField("lines_left_out", leftOut)) }
        unsafe log.write(level, ForeignText.words(message, limit: 4096), [field])
    }

    func take(condition code: Int32, message: meter_text) {
        guard isOpen.load(ordering: .acquiring) else { return }
        let now = Instant(nanoseconds: Clock.wall())
        var condition =
            unsafe code == METER_OK
            ? nil : Condition(code: code, message: ForeignText.words(message, limit: 1024), since: now)
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

    var shouldReturn: Bool { isCancelled.load(ordering: .acquiring) }

    /// Takes requests of the day's ration: METER_OK, METER_RATIONED or METER_CANCELLED.
    func spend(_ requests: Int) -> Int32 {
        guard isOpen.load(ordering: .acquiring) else { return METER_CANCELLED }
        let now = Instant(nanoseconds: Clock.wall())
        let encoded: [UInt8]?? = ration.withLock { ration in
            guard ration.limit != nil else { return .some(nil) }
            return ration.spend(requests, at: now) ? .some(ration.encoded(at: now)) : nil
        }
        guard let encoded else { return METER_RATIONED }
        if let encoded { note(HostKey.ration, encoded) }
        return METER_OK
    }

    /// `meter.host.state/1`.
    func adapterState(_ key: meter_text) -> [UInt8]?? {
        guard let key = unsafe adapterKey(key) else { return nil }
        return .some(state.withLock { $0[key] })
    }

    func setAdapterState(_ key: meter_text, _ value: [UInt8]?) -> Int32 {
        guard isOpen.load(ordering: .acquiring) else { return METER_CANCELLED }
        guard let key = unsafe adapterKey(key) else { return METER_INVALID }
        guard memory.store(key, value) else { return METER_FAILED }
        state.withLock { $0[key] = value }
        return METER_OK
    }

    private func adapterKey(_ key: meter_text) -> String? {
        guard let key = unsafe ForeignText.string(key, limit: 255), !key.isEmpty, !key.hasPrefix(HostKey.prefix) else {
            return nil
        }
        return key
    }

    /// Whether a request may be made at all.
    var takesRequests: Bool { isOpen.load(ordering: .acquiring) && !shouldReturn }

    /// `meter.host.http/1`: one request at a time.
    /// - Parameter wanted: monotonic ns; 0 = none. Never later than the end of the running call, where there is one.
    func perform(_ request: HTTPRequest, until wanted: Int64) -> Result<HTTPResponse, TransferError> {
        let deadline =
            wanted > 0
            ? min(wanted, runningUntil ?? wanted) : runningUntil ?? Clock.monotonic() + Self.defaultRequestTime
        return client.withLock { client in
            do throws(TransferError) {
                let current = if let client { client } else { try HTTPClient(userAgent: Self.userAgent) }
                client = current
                return .success(try current.perform(request, until: deadline, interrupt: cancelDescriptor))
            } catch {
                return .failure(error)
            }
        }
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
