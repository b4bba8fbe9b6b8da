import AdapterABI
import Platform
import Readings
import Synchronization

/// The services of an instance, in the process of a runner: what an adapter gets at once is answered here, everything
/// else goes to the host. An adapter sees no difference to the host's own process.
final class RemoteServices: AdapterServices {
    let gate: InstanceGate
    private let line: HostLine
    /// Checks readings as the host will, so that a wrong one is refused at once.
    private let assembly = Mutex(ReadingAssembly(circuits: [], maximumPowerW: .infinity))
    private let allowance = Mutex(LineAllowance())
    /// Apart: lines that the host is not likely to want must not use up those that it does.
    private let debugAllowance = Mutex(LineAllowance())
    private let busy = Atomic<Int>(0)

    init(_ line: HostLine) throws(SystemError) {
        self.line = line
        gate = try InstanceGate()
    }

    func emit(_ reading: UnsafePointer<meter_reading>?) -> Int32 {
        guard gate.isOpen, !gate.isCancelled else { return METER_EMIT_CLOSED }
        let refusal: String? = assembly.withLock { assembly in
            do throws(ReadingAssembly.Refusal) {
                _ = try unsafe assembly.emission(reading, instance: 0, now: Instant(nanoseconds: Clock.wall()))
                return nil
            } catch {
                return error.reason
            }
        }
        if let refusal {
            line.send(.dropped(invalid: 1, busy: 0, reason: refusal))
            return METER_EMIT_INVALID
        }
        guard let reading = unsafe reading else { return METER_EMIT_INVALID }
        guard unsafe line.send(reading: reading) else {
            busy.add(1, ordering: .relaxed)
            return METER_EMIT_BUSY
        }
        return METER_EMIT_QUEUED
    }

    /// What is said of dropped readings before the host learns how a call went.
    func settle() {
        let count = busy.exchange(0, ordering: .relaxed)
        if count > 0 { line.send(.dropped(invalid: 0, busy: UInt32(clamping: count), reason: "")) }
    }

    func log(_ level: UInt32, _ message: meter_text) {
        let isDebug = ![METER_LOG_ERROR, METER_LOG_WARNING, METER_LOG_INFO].contains(level)
        let now = Clock.monotonic()
        let answer = isDebug ? debugAllowance.withLock { $0.take(now: now) } : allowance.withLock { $0.take(now: now) }
        guard case .pass = answer else { return }
        unsafe line.send(.log(level: level, message: words(message, limit: ForeignText.longestMessage)))
    }

    func condition(_ code: Int32, retryAfter: Int64, _ message: meter_text) {
        guard gate.isOpen else { return }
        unsafe line.send(.condition(code: code, retryAfter: retryAfter, message: words(message, limit: 1024)))
    }

    func spend(_ requests: UInt32) -> Int32 {
        gate.isOpen ? line.ask(.spend(requests)).code : METER_CANCELLED
    }

    func state(_ key: meter_text) -> StateAnswer {
        guard let key = unsafe bytes(key) else { return .invalid }
        let answer = line.ask(.state(key: key))
        switch answer.code {
        case METER_OK: return .value(answer.bytes)
        case METER_NOT_FOUND: return .notFound
        default: return .invalid
        }
    }

    func setState(_ key: meter_text, _ value: [UInt8]?) -> Int32 {
        guard gate.isOpen else { return METER_CANCELLED }
        guard let key = unsafe bytes(key) else { return METER_INVALID }
        return line.ask(.setState(key: key, value: value)).code
    }

    /// Half a character at the cut becomes a mark of three bytes: it is cut again, so that it fits.
    private func words(_ text: meter_text, limit: Int) -> String {
        var words = unsafe ForeignText.words(text, limit: limit)
        while words.utf8.count > limit { words.removeLast() }
        return words
    }

    private func bytes(_ key: meter_text) -> [UInt8]? {
        guard let bytes = unsafe ForeignText.bytes(key, limit: StateKey.longest), unsafe !bytes.isEmpty else {
            return nil
        }
        return unsafe Array(bytes)
    }
}
