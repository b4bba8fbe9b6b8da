import CMicrohttpd
import Platform

/// libmicrohttpd's daemon on a listening socket, driven by the thread that made it. No pointer of the library leaves
/// this file.
@safe struct MicrohttpdDaemon: ~Copyable {
    private let daemon: OpaquePointer
    /// The callbacks' context; alive for as long as the daemon.
    private let context: Context
    /// Readable when `serve` has something to do.
    let descriptor: Int32

    fileprivate final class Context {
        let door: FrontDoor
        init(door: FrontDoor) {
            self.door = door
        }
    }

    init(listener: consuming FileDescriptor, door: FrontDoor, limits: ServerLimits) throws(ServerError) {
        context = Context(door: door)
        let bounds = sm_mhd_limits(
            connections: limits.connections, connections_address: limits.connectionsPerAddress,
            timeout_seconds: limits.timeoutSeconds, memory: limits.headerBytes)
        // The daemon owns the socket from here on. The context outlives it: see deinit.
        guard
            let daemon = unsafe sm_mhd_start(
                listener.release(), bounds, requestArrived, targetArrived, leaveEscaped, requestCompleted,
                Unmanaged.passUnretained(context).toOpaque())
        else { throw .cannotStart }
        unsafe self.daemon = daemon
        descriptor = unsafe sm_mhd_epoll(daemon)
    }

    deinit {
        unsafe MHD_stop_daemon(daemon)
        withExtendedLifetime(context) {}
    }

    /// Does what can be done without waiting; answers until when to wait (monotonic ns; nil = for ever).
    func serve() -> Int64? {
        let before = unsafe sm_mhd_connections(daemon)
        _ = unsafe MHD_run(daemon)
        let milliseconds = unsafe sm_mhd_timeout(daemon)
        if milliseconds >= 0 { return Clock.monotonic() + Int64(milliseconds) * 1_000_000 }
        // Out of descriptors the library stops listening, and begins again in the run after the one in which a connection
        // went: nothing else would wake us for it.
        let isBusy = unsafe before > 0 || sm_mhd_connections(daemon) > 0
        return isBusy ? Clock.monotonic() + 1_000_000_000 : nil
    }
}

// MARK: C's ways in: nonisolated functions on the thread that runs `serve`. Each recovers its context and calls on.

/// The first thing known of a request. What is returned becomes the request's context; `requestCompleted` frees it.
private func targetArrived(
    _: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let target = unsafe target else { return nil }
    return unsafe Unmanaged.passRetained(Exchange(target: String(cString: target))).toOpaque()
}

private func requestCompleted(
    _: UnsafeMutableRawPointer?, _: OpaquePointer?, _ exchange: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _: MHD_RequestTerminationCode
) {
    guard let held = unsafe exchange?.pointee else { return }
    unsafe Unmanaged<Exchange>.fromOpaque(held).release()
    unsafe exchange?.pointee = nil
}

/// The library would decode the path as a whole; `RequestTarget` decodes it by segment.
private func leaveEscaped(
    _: UnsafeMutableRawPointer?, _: OpaquePointer?, _ text: UnsafeMutablePointer<CChar>?
) -> Int {
    guard let text = unsafe text else { return 0 }
    return unsafe String(cString: text).utf8.count
}

/// Called once with the head, then for each piece of the body, then once more without one.
private func requestArrived(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
    _ uploadCount: UnsafeMutablePointer<Int>?, _ exchange: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context = unsafe context, let connection = unsafe connection, let held = unsafe exchange?.pointee,
        let uploadCount = unsafe uploadCount
    else { return .NO }
    let door = unsafe Unmanaged<MicrohttpdDaemon.Context>.fromOpaque(context).takeUnretainedValue().door
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(held).takeUnretainedValue()

    if !exchange.hasHead {
        exchange.hasHead = true
        if let method = unsafe method { exchange.method = unsafe String(cString: method) }
        unsafe sm_mhd_each_header(connection, headerArrived, held)
        guard let refusal = door.refusal(of: exchange) else { return .YES }
        return unsafe send(refusal, on: connection)
    }
    let count = unsafe uploadCount.pointee
    guard count > 0 else { return unsafe send(door.answer(to: exchange), on: connection) }
    // A body without a length that goes on beyond the limit: there is no answering amid it, so hang up.
    guard let upload = unsafe upload, exchange.body.count + count <= door.limits.bodyBytes else { return .NO }
    unsafe exchange.body.append(contentsOf: UnsafeRawBufferPointer(start: upload, count: count))
    unsafe uploadCount.pointee = 0
    return .YES
}

private func headerArrived(
    _ exchange: UnsafeMutableRawPointer?, _: MHD_ValueKind, _ name: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> MHD_Result {
    guard let exchange = unsafe exchange, let name = unsafe name else { return .NO }
    let text = if let value = unsafe value { unsafe String(cString: value) } else { "" }
    unsafe Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue()
        .headers.append((String(cString: name), text))
    return .YES
}

/// `.NO` closes the connection.
private func send(_ response: Response, on connection: OpaquePointer) -> MHD_Result {
    let copy = unsafe response.body.withUnsafeBytes { bytes in
        unsafe sm_mhd_response(bytes.baseAddress, bytes.count)
    }
    guard let copy = unsafe copy else { return .NO }
    // The connection keeps a reference of its own.
    defer { unsafe MHD_destroy_response(copy) }
    let own = response.headers + [("Content-Type", response.contentType)]
    let common = Response.commonHeaders.filter { header in !own.contains { $0.name == header.name } }
    for header in own + common {
        guard unsafe MHD_add_response_header(copy, header.name, header.value) == .YES else { return .NO }
    }
    return unsafe MHD_queue_response(connection, UInt32(clamping: response.status), copy)
}
