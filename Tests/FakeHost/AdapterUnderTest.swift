public import AdapterABI
import Glibc

/// What an adapter answered instead of METER_OK.
public struct AdapterFailure: Error, Equatable {
    public var code: Int32
    public var message: String
    public var retryAfter: Int64

    public init(code: Int32, message: String, retryAfter: Int64 = 0) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }
}

/// One adapter, driven through the interface as the host drives it. Used by one thread.
@safe public final class AdapterUnderTest {
    @unsafe public let descriptor: UnsafePointer<meter_descriptor>

    /// The `index`th descriptor of what an entry point answered.
    public init(_ library: UnsafePointer<meter_library>?, index: Int = 0) throws {
        guard let library = unsafe library, index < Int(unsafe library.pointee.descriptor_count),
            let descriptor = unsafe library.pointee.descriptors[index]
        else { throw AdapterFailure(code: METER_NOT_FOUND, message: "there is no descriptor \(index)") }
        unsafe self.descriptor = descriptor
    }

    /// Loads a shared library; it stays loaded.
    public convenience init(path: String) throws {
        guard let answer = unsafe Self.enter(path: path, hostABI: METER_ABI_MAJOR << 16 | METER_ABI_MINOR) else {
            throw AdapterFailure(code: METER_NOT_FOUND, message: "no library, or it refused this host: \(path)")
        }
        try unsafe self.init(answer)
    }

    /// What the library at `path` answers a host of that version; NULL too where it cannot be loaded.
    public static func enter(path: String, hostABI: UInt32) -> UnsafePointer<meter_library>? {
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL),
            let symbol = unsafe dlsym(handle, "meter_adapter_entry")
        else { return nil }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<meter_library>?
        return unsafe unsafeBitCast(symbol, to: Entry.self)(hostABI)
    }

    public var meterType: String { unsafe String(copying: descriptor.pointee.meter_type) }

    public var settingNames: [String] {
        (0..<Int(unsafe descriptor.pointee.setting_count)).map {
            unsafe String(copying: descriptor.pointee.settings[$0].name)
        }
    }

    public func create(_ host: FakeHost) throws -> InstanceUnderTest {
        for index in 0..<Int(unsafe descriptor.pointee.setting_count) {
            let setting = unsafe descriptor.pointee.settings[index]
            unsafe host.addDefault(String(copying: setting.name), String(copying: setting.default_value))
        }
        var instance: OpaquePointer?
        try unsafe check { error in unsafe descriptor.pointee.create(descriptor, host.table, &instance, error) }
        return try unsafe InstanceUnderTest(self, host, instance)
    }
}

/// An instance from create to destroy, which `deinit` calls.
@safe public final class InstanceUnderTest {
    private let adapter: AdapterUnderTest
    private let host: FakeHost
    private let instance: OpaquePointer

    init(_ adapter: AdapterUnderTest, _ host: FakeHost, _ instance: OpaquePointer?) throws {
        guard let instance = unsafe instance else {
            throw AdapterFailure(code: METER_FAILED, message: "create stored nothing")
        }
        self.adapter = adapter
        self.host = host
        unsafe self.instance = instance
    }

    deinit { unsafe adapter.descriptor.pointee.destroy(instance) }

    public func start() throws {
        try unsafe check { error in unsafe adapter.descriptor.pointee.start(instance, error) }
    }

    /// The reading that the adapter emitted within this call.
    @discardableResult
    public func read(withinSeconds seconds: Int64 = 5) throws -> EmittedReading {
        let before = host.emissions.count
        let deadline = host.monotonic + seconds * 1_000_000_000
        try unsafe check { error in unsafe adapter.descriptor.pointee.read(instance, deadline, error) }
        guard host.emissions.count > before, let last = host.emissions.last else {
            throw AdapterFailure(code: METER_NO_DATA, message: "read succeeded and emitted nothing")
        }
        return last
    }

    public func stop() { unsafe adapter.descriptor.pointee.stop(instance) }

    /// Logs in as a person would who answers the questions in turn, and cancels when there is no answer left.
    /// - Returns: what the adapter says that it found, and what it asked.
    @discardableResult
    public func login(answering answers: [String]) throws -> LoginAnswer {
        let table = unsafe METER_LOGIN.withCString { id in
            unsafe adapter.descriptor.pointee.extension?(meter_text_of(id))
        }
        guard let table = unsafe table?.assumingMemoryBound(to: meter_login.self) else {
            throw AdapterFailure(code: METER_UNSUPPORTED, message: "it offers no login")
        }
        let person = Person(answers)
        var result = meter_login_result()
        result.struct_size = UInt32(MemoryLayout<meter_login_result>.size)
        let prompter = unsafe meter_login_prompter(
            context: Unmanaged.passUnretained(person).toOpaque(), prompt: askPerson)
        try unsafe withUnsafePointer(to: prompter) { prompter in
            try unsafe check { error in unsafe table.pointee.login(instance, prompter, &result, error) }
        }
        let text = unsafe withUnsafeBytes(of: result.text) { bytes in
            unsafe String(decoding: bytes.prefix(Int(result.text_length)), as: UTF8.self)
        }
        return LoginAnswer(text: text, questions: person.questions)
    }

