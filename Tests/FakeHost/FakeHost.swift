public import AdapterABI
import Glibc
import Synchronization

/// The host's side of the interface, in memory: it keeps what an adapter says, for a test to look at.
public final class FakeHost: Sendable {
    public struct Condition: Sendable {
        public var code: Int32
        public var retryAfter: Int64
        public var message: String
    }

    struct State {
        var settings: [String: StoredText] = [:]
        var emissions: [EmittedReading] = []
        var logs: [String] = []
        var conditions: [Condition] = []
        var values: [String: [UInt8]] = [:]
        var wall: Int64 = 1_767_225_600_000_000_000
        var monotonicAhead: Int64 = 0
        var emitResult = METER_EMIT_QUEUED
        var spent: UInt32 = 0
        var isCancelled = false
    }

    let state = Mutex(State())
    let respond: @Sendable (FakeRequest) -> FakeAnswer
    private let tables: HostTables

    /// - Parameters:
    ///   - structSize: of the `meter_host` shown, for hosts that are older than the adapter.
    ///   - respond: the whole network.
    public init(
        settings: [String: String] = [:], structSize: Int = unsafe MemoryLayout<meter_host>.size,
        respond: @escaping @Sendable (FakeRequest) -> FakeAnswer = { _ in
            .failure(code: METER_UNREACHABLE, message: "there is no network in this test")
        }
    ) {
        self.respond = respond
        tables = HostTables(structSize: structSize)
        state.withLock { $0.settings = settings.mapValues(StoredText.init) }
        unsafe tables.host.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    }

    /// What create is given; valid as long as this object.
    @unsafe public var table: UnsafePointer<meter_host> { unsafe UnsafePointer(tables.host) }

    var httpTable: UnsafeRawPointer { unsafe UnsafeRawPointer(tables.http) }
    var stateTable: UnsafeRawPointer { unsafe UnsafeRawPointer(tables.state) }

    public var emissions: [EmittedReading] { state.withLock { $0.emissions } }
    /// "level message" each.
    public var logs: [String] { state.withLock { $0.logs } }
    public var conditions: [Condition] { state.withLock { $0.conditions } }
    public var spent: UInt32 { state.withLock { $0.spent } }
    /// What the adapter has kept; a test may begin with what another host was left.
    public var values: [String: [UInt8]] {
        get { state.withLock { $0.values } }
        set { state.withLock { $0.values = newValue } }
    }

    /// The wall clock, in nanoseconds; it stands still.
    public var wall: Int64 {
        get { state.withLock { $0.wall } }
        set { state.withLock { $0.wall = newValue } }
    }

    /// Lets time pass for the monotonic clock, which else runs as the machine's.
    public func advanceMonotonic(_ nanoseconds: Int64) { state.withLock { $0.monotonicAhead += nanoseconds } }

    var monotonic: Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) + state.withLock { $0.monotonicAhead }
    }

    /// What emit answers.
    public var emitResult: Int32 {
        get { state.withLock { $0.emitResult } }
        set { state.withLock { $0.emitResult = newValue } }
    }

    public var isCancelled: Bool {
        get { state.withLock { $0.isCancelled } }
        set { state.withLock { $0.isCancelled = newValue } }
    }

    /// As the real host, it answers a declared setting that nobody gave with its default.
    func addDefault(_ name: String, _ value: String) {
        guard !value.isEmpty else { return }
        state.withLock { state in
            if state.settings[name] == nil { state.settings[name] = StoredText(value) }
        }
    }
}

/// Bytes whose address does not change, as the interface promises of a setting.
final class StoredText: Sendable {
    private let address: UInt
    private let length: Int

    init(_ string: String) {
        let bytes = Array(string.utf8)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, bytes.count))
        for (index, byte) in bytes.enumerated() { unsafe (copy + index).initialize(to: CChar(bitPattern: byte)) }
        address = UInt(bitPattern: copy)
        length = bytes.count
    }

    deinit { unsafe UnsafeMutablePointer<CChar>(bitPattern: address)?.deallocate() }

    var text: meter_text {
        unsafe meter_text(data: UnsafePointer(bitPattern: address), length: UInt32(length), reserved: 0)
    }
}
