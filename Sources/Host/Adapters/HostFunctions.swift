import AdapterABI
import Platform
package import Transfer

// C's way into the host: each function recovers the context once and calls one method. A NULL context, which only a
// broken adapter passes, is answered and never followed.

private func context(_ pointer: UnsafeMutableRawPointer?) -> HostContext? {
    guard let pointer = unsafe pointer else { return nil }
    // Contexts are never freed.
    return unsafe Unmanaged<HostContext>.fromOpaque(pointer).takeUnretainedValue()
}

func hostLog(_ pointer: UnsafeMutableRawPointer?, _ level: UInt32, _ message: meter_text) {
    unsafe context(pointer)?.services.log(level, message)
}

func hostSetting(
    _ pointer: UnsafeMutableRawPointer?, _ name: meter_text, _ value: UnsafeMutablePointer<meter_text>?
) -> Int32 {
    guard let context = unsafe context(pointer), let value = unsafe value else { return METER_INVALID }
    return unsafe context.setting(name, value)
}

func hostExtension(_ pointer: UnsafeMutableRawPointer?, _ id: meter_text) -> UnsafeRawPointer? {
    guard unsafe context(pointer)?.offersExtensions ?? true else { return nil }
    return switch unsafe ForeignText.string(id, limit: 255) {
    case METER_HOST_HTTP: unsafe UnsafeRawPointer(bitPattern: HostExtensions.http)
    case METER_HOST_STATE: unsafe UnsafeRawPointer(bitPattern: HostExtensions.state)
    default: nil
    }
}

func hostEmit(_ pointer: UnsafeMutableRawPointer?, _ reading: UnsafePointer<meter_reading>?) -> Int32 {
    unsafe context(pointer)?.services.emit(reading) ?? METER_EMIT_CLOSED
}

func hostCondition(_ pointer: UnsafeMutableRawPointer?, _ code: Int32, _ retryAfter: Int64, _ message: meter_text) {
    unsafe context(pointer)?.services.condition(code, retryAfter: retryAfter, message)
}

func hostNowWall(_ pointer: UnsafeMutableRawPointer?) -> Int64 { Clock.wall() }
func hostNowMonotonic(_ pointer: UnsafeMutableRawPointer?) -> Int64 { Clock.monotonic() }

func hostCancelled(_ pointer: UnsafeMutableRawPointer?) -> Int32 {
    unsafe context(pointer)?.shouldReturn ?? true ? 1 : 0
}

func hostCancelDescriptor(_ pointer: UnsafeMutableRawPointer?) -> Int32 {
    unsafe context(pointer)?.cancelDescriptor ?? -1
}

func hostSpend(_ pointer: UnsafeMutableRawPointer?, _ requests: UInt32) -> Int32 {
    unsafe context(pointer)?.services.spend(requests) ?? METER_CANCELLED
}

/// The host extensions' tables, by address; made once and never freed.
private enum HostExtensions {
    static let http: UInt = {
        let table = UnsafeMutablePointer<meter_host_http>.allocate(capacity: 1)
        unsafe table.initialize(to: meter_host_http(perform: hostPerform))
        return UInt(bitPattern: table)
    }()

    static let state: UInt = {
        let table = UnsafeMutablePointer<meter_host_state>.allocate(capacity: 1)
        unsafe table.initialize(to: meter_host_state(get: hostStateGet, set: hostStateSet))
        return UInt(bitPattern: table)
    }()
}

// MARK: meter.host.state/1

private func hostStateGet(
    _ pointer: UnsafeMutableRawPointer?, _ key: meter_text, _ buffer: UnsafeMutablePointer<UInt8>?,
    _ capacity: UInt32, _ needed: UnsafeMutablePointer<UInt32>?
) -> Int32 {
    guard let context = unsafe context(pointer) else { return METER_INVALID }
    let value: [UInt8]
    switch unsafe context.services.state(key) {
    case .invalid: return METER_INVALID
    case .notFound: return METER_NOT_FOUND
    case .value(let found): value = found
    }
    unsafe needed?.pointee = UInt32(value.count)
    guard value.count <= Int(capacity) else { return METER_BUFFER_TOO_SMALL }
    guard let buffer = unsafe buffer else { return value.isEmpty ? METER_OK : METER_INVALID }
    for (index, byte) in value.enumerated() { unsafe buffer[index] = byte }
    return METER_OK
}

private func hostStateSet(
    _ pointer: UnsafeMutableRawPointer?, _ key: meter_text, _ bytes: UnsafePointer<UInt8>?, _ length: UInt32,
    _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let context = unsafe context(pointer) else {
        return unsafe meter_fail(error, METER_CANCELLED, "the instance is gone")
    }
    guard length <= METER_STATE_MAX_BYTES else {
        return unsafe meter_fail(error, METER_TOO_LARGE, "a value has at most 65,536 bytes")
    }
    var value: [UInt8]?
    if length > 0 {
        guard let bytes = unsafe bytes else { return unsafe meter_fail(error, METER_INVALID, "bytes is NULL") }
        value = unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(length)))
    }
    switch unsafe context.services.setState(key, value) {
    case METER_OK: return METER_OK
    case METER_CANCELLED: return unsafe meter_fail(error, METER_CANCELLED, "the instance is not running")
    case METER_INVALID: return unsafe meter_fail(error, METER_INVALID, "the key is not a text of 1 to 255 bytes")
    default: return unsafe meter_fail(error, METER_FAILED, "the value could not be stored; /health says why")
    }
}

// MARK: meter.host.http/1

