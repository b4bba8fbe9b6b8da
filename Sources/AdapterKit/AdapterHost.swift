import AdapterABI
import Glibc

/// What the host gives one instance. Usable from any thread, until the instance is gone.
public final class AdapterHost: Sendable {
    private let table: HostTable

    /// The extensions are looked up once.
    init(_ host: UnsafePointer<meter_host>) {
        unsafe table = HostTable(host)
    }

    public enum LogLevel: UInt32, Sendable {
        case error = 1
        case warning = 2
        case info = 3
        case debug = 4
    }

    public enum EmitResult: Int32, Sendable {
        case queued = 0
        case busy = 1
        case invalid = 2
        case closed = 3
    }

    /// One event, one line. The host masks secrets.
    public func log(_ level: LogLevel, _ message: String) {
        unsafe message.withText { text in unsafe table.host.log?(table.host.context, level.rawValue, text) }
    }

    /// The value of a declared setting, or its default; nil where there is neither.
    public func setting(_ name: String) -> String? {
        unsafe name.withText { name in
            var value = unsafe meter_text(data: nil, length: 0, reserved: 0)
            guard unsafe table.host.setting?(table.host.context, name, &value) == METER_OK else { return nil }
            return unsafe String(value)
        }
    }

    /// A setting of kind number.
    public func number(_ name: String) -> Double? { setting(name).flatMap(Double.init) }

    /// A setting of kind flag.
    public func flag(_ name: String) -> Bool { setting(name) == "1" }

    /// A setting of kind list, its elements trimmed.
    public func list(_ name: String) -> [String] {
        (setting(name) ?? "").split(separator: ",").compactMap { element in
            let trimmed = element.trimmed
            return trimmed.isEmpty ? nil : trimmed
        }
    }

    /// Hands over a reading of a push adapter.
    @discardableResult
    public func emit(_ reading: Reading) -> EmitResult {
        unsafe reading.withABI { reading in
            guard let emit = unsafe table.host.emit else { return .closed }
            return EmitResult(rawValue: unsafe emit(table.host.context, reading)) ?? .closed
        }
    }

    /// A push adapter's state: nil = all is well.
    public func condition(_ error: AdapterError?) {
        unsafe (error?.message ?? "").withText { message in
            unsafe table.host.condition?(
                table.host.context, error?.code.rawValue ?? METER_OK,
                Nanoseconds.of(seconds: error?.retryAfterSeconds ?? 0), message)
        }
    }

    /// Wall time, nanoseconds since the epoch.
    public var nowWall: Int64 { unsafe table.host.now_wall?(table.host.context) ?? 0 }
    /// CLOCK_MONOTONIC nanoseconds.
    public var nowMonotonic: Int64 { unsafe table.host.now_monotonic?(table.host.context) ?? 0 }
    /// Whether the running call should return.
    public var isCancelled: Bool { unsafe table.host.cancelled?(table.host.context) ?? 0 != 0 }
    /// Readable together with `isCancelled`: poll it, never read or close it.
    public var cancelDescriptor: Int32 { unsafe table.host.cancel_fd?(table.host.context) ?? -1 }

    /// Waits for as long as is asked, and ends at once, with false, where the running call should return.
    public func wait(seconds: Double) -> Bool {
        let end = nowMonotonic + Nanoseconds.of(seconds: seconds)
        while !isCancelled {
            let left = end - nowMonotonic
            guard left > 0 else { return true }
            // A descriptor of -1 is passed over by poll.
            var cancellation = pollfd(fd: cancelDescriptor, events: Int16(POLLIN), revents: 0)
            unsafe poll(&cancellation, 1, Int32(clamping: (left + 999_999) / 1_000_000))
        }
        return false
    }

    /// Asks for requests of the day's ration, for an adapter with a transport of its own.
    public func spend(_ requests: UInt32) throws(AdapterError) {
        guard unsafe table.host.spend?(table.host.context, requests) ?? METER_OK == METER_OK else {
            throw AdapterError(.rationed, "the day's ration of requests is used up")
        }
    }

    /// One HTTP request, until its last byte; an answer of whatever status is a success.
    public func http(_ request: HTTPRequest) throws(AdapterError) -> HTTPResponse {
        guard let perform = unsafe table.http?.pointee.perform else {
            throw AdapterError(.unsupported, "the host offers no HTTP")
        }
        return try unsafe request.perform { target, response, error in
            unsafe perform(table.host.context, target, response, error)
        }
    }

    /// A small value that outlives a restart; nil where there is none.
    public func state(_ key: String) -> [UInt8]? {
        guard let get = unsafe table.state?.pointee.get else { return nil }
        var needed: UInt32 = 0
        var buffer = [UInt8](repeating: 0, count: 1024)
        // A second round where the first found the buffer too small.
        for _ in 0..<2 {
            let code = unsafe key.withText { key in
                unsafe get(table.host.context, key, &buffer, UInt32(buffer.count), &needed)
            }
            if code == METER_OK { return Array(buffer.prefix(Int(needed))) }
            guard code == METER_BUFFER_TOO_SMALL, needed <= METER_STATE_MAX_BYTES else { return nil }
            buffer = [UInt8](repeating: 0, count: Int(needed))
        }
        return nil
    }

    /// Stores a small value; returns once it is durable. nil removes it.
    public func setState(_ key: String, _ value: [UInt8]?) throws(AdapterError) {
        guard let set = unsafe table.state?.pointee.set else {
            throw AdapterError(.unsupported, "the host keeps no state")
        }
        var error = meter_error()
        error.struct_size = UInt32(MemoryLayout<meter_error>.size)
        let bytes = value ?? []
        let code = unsafe key.withText { key in
            unsafe set(table.host.context, key, bytes, UInt32(bytes.count), &error)
        }
        guard code == METER_OK else { throw AdapterError(code: code, error) }
    }
}

/// Where the host's tables are. Addresses, because they are plain values: what they point to is the host's, constant,
/// valid until the instance is destroyed, and legal from any thread by the contract of `meter_adapter.h`.
private struct HostTable: Sendable {
    private let hostAddress: UInt
    private let httpAddress: UInt
    private let stateAddress: UInt

    init(_ pointer: UnsafePointer<meter_host>) {
        let host = unsafe Self.copy(pointer)
        func find(_ id: String) -> UInt {
            unsafe id.withText { id in unsafe host.extension.map { unsafe UInt(bitPattern: $0(host.context, id)) } ?? 0
            }
        }
        hostAddress = UInt(bitPattern: pointer)
        httpAddress = find(METER_HOST_HTTP)
        stateAddress = find(METER_HOST_STATE)
    }

    /// Never NULL: `create` has checked it.
    var host: meter_host {
        unsafe UnsafePointer<meter_host>(bitPattern: hostAddress).map { unsafe Self.copy($0) } ?? meter_host()
    }
    var http: UnsafePointer<meter_host_http>? { unsafe UnsafePointer(bitPattern: httpAddress) }
    var state: UnsafePointer<meter_host_state>? { unsafe UnsafePointer(bitPattern: stateAddress) }

    /// What an older host does not have is NULL.
    private static func copy(_ source: UnsafePointer<meter_host>) -> meter_host {
        var target = unsafe meter_host()
        let size = unsafe min(Int(source.pointee.struct_size), MemoryLayout<meter_host>.size)
        unsafe withUnsafeMutableBytes(of: &target) { bytes in
            unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(start: source, count: size))
        }
        return unsafe target
    }
}

extension Substring {
    /// Without white space at its ends.
    fileprivate var trimmed: String {
        var part = self
        while part.first?.isWhitespace == true { part.removeFirst() }
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }
}
