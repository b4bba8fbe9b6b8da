import AdapterABI
import Platform

/// An adapter in this process: the host's, or that of a runner.
struct InProcessHosting: AdapterHosting {
    private let adapter: HostedAdapter
    private let context: HostContext
    /// The adapter's pointers, by address: they stay in this file.
    private let hostAddress: UInt
    private var instanceAddress: UInt = 0

    /// Whether it asks why a call failed: an adapter has to cope with a caller that does not.
    private let asksWhy: Bool

    init(adapter: HostedAdapter, context: HostContext, asksWhy: Bool = true) {
        self.adapter = adapter
        self.asksWhy = asksWhy
        self.context = context
        hostAddress = unsafe UInt(bitPattern: context.makeHost())
    }

    private var instance: OpaquePointer? { unsafe OpaquePointer(bitPattern: instanceAddress) }

    mutating func create() throws(HostingError) {
        guard instanceAddress == 0 else { return }
        let adapter = adapter
        let host = unsafe UnsafePointer<meter_host>(bitPattern: hostAddress)
        var made: OpaquePointer?
        try call(until: Clock.monotonic() + CallTime.start) { () throws(AdapterFailure) in
            try adapter.gate.pass { () throws(AdapterFailure) in
                try unsafe Self.check(asksWhy: asksWhy) { error in
                    unsafe adapter.functions?.pointee.create(adapter.descriptor, host, &made, error)
                }
            }
        }
        instanceAddress = UInt(bitPattern: made)
        guard instanceAddress != 0 else {
            throw .failed(AdapterFailure(code: METER_FAILED, message: "create succeeded without an instance"))
        }
    }

    mutating func start() throws(HostingError) { try start(until: Clock.monotonic() + CallTime.start) }

    mutating func start(until deadline: Int64) throws(HostingError) {
        try call(until: deadline) { () throws(AdapterFailure) in
            try unsafe Self.check(asksWhy: asksWhy) { error in unsafe adapter.functions?.pointee.start(instance, error)
            }
        }
    }

    mutating func read(until deadline: Int64) throws(HostingError) {
        try call(until: deadline) { () throws(AdapterFailure) in
            try unsafe Self.check(asksWhy: asksWhy) { error in
                unsafe adapter.functions?.pointee.read?(instance, deadline, error)
            }
        }
    }

    mutating func history(
        _ request: HistoryRequest, put: @escaping CallListener.Put
    ) throws(HostingError) -> HistoryAnswer {
        guard let table = table(METER_HISTORY, as: meter_history.self) else { throw Self.unsupported }
        let listener = unsafe ListenerBox(CallListener(put: put))
        let sink = unsafe meter_history_sink(context: Unmanaged.passUnretained(listener).toOpaque(), put: putRecord)
        let asked = meter_history_request(
            struct_size: UInt32(MemoryLayout<meter_history_request>.size), max_records: request.maxRecords,
            from_ns: request.from, to_ns: request.to, step_ns: request.step, deadline_ns: request.deadline)
        var result = meter_history_result()
        result.struct_size = UInt32(MemoryLayout<meter_history_result>.size)
        try call(until: request.deadline) { () throws(AdapterFailure) in
            try unsafe Self.check(asksWhy: asksWhy) { error in
                unsafe withUnsafePointer(to: asked) { asked in
                    unsafe withUnsafePointer(to: sink) { sink in
                        unsafe table.history?(instance, asked, sink, &result, error)
                    }
                }
            }
        }
        withExtendedLifetime(listener) {}
        return HistoryAnswer(
            outcome: result.outcome, coveredTo: result.covered_to_ns, retryAfter: result.retry_after_ns,
            noneBefore: result.none_before_ns)
    }

    mutating func login(_ dialogue: LoginDialogue) throws(HostingError) -> String {
        let context = context
        return try login { dialogue.ask($0, orUntil: context.cancelDescriptor) }
    }