    /// - Parameter stopAfter: the sink answers STOP to the record of this number.
    public func history(
        from: Int64, to: Int64, step: Int64, maximumRecords: UInt32 = 1000, stopAfter: Int = .max,
        withinSeconds seconds: Int64 = 5
    ) throws -> HistoryAnswer {
        let sink = RecordSink(stopAfter: stopAfter)
        var result = meter_history_result()
        result.struct_size = UInt32(MemoryLayout<meter_history_result>.size)
        let request = meter_history_request(
            struct_size: UInt32(MemoryLayout<meter_history_request>.size), max_records: maximumRecords, from_ns: from,
            to_ns: to, step_ns: step, deadline_ns: host.monotonic + seconds * 1_000_000_000)
        let table = unsafe METER_HISTORY.withCString { id in
            unsafe adapter.descriptor.pointee.extension?(meter_text_of(id))
        }
        guard let table = unsafe table?.assumingMemoryBound(to: meter_history.self) else {
            throw AdapterFailure(code: METER_UNSUPPORTED, message: "it offers no history")
        }
        try unsafe withUnsafePointer(to: request) { request in
            var target = unsafe meter_history_sink(context: Unmanaged.passUnretained(sink).toOpaque(), put: keepRecord)
            try unsafe check { error in unsafe table.pointee.history(instance, request, &target, &result, error) }
        }
        return HistoryAnswer(
            records: sink.records, outcome: result.outcome, coveredTo: result.covered_to_ns,
            retryAfter: result.retry_after_ns, noneBefore: result.none_before_ns, putsAfterStop: sink.putsAfterStop)
    }
}

/// What a call of meter.history/1 gave.
public struct HistoryAnswer: Sendable {
    public var records: [EmittedReading]
    /// METER_HISTORY_...
    public var outcome: UInt32
    public var coveredTo: Int64
    public var retryAfter: Int64
    public var noneBefore: Int64
    /// Records that were put although the sink had said STOP.
    public var putsAfterStop: Int
}

/// What a call of meter.login/1 gave.
public struct LoginAnswer: Sendable {
    public struct Question: Sendable, Equatable {
        /// METER_PROMPT_...
        public var kind: UInt32
        public var text: String
    }

    public var text: String
    public var questions: [Question]
}

private final class Person {
    var questions: [LoginAnswer.Question] = []
    private var answers: ArraySlice<String>

    init(_ answers: [String]) {
        self.answers = answers[...]
    }

    func answer(_ question: LoginAnswer.Question) -> String? {
        questions.append(question)
        return answers.popFirst()
    }
}

private func askPerson(
    _ context: UnsafeMutableRawPointer?, _ kind: UInt32, _ question: meter_text, _ buffer: UnsafeMutablePointer<CChar>?,
    _ capacity: UInt32, _ length: UnsafeMutablePointer<UInt32>?
) -> Int32 {
    guard let context = unsafe context else { return METER_INVALID }
    let person = unsafe Unmanaged<Person>.fromOpaque(context).takeUnretainedValue()
    let asked = unsafe LoginAnswer.Question(kind: kind, text: String(copying: question))
    guard let answer = person.answer(asked) else { return METER_CANCELLED }
    unsafe length?.pointee = UInt32(answer.utf8.count)
    guard answer.utf8.count <= Int(capacity) else { return METER_BUFFER_TOO_SMALL }
    for (index, byte) in answer.utf8.enumerated() { unsafe buffer?[index] = CChar(bitPattern: byte) }
    return METER_OK
}

private final class RecordSink {
    var records: [EmittedReading] = []
    var putsAfterStop = 0
    private let stopAfter: Int

    init(stopAfter: Int) {
        self.stopAfter = stopAfter
    }

    func put(_ record: EmittedReading) -> Int32 {
        guard records.count < stopAfter else {
            putsAfterStop += 1
            return METER_SINK_STOP
        }
        records.append(record)
        return records.count < stopAfter ? METER_SINK_CONTINUE : METER_SINK_STOP
    }
}

private func keepRecord(_ context: UnsafeMutableRawPointer?, _ record: UnsafePointer<meter_reading>?) -> Int32 {
    guard let context = unsafe context, let record = unsafe record else { return METER_SINK_STOP }
    return unsafe Unmanaged<RecordSink>.fromOpaque(context).takeUnretainedValue().put(EmittedReading(record.pointee))
}

/// Makes a fallible call, and throws what it says.
private func check(_ call: (UnsafeMutablePointer<meter_error>) -> Int32) throws {
    var error = meter_error()
    error.struct_size = UInt32(MemoryLayout<meter_error>.size)
    let code = unsafe call(&error)
    guard code != METER_OK else { return }
    let length = Int(error.message_length)
    let message = unsafe withUnsafeBytes(of: error.message) {
        unsafe String(decoding: $0.prefix(length), as: UTF8.self)
    }
    throw AdapterFailure(code: code, message: message, retryAfter: error.retry_after_ns)
}
