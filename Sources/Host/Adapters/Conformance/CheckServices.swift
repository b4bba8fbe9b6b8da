import AdapterABI
import Glibc
import Platform
import Readings
import Synchronization

/// The host of an adapter that is being checked: it keeps what the adapter says.
final class CheckServices: AdapterServices {
    let gate: InstanceGate

    /// Everything that came.
    struct Record: Sendable {
        var readings: [SeenReading] = []
        var refusals: [ReadingAssembly.Refusal] = []
        /// Calls of emit, whatever came of them.
        var emits = 0
        /// Threads that called it.
        var emittingThreads: Set<UInt> = []
        /// Host functions that are not legal before start, called there.
        var early: Set<String> = []
        /// Calls of emit after stop had returned.
        var late = 0
        var words: [String] = []
        var condition: (code: Int32, message: String)?
        var asksState = false
    }

    private let record = Mutex(Record())
    private let assembly = Mutex(ReadingAssembly(circuits: [], maximumPowerW: SeenReading.mostPlausibleW))
    private let hasStopped = Atomic<Bool>(false)
    private let hasStarted = Atomic<Bool>(false)
    /// What emit answers instead of the truth; nil = the truth.
    private let emitAnswer: Int32?
    /// What the store of small values answers to every key.
    private let value: [UInt8]?
    /// Whether it keeps what comes, where its own memory is not what is measured.
    private let keeps: Bool

    init(emitAnswer: Int32? = nil, value: [UInt8]? = nil, keeps: Bool = true) throws(SystemError) {
        gate = try InstanceGate()
        self.keeps = keeps
        self.emitAnswer = emitAnswer
        self.value = value
    }

    var seen: Record { record.withLock { $0 } }

    func noteStart() { hasStarted.store(true, ordering: .releasing) }
    func noteStop() { hasStopped.store(true, ordering: .releasing) }

    /// Something that the adapter said by another way, such as a message of an error.
    func keep(_ words: String) { if keeps { record.withLock { $0.words.append(words) } } }

    func emit(_ reading: UnsafePointer<meter_reading>?) -> Int32 {
        note("emit")
        let thread = UInt(pthread_self())
        let isLate = hasStopped.load(ordering: .acquiring)
        record.withLock { record in
            record.emits += 1
            record.emittingThreads.insert(thread)
            if isLate { record.late += 1 }
        }
        guard gate.isOpen, !gate.isCancelled else { return METER_EMIT_CLOSED }
        if let emitAnswer { return emitAnswer }
        guard keeps else { return METER_EMIT_QUEUED }
        switch unsafe look(at: reading) {
        case .success(let reading):
            record.withLock { $0.readings.append(reading) }
            return METER_EMIT_QUEUED
        case .failure(let refusal):
            record.withLock { $0.refusals.append(refusal) }
            return METER_EMIT_INVALID
        }
    }

    /// What the host makes of a reading.
    func look(at reading: UnsafePointer<meter_reading>?) -> Result<SeenReading, ReadingAssembly.Refusal> {
        let now = Instant(nanoseconds: Clock.wall())
        return assembly.withLock { assembly in
            do throws(ReadingAssembly.Refusal) {
                _ = try unsafe assembly.emission(reading, instance: 0, now: now)
                guard let reading = unsafe reading else { throw ReadingAssembly.Refusal(reason: "the reading is NULL") }
                // The host has accepted its counts, sizes and texts.
                return .success(unsafe SeenReading(reading.pointee, at: now))
            } catch {
                return .failure(error)
            }
        }
    }

    func log(_ level: UInt32, _ message: meter_text) {
        keep(unsafe ForeignText.words(message, limit: ForeignText.longestMessage))
    }

    func condition(_ code: Int32, retryAfter: Int64, _ message: meter_text) {
        note("condition")
        let words = unsafe ForeignText.words(message, limit: 1024)
        record.withLock { record in
            record.condition = (code, words)
            if keeps { record.words.append(words) }
        }
    }

    func spend(_ requests: UInt32) -> Int32 {
        note("spend")
        return gate.isOpen ? METER_OK : METER_CANCELLED
    }

    func state(_ key: meter_text) -> StateAnswer {
        note("meter.host.state/1")
        guard let key = unsafe ForeignText.string(key, limit: StateKey.longest), StateKey.isAdapters(key) else {
            return .invalid
        }
        record.withLock { $0.asksState = true }
        return value.map(StateAnswer.value) ?? kept.withLock { $0[key] }.map(StateAnswer.value) ?? .notFound
    }

    private let kept = Mutex<[String: [UInt8]]>([:])

    func setState(_ key: meter_text, _ value: [UInt8]?) -> Int32 {
        note("meter.host.state/1")
        guard gate.isOpen else { return METER_CANCELLED }
        guard let key = unsafe ForeignText.string(key, limit: StateKey.longest), StateKey.isAdapters(key) else {
            return METER_INVALID
        }
        kept.withLock { $0[key] = value }
        return METER_OK
    }

    private func note(_ function: String) {
        guard !hasStarted.load(ordering: .acquiring) else { return }
        record.withLock { _ = $0.early.insert(function) }
    }
}
