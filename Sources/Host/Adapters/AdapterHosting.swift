import AdapterABI

/// Why a call into an adapter failed, as the schedule acts on it.
package struct AdapterFailure: Error, Hashable, Sendable {
    package let code: Int32
    package let message: String
    /// Nanoseconds; 0 = the host decides.
    package let retryAfter: Int64

    package init(code: Int32, message: String, retryAfter: Int64 = 0) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// Whether trying again cannot help: a person has to do something.
    package var needsPerson: Bool { (100...199).contains(code) }

    /// The name of the code in `meter_adapter.h`, in words.
    package var word: String {
        switch code {
        case METER_UNREACHABLE: "unreachable"
        case METER_TIMEOUT: "timeout"
        case METER_UNAVAILABLE: "unavailable"
        case METER_RATE_LIMITED: "rate limited"
        case METER_UNAUTHORIZED: "unauthorized"
        case METER_BAD_DATA: "bad data"
        case METER_NO_DATA: "no data"
        case METER_RATIONED: "rationed"
        case METER_CANCELLED: "cancelled"
        case METER_TOO_LARGE: "too large"
        case METER_NOT_FOUND: "not found"
        case METER_TLS_FAILED: "TLS failed"
        case METER_INVALID: "invalid"
        case METER_MISCONFIGURED: "misconfigured"
        case METER_CREDENTIALS_REFUSED: "credentials refused"
        case METER_LOGIN_REQUIRED: "login required"
        case METER_UNSUPPORTED: "unsupported"
        default: needsPerson ? "needs attention" : "failed"
        }
    }
}

/// Where an adapter's code runs. Calls come from the instance's thread, one at a time.
protocol AdapterHosting {
    mutating func create() throws(AdapterFailure)
    mutating func start() throws(AdapterFailure)
    /// - Parameter deadline: monotonic ns.
    mutating func read(until deadline: Int64) throws(AdapterFailure)
    mutating func stop()
    mutating func destroy()
}

/// An adapter in the host's own process.
struct InProcessHosting: AdapterHosting {
    private let adapter: LoadedAdapter
    /// The adapter's pointers, by address: they stay in this file.
    private let hostAddress: UInt
    private var instanceAddress: UInt = 0

    init(adapter: LoadedAdapter, context: HostContext) {
        self.adapter = adapter
        hostAddress = unsafe UInt(bitPattern: context.makeHost())
    }

    private var instance: OpaquePointer? { unsafe OpaquePointer(bitPattern: instanceAddress) }

    mutating func create() throws(AdapterFailure) {
        guard instanceAddress == 0 else { return }
        let descriptor = unsafe adapter.descriptor
        let host = unsafe UnsafePointer<meter_host>(bitPattern: hostAddress)
        var made: OpaquePointer?
        try adapter.gate.pass { () throws(AdapterFailure) in
            try unsafe Self.call { error in unsafe descriptor?.pointee.create(descriptor, host, &made, error) }
        }
        instanceAddress = UInt(bitPattern: made)
        guard instanceAddress != 0 else {
            throw AdapterFailure(code: METER_FAILED, message: "create succeeded without an instance")
        }
    }

    mutating func start() throws(AdapterFailure) {
        let descriptor = unsafe adapter.descriptor
        let instance = unsafe instance
        try unsafe Self.call { error in unsafe descriptor?.pointee.start(instance, error) }
    }

    mutating func read(until deadline: Int64) throws(AdapterFailure) {
        let descriptor = unsafe adapter.descriptor
        let instance = unsafe instance
        try unsafe Self.call { error in unsafe descriptor?.pointee.read?(instance, deadline, error) }
    }

    mutating func stop() {
        unsafe adapter.descriptor?.pointee.stop(instance)
    }

    mutating func destroy() {
        guard instanceAddress != 0 else { return }
        unsafe adapter.descriptor?.pointee.destroy(instance)
        instanceAddress = 0
    }

    private static func call(
        _ body: (UnsafeMutablePointer<meter_error>) -> Int32?
    ) throws(AdapterFailure) {
        var error = meter_error()
        error.struct_size = UInt32(MemoryLayout<meter_error>.size)
        let code = unsafe body(&error) ?? METER_INVALID
        guard code != METER_OK else { return }
        let message = ForeignText.message(error)
        throw AdapterFailure(
            code: code, message: message.isEmpty ? "the adapter gave no reason (code \(code))" : message,
            retryAfter: min(max(0, error.retry_after_ns), 86_400_000_000_000))
    }
}