private func hostPerform(
    _ pointer: UnsafeMutableRawPointer?, _ request: UnsafePointer<meter_http_request>?,
    _ response: UnsafeMutablePointer<meter_http_response>?, _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let context = unsafe context(pointer) else {
        return unsafe meter_fail(error, METER_CANCELLED, "the instance is gone")
    }
    guard let request = unsafe request, let parsed = unsafe HTTPRequest(request) else {
        return unsafe meter_fail(error, METER_INVALID, "the request breaks a rule of meter_adapter.h")
    }
    guard context.takesRequests else { return unsafe meter_fail(error, METER_CANCELLED, "the instance is stopping") }
    switch context.services.spend(1) {
    case METER_OK: break
    case METER_CANCELLED: return unsafe meter_fail(error, METER_CANCELLED, "the instance is stopping")
    default: return unsafe meter_fail(error, METER_RATIONED, "the day's ration of requests is used up")
    }
    var isStopped = false
    let result = unsafe context.perform(parsed, until: request.pointee.deadline_ns) { answer, piece in
        unsafe fill(response, with: answer)
        isStopped = unsafe !deliver(piece, request.pointee)
        return !isStopped
    }
    switch result {
    case _ where isStopped: return unsafe meter_fail(error, METER_CANCELLED, "the adapter stopped the answer")
    case .success(let answer):
        unsafe fill(response, with: answer)
        return METER_OK
    case .failure(let failure):
        return unsafe meter_fail(error, failure.code, failure.message)
    }
}

/// False where the adapter wants no more.
private func deliver(_ piece: ArraySlice<UInt8>, _ request: meter_http_request) -> Bool {
    guard let takeBody = unsafe request.on_body, !piece.isEmpty else { return true }
    return unsafe piece.withUnsafeBufferPointer { buffer in
        unsafe takeBody(request.body_context, buffer.baseAddress, buffer.count)
    } == 0
}

private func fill(_ target: UnsafeMutablePointer<meter_http_response>?, with answer: HTTPResponse) {
    guard let target = unsafe target, Int(unsafe target.pointee.struct_size) >= MemoryLayout<meter_http_response>.size
    else { return }
    unsafe target.pointee.status = Int32(clamping: answer.status)
    unsafe target.pointee.retry_after_ns = answer.retryAfter
    unsafe target.pointee.body_bytes = UInt64(answer.body.count)
    let type = Array(answer.contentType.utf8.prefix(96))
    unsafe target.pointee.content_type_length = UInt32(type.count)
    unsafe withUnsafeMutableBytes(of: &target.pointee.content_type) { bytes in unsafe bytes.copyBytes(from: type) }
}

extension HTTPRequest {
    private static let mostHeaders: UInt32 = 64
    private static let longestText = 1 << 20

    /// A copy of what the adapter asks for; nil where it breaks a rule.
    fileprivate init?(_ pointer: UnsafePointer<meter_http_request>) {
        guard unsafe Int(unsafe pointer.pointee.struct_size) >= MemoryLayout<meter_http_request>.size else {
            return nil
        }
        let source = unsafe pointer.pointee
        let methods: [UInt32: Method] = [
            METER_HTTP_GET: .get, METER_HTTP_POST: .post, METER_HTTP_PUT: .put, METER_HTTP_DELETE: .delete,
        ]
        guard let method = unsafe methods[source.method], let url = unsafe ForeignText.string(source.url, limit: 8192),
            url.hasPrefix("http://") || url.hasPrefix("https://"),
            let body = unsafe ForeignText.bytes(source.body, limit: Self.longestText),
            let user = unsafe ForeignText.string(source.user, limit: 4096),
            let secret = unsafe ForeignText.string(source.secret, limit: 65536),
            let caFile = unsafe ForeignText.string(source.ca_file, limit: 4096)
        else { return nil }
        self.init(method, url)
        self.body = unsafe Array(body)
        self.caFile = caFile
        followsRedirects = unsafe source.flags & METER_HTTP_NO_REDIRECTS == 0
        switch unsafe source.auth {
        case METER_AUTH_NONE: authorization = .none
        case METER_AUTH_BASIC: authorization = .basic(user: user, password: secret)
        case METER_AUTH_DIGEST: authorization = .digest(user: user, password: secret)
        case METER_AUTH_BEARER: authorization = .bearer(secret)
        default: return nil
        }
        if unsafe source.max_body_bytes > 0 {
            maximumBodyBytes = unsafe Int(clamping: min(source.max_body_bytes, 256 << 20))
        }
        guard unsafe takeHeaders(source) else { return nil }
    }

    private mutating func takeHeaders(_ source: meter_http_request) -> Bool {
        guard unsafe source.header_count > 0 else { return true }
        let stride = unsafe Int(source.header_stride)
        guard unsafe source.header_count <= Self.mostHeaders, let table = unsafe source.headers,
            unsafe stride >= MemoryLayout<meter_http_header>.size, stride % 8 == 0, stride <= 4096
        else { return false }
        for index in unsafe 0..<Int(source.header_count) {
            let header = unsafe UnsafeRawPointer(table).loadUnaligned(
                fromByteOffset: index * stride, as: meter_http_header.self)
            guard let name = unsafe ForeignText.string(header.name, limit: 256),
                let value = unsafe ForeignText.string(header.value, limit: 65536)
            else { return false }
            headers.append((name, value))
        }
        return true
    }
}

extension TransferError {
    /// What an adapter is told of it: METER_...
    package var code: Int32 {
        switch kind {
        case .unreachable: METER_UNREACHABLE
        case .timeout: METER_TIMEOUT
        case .tls: METER_TLS_FAILED
        case .tooLarge: METER_TOO_LARGE
        case .cancelled: METER_CANCELLED
        case .invalid: METER_INVALID
        }
    }
}