    /// - Parameter prompt: asks a person and waits.
    mutating func login(prompt: @escaping CallListener.Prompt) throws(HostingError) -> String {
        guard instanceAddress != 0, let table = table(METER_LOGIN, as: meter_login.self) else {
            throw Self.unsupported
        }
        let listener = ListenerBox(CallListener(prompt: prompt))
        let prompter = unsafe meter_login_prompter(
            context: Unmanaged.passUnretained(listener).toOpaque(), prompt: askPerson)
        var result = meter_login_result()
        result.struct_size = UInt32(MemoryLayout<meter_login_result>.size)
        do throws(AdapterFailure) {
            // A person takes as long as it takes.
            try unsafe Self.check(asksWhy: asksWhy) { error in
                unsafe withUnsafePointer(to: prompter) { prompter in
                    unsafe table.login?(instance, prompter, &result, error)
                }
            }
        } catch {
            throw .failed(error)
        }
        withExtendedLifetime(listener) {}
        return unsafe withUnsafeBytes(of: result.text) { bytes in
            unsafe String(decoding: bytes.prefix(Int(min(result.text_length, UInt32(bytes.count)))), as: UTF8.self)
        }
    }

    private static let unsupported = HostingError.failed(
        AdapterFailure(code: METER_UNSUPPORTED, message: "the adapter cannot do that"))

    /// An extension of the adapter; nil where it has none.
    private func table<Table>(_ id: String, as type: Table.Type) -> Table? {
        var id = Array(id.utf8).map { CChar(bitPattern: $0) }
        let count = UInt32(id.count)
        return unsafe id.withUnsafeMutableBufferPointer { bytes in
            let text = unsafe meter_text(data: UnsafePointer(bytes.baseAddress), length: count, reserved: 0)
            return unsafe adapter.functions?.pointee.extension?(text)?.load(as: Table.self)
        }
    }

    mutating func stop() {
        context.begin(callUntil: Clock.monotonic() + CallTime.stop)
        unsafe adapter.functions?.pointee.stop(instance)
        context.endCall()
    }

    mutating func destroy() {
        if instanceAddress != 0 { unsafe adapter.functions?.pointee.destroy(instance) }
        instanceAddress = 0
    }

    func idle(until deadline: Int64?, _ bell: Doorbell) { bell.wait(until: deadline) }

    private func call(
        until deadline: Int64, _ body: () throws(AdapterFailure) -> Void
    ) throws(HostingError) {
        context.begin(callUntil: deadline)
        defer { context.endCall() }
        do throws(AdapterFailure) { try body() } catch { throw .failed(error) }
    }

    private static func check(
        asksWhy: Bool = true, _ body: (UnsafeMutablePointer<meter_error>?) -> Int32?
    ) throws(AdapterFailure) {
        var error = meter_error()
        error.struct_size = UInt32(MemoryLayout<meter_error>.size)
        let code =
            unsafe asksWhy
            ? withUnsafeMutablePointer(to: &error) { unsafe body($0) } ?? METER_INVALID
            : body(nil) ?? METER_INVALID
        guard code != METER_OK else { return }
        throw AdapterFailure(code: code, message: ForeignText.message(error), retryAfter: error.retry_after_ns)
    }
}

/// What stands behind the context of a sink or a prompter, for the call only.
private final class ListenerBox {
    let listener: CallListener
    init(_ listener: CallListener) { self.listener = listener }

    static func from(_ pointer: UnsafeMutableRawPointer?) -> CallListener? {
        guard let pointer = unsafe pointer else { return nil }
        // The caller keeps it alive for as long as the adapter's call lasts.
        return unsafe Unmanaged<ListenerBox>.fromOpaque(pointer).takeUnretainedValue().listener
    }
}

private func putRecord(_ context: UnsafeMutableRawPointer?, _ record: UnsafePointer<meter_reading>?) -> Int32 {
    guard let listener = unsafe ListenerBox.from(context), let record = unsafe record else { return METER_SINK_STOP }
    return unsafe listener.put(record)
}

private func askPerson(
    _ context: UnsafeMutableRawPointer?, _ kind: UInt32, _ question: meter_text, _ buffer: UnsafeMutablePointer<CChar>?,
    _ capacity: UInt32, _ length: UnsafeMutablePointer<UInt32>?
) -> Int32 {
    guard let listener = unsafe ListenerBox.from(context) else { return METER_CANCELLED }
    let reply = unsafe listener.prompt(LoginPrompt(kind: kind, question: ForeignText.words(question, limit: 1024)))
    guard reply.code == METER_OK else { return reply.code }
    unsafe length?.pointee = UInt32(clamping: reply.answer.count)
    guard let buffer = unsafe buffer, reply.answer.count <= Int(capacity) else { return METER_BUFFER_TOO_SMALL }
    for (index, byte) in reply.answer.enumerated() { unsafe buffer[index] = CChar(bitPattern: byte) }
    return METER_OK
}
