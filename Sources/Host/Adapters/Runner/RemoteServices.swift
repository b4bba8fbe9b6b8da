import AdapterABI
import Platform
import Readings
import Synchronization

/// The services of an instance, in the process of a runner: what an adapter gets at once is answered here, everything
/// else goes to the host. An adapter sees no difference to the host's own process.
final class RemoteServices: AdapterServices {
    let gate: InstanceGate
    private let line: HostLine

    private struct Dropped {
        var invalid: UInt32 = 0
        var busy: UInt32 = 0
        var reason = ""
    }

    /// Checks readings as the host will, so that a wrong one is refused at once.
    private let assembly = Mutex(ReadingAssembly(circuits: [], maximumPowerW: .infinity))
    private let allowance = Mutex(LineAllowance())
    /// Apart: lines that the host is not likely to want must not use up those that it does.
    private let debugAllowance = Mutex(LineAllowance())
    private let dropped = Mutex(Dropped())
    /// The deadline of the history that runs, and of the one that is enough.
    private let history = Atomic<Int64>(0)
    private let enough = Atomic<Int64>(-1)

    init(_ line: HostLine) throws(SystemError) {
        self.line = line
        gate = try InstanceGate()
    }

    func emit(_ reading: UnsafePointer<meter_reading>?) -> Int32 {
        guard gate.isOpen, !gate.isCancelled else { return METER_EMIT_CLOSED }
        if let reason = unsafe fault(of: reading) {
            line.send(.dropped(invalid: 1, busy: 0, reason: reason))
            return METER_EMIT_INVALID
        }
        guard let reading = unsafe reading else { return METER_EMIT_INVALID }
        guard unsafe line.send(reading: reading) else {
            dropped.withLock { $0.busy &+= 1 }
            return METER_EMIT_BUSY
        }
        return METER_EMIT_QUEUED
    }

    /// A record of history: METER_SINK_...
    func put(_ record: UnsafePointer<meter_reading>) -> Int32 {
        if let reason = unsafe fault(of: record) {
            dropped.withLock { dropped in
                dropped.invalid &+= 1
                dropped.reason = reason
            }
        } else {
            unsafe line.send(record: record)
        }
        let isEnough = enough.load(ordering: .relaxed) == history.load(ordering: .relaxed)
        return isEnough ? METER_SINK_STOP : METER_SINK_CONTINUE
    }

    /// The rule that it breaks; nil = none: then its pointers may be followed.
    private func fault(of reading: UnsafePointer<meter_reading>?) -> String? {
        assembly.withLock { assembly in
            do throws(ReadingAssembly.Refusal) {
                _ = try unsafe assembly.emission(reading, instance: 0, now: .now)
                return nil
            } catch {
                return error.reason
            }
        }
    }

    /// The host wants no more records of the history that is being put.
    func stopHistory(of deadline: Int64) { enough.store(deadline, ordering: .relaxed) }
    func beginHistory(of deadline: Int64) { history.store(deadline, ordering: .relaxed) }

    /// What the host has to learn of dropped readings before it learns how a call went.
    func settle() {
        let dropped = dropped.withLock { dropped in
            defer { dropped = Dropped() }
            return dropped
        }
        guard dropped.invalid + dropped.busy > 0 else { return }
        line.send(.dropped(invalid: dropped.invalid, busy: dropped.busy, reason: dropped.reason))
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

    /// Asks a person, on behalf of a login.
    func prompt(_ prompt: LoginPrompt) -> LoginReply {
        let answer = line.ask(.prompt(prompt))
        return LoginReply(code: answer.code, answer: answer.bytes)
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
