import AdapterABI
import Platform

/// An adapter in this process: the host's, or that of a runner.
struct InProcessHosting: AdapterHosting {
    private let adapter: HostedAdapter
    private let context: HostContext
    /// The adapter's pointers, by address: they stay in this file.
    private let hostAddress: UInt
    private var instanceAddress: UInt = 0

    init(adapter: HostedAdapter, context: HostContext) {
        self.adapter = adapter
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
                try unsafe Self.check { error in
                    unsafe adapter.functions?.pointee.create(adapter.descriptor, host, &made, error)
                }
            }
        }
        instanceAddress = UInt(bitPattern: made)
        guard instanceAddress != 0 else {
            throw .failed(AdapterFailure(code: METER_FAILED, message: "create succeeded without an instance"))
        }
    }

    mutating func start() throws(HostingError) {
        try call(until: Clock.monotonic() + CallTime.start) { () throws(AdapterFailure) in
            try unsafe Self.check { error in unsafe adapter.functions?.pointee.start(instance, error) }
        }
    }

    mutating func read(until deadline: Int64) throws(HostingError) {
        try call(until: deadline) { () throws(AdapterFailure) in
            try unsafe Self.check { error in unsafe adapter.functions?.pointee.read?(instance, deadline, error) }
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
        context.retire()
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
        _ body: (UnsafeMutablePointer<meter_error>) -> Int32?
    ) throws(AdapterFailure) {
        var error = meter_error()
        error.struct_size = UInt32(MemoryLayout<meter_error>.size)
        let code = unsafe body(&error) ?? METER_INVALID
        guard code != METER_OK else { return }
        throw AdapterFailure(code: code, message: ForeignText.message(error), retryAfter: error.retry_after_ns)
    }
}
