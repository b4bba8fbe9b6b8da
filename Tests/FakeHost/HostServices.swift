import AdapterABI
import Synchronization

// The functions of the C tables: each finds its host and does one thing.

private func find(_ context: UnsafeMutableRawPointer?) -> FakeHost {
    guard let context = unsafe context else { preconditionFailure("the adapter passed no context") }
    return unsafe Unmanaged<FakeHost>.fromOpaque(context).takeUnretainedValue()
}

func fakeLog(_ context: UnsafeMutableRawPointer?, _ level: UInt32, _ message: meter_text) {
    let line = unsafe "\(level) \(String(copying: message))"
    unsafe find(context).state.withLock { $0.logs.append(line) }
}

func fakeSetting(
    _ context: UnsafeMutableRawPointer?, _ name: meter_text, _ value: UnsafeMutablePointer<meter_text>?
) -> Int32 {
    let name = unsafe String(copying: name)
    guard let stored = unsafe find(context).state.withLock({ $0.settings[name] }) else { return METER_NOT_FOUND }
    unsafe value?.pointee = stored.text
    return METER_OK
}

func fakeExtension(_ context: UnsafeMutableRawPointer?, _ id: meter_text) -> UnsafeRawPointer? {
    switch unsafe String(copying: id) {
    case METER_HOST_HTTP: unsafe find(context).httpTable
    case METER_HOST_STATE: unsafe find(context).stateTable
    default: nil
    }
}

func fakeEmit(_ context: UnsafeMutableRawPointer?, _ reading: UnsafePointer<meter_reading>?) -> Int32 {
    guard let reading = unsafe reading else { return METER_EMIT_INVALID }
    let copy = unsafe EmittedReading(reading.pointee)
    return unsafe find(context).state.withLock { state in
        if state.emitResult == METER_EMIT_QUEUED { state.emissions.append(copy) }
        return state.emitResult
    }
}

func fakeCondition(_ context: UnsafeMutableRawPointer?, _ code: Int32, _ retryAfter: Int64, _ message: meter_text) {
    let condition = unsafe FakeHost.Condition(code: code, retryAfter: retryAfter, message: String(copying: message))
    unsafe find(context).state.withLock { $0.conditions.append(condition) }
}

func fakeWall(_ context: UnsafeMutableRawPointer?) -> Int64 { unsafe find(context).wall }

func fakeMonotonic(_ context: UnsafeMutableRawPointer?) -> Int64 { unsafe find(context).monotonic }

func fakeCancelled(_ context: UnsafeMutableRawPointer?) -> Int32 { unsafe find(context).isCancelled ? 1 : 0 }

func fakeSpend(_ context: UnsafeMutableRawPointer?, _ requests: UInt32) -> Int32 {
    unsafe find(context).state.withLock { $0.spent += requests }
    return METER_OK
}

func fakePerform(
    _ context: UnsafeMutableRawPointer?, _ request: UnsafePointer<meter_http_request>?,
    _ response: UnsafeMutablePointer<meter_http_response>?, _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let request = unsafe request, let response = unsafe response else { return METER_INVALID }
    switch unsafe find(context).respond(FakeRequest(request.pointee)) {
    case .failure(let code, let message):
        return unsafe message.withCString { unsafe meter_fail(error, code, $0) }
    case .answer(let status, let contentType, let retryAfterSeconds, let body):
        unsafe response.pointee.status = status
        unsafe response.pointee.retry_after_ns = retryAfterSeconds * 1_000_000_000
        unsafe response.pointee.body_bytes = UInt64(body.utf8.count)
        let type = Array(contentType.utf8.prefix(96))
        unsafe response.pointee.content_type_length = UInt32(type.count)
        unsafe withUnsafeMutableBytes(of: &response.pointee.content_type) { unsafe $0.copyBytes(from: type) }
        return unsafe deliver(Array(body.utf8), to: request.pointee, error)
    }
}

/// In two pieces, as a network might.
private func deliver(
    _ body: [UInt8], to request: meter_http_request, _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let take = unsafe request.on_body else { return METER_OK }
    for piece in [body.prefix(body.count / 2), body.suffix(body.count - body.count / 2)] where !piece.isEmpty {
        let answer = unsafe piece.withUnsafeBufferPointer { bytes in
            unsafe take(request.body_context, bytes.baseAddress, bytes.count)
        }
        guard answer == 0 else { return unsafe meter_fail(error, METER_CANCELLED, "the adapter ended the request") }
    }
    return METER_OK
}

extension FakeRequest {
    init(_ source: meter_http_request) {
        unsafe method = source.method
        unsafe url = String(copying: source.url)
        headers = [:]
        for index in 0..<Int(unsafe source.header_count) {
            guard let table = unsafe UnsafeRawPointer(source.headers) else { break }
            let header = unsafe (table + index * Int(source.header_stride)).loadUnaligned(as: meter_http_header.self)
            unsafe headers[String(copying: header.name)] = unsafe String(copying: header.value)
        }
        unsafe body = String(copying: source.body)
        unsafe authorization = source.auth
        unsafe user = String(copying: source.user)
        unsafe secret = String(copying: source.secret)
        unsafe caFile = String(copying: source.ca_file)
        unsafe followsRedirects = source.flags & METER_HTTP_NO_REDIRECTS == 0
        unsafe deadline = source.deadline_ns
    }
}

func fakeStateGet(
    _ context: UnsafeMutableRawPointer?, _ key: meter_text, _ buffer: UnsafeMutablePointer<UInt8>?,
    _ capacity: UInt32, _ needed: UnsafeMutablePointer<UInt32>?
) -> Int32 {
    let key = unsafe String(copying: key)
    guard let value = unsafe find(context).values[key] else { return METER_NOT_FOUND }
    unsafe needed?.pointee = UInt32(value.count)
    guard value.count <= Int(capacity) else { return METER_BUFFER_TOO_SMALL }
    for (index, byte) in value.enumerated() { unsafe buffer?[index] = byte }
    return METER_OK
}

func fakeStateSet(
    _ context: UnsafeMutableRawPointer?, _ key: meter_text, _ bytes: UnsafePointer<UInt8>?, _ length: UInt32,
    _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    let key = unsafe String(copying: key)
    guard length <= METER_STATE_MAX_BYTES else { return unsafe meter_fail(error, METER_TOO_LARGE, "too large") }
    let value = unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(length)))
    unsafe find(context).state.withLock { $0.values[key] = value.isEmpty ? nil : value }
    return METER_OK
}
