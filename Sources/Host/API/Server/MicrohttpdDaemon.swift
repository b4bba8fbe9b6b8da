import CMicrohttpd
import Platform
import Readings

/// libmicrohttpd's daemon, driven by the thread that made it. It does not listen by itself: out of descriptors the library
/// stops listening, and some of the connections that it then has stay for ever.
@safe struct MicrohttpdDaemon: ~Copyable {
    private let daemon: OpaquePointer
    /// The callbacks' context; alive for as long as the daemon.
    private let context: Context
    /// Readable when `serve` has something to do.
    let descriptor: Int32

    fileprivate final class Context {
        let reception: Reception
        var visits = Visits()

        init(reception: Reception) {
            self.reception = reception
        }

        var limits: ServerLimits { reception.limits }

        func expect(_ visit: Visit?, in seconds: Int64) {
            visits.expect(visit, by: Clock.monotonic() + seconds * Duration.second)
        }
    }

    init(reception: Reception) throws(ServerError) {
        context = Context(reception: reception)
        let limits = reception.limits
        let bounds = sm_mhd_limits(
            connections: limits.connections, connections_address: limits.connectionsPerAddress,
            timeout_seconds: limits.idleSeconds, memory: limits.headerBytes)
        let calls = unsafe sm_mhd_calls(
            connection: connectionChanged, target: targetArrived, unescape: leaveEscaped, request: requestArrived,
            completed: requestCompleted)
        // The context outlives the daemon: see deinit.
        guard let daemon = unsafe sm_mhd_start(bounds, calls, Unmanaged.passUnretained(context).toOpaque()) else {
            throw .cannotStart
        }
        unsafe self.daemon = daemon
        descriptor = unsafe sm_mhd_epoll(daemon)
    }

    deinit {
        // The library does not end while a connection is suspended.
        context.reception.close()
        unsafe MHD_run(daemon)
        unsafe MHD_stop_daemon(daemon)
        withExtendedLifetime(context) {}
    }

    /// Takes a connection over; where there are too many it is closed.
    func add(_ connection: consuming FileDescriptor) { unsafe sm_mhd_add(daemon, connection.release()) }

    /// Does what can be done without waiting; answers until when to wait (monotonic ns; nil = for ever).
    func serve() -> Int64? {
        _ = unsafe MHD_run(daemon)
        let milliseconds = unsafe sm_mhd_timeout(daemon)
        return milliseconds < 0 ? nil : Clock.monotonic() + Int64(milliseconds) * 1_000_000
    }

    var visitCount: Int { context.visits.count }

    /// Whether a client is connected that has to have done something by some time.
    var hasDueVisits: Bool { context.visits.hasDue }

    /// Ends the connections of clients that take too long for what they do: a byte now and then keeps the library's own
    /// timeout away for ever.
    func endOverdue(now: Int64) {
        for visit in context.visits.takeOverdue(now: now) { visit.end() }
    }
}

// MARK: C's ways in: nonisolated functions on the thread that runs `serve`. Each recovers its context and calls on.

private func recovered(_ context: UnsafeMutableRawPointer?) -> MicrohttpdDaemon.Context? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<MicrohttpdDaemon.Context>.fromOpaque(context).takeUnretainedValue()
}

private func connectionChanged(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ held: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
    guard let context = unsafe recovered(context), let connection = unsafe connection, let held = unsafe held else {
        return
    }
    if change == sm_mhd_started {
        let visit = Visit(descriptor: unsafe Connection(connection).descriptor)
        context.visits.add(visit)
        context.expect(visit, in: context.limits.headSeconds)
        // `visits` keeps it alive until the connection has closed.
        unsafe held.pointee = Unmanaged.passUnretained(visit).toOpaque()
    } else if let visit = unsafe held.pointee {
        let identifier = unsafe ObjectIdentifier(Unmanaged<Visit>.fromOpaque(visit).takeUnretainedValue())
        unsafe held.pointee = nil
        context.visits.remove(identifier)
    }
}

/// The first thing known of a request. What is returned becomes the request's context; `requestCompleted` frees it.
private func targetArrived(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let context = unsafe recovered(context), let target = unsafe target else { return nil }
    let exchange = unsafe context.reception.begin(target: String(cString: target))
    unsafe sm_mhd_hide_query(target)
    return unsafe Unmanaged.passRetained(exchange).toOpaque()
}

private func requestCompleted(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ exchange: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _: MHD_RequestTerminationCode
) {
    guard let held = unsafe exchange?.pointee else { return }
    unsafe exchange?.pointee = nil
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(held).takeRetainedValue()
    guard let context = unsafe recovered(context) else { return }
    context.reception.end(exchange)
    guard let connection = unsafe connection else { return }
    unsafe context.expect(Connection(connection).visit, in: context.limits.headSeconds)
}

/// The library would decode the path as a whole; `RequestTarget` decodes it by segment.
private func leaveEscaped(
    _: UnsafeMutableRawPointer?, _: OpaquePointer?, _ text: UnsafeMutablePointer<CChar>?
) -> Int {
    guard let text = unsafe text else { return 0 }
    return unsafe String(cString: text).utf8.count
}

/// Called once with the head, then for each piece of the body, then once more without one; and again, where that has
/// suspended the connection.
private func requestArrived(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _: UnsafePointer<CChar>?,
    _ uploadCount: UnsafeMutablePointer<Int>?, _ exchange: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context = unsafe recovered(context), let handle = unsafe connection,
        let held = unsafe exchange?.pointee, let uploadCount = unsafe uploadCount
    else { return .NO }
    let connection = unsafe Connection(handle)
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(held).takeUnretainedValue()

    if case .arriving = exchange.phase {
        if let method = unsafe method { exchange.method = unsafe String(cString: method) }
        if let version = unsafe version { exchange.version = unsafe String(cString: version) }
        unsafe connection.eachHeader(headerArrived, held)
        context.expect(connection.visit, in: context.limits.bodySeconds)
        guard let refusal = context.reception.admit(exchange) else { return .YES }
        guard exchange.hasBody else {
            // An answer amid a request closes the connection.
            exchange.phase = .ready(.whole(refusal))
            return .YES
        }
        exchange.phase = .answered(.whole(refusal))
        return connection.send(refusal) ? .YES : .NO
    }
    let count = unsafe uploadCount.pointee
    guard count > 0 else { return answer(exchange, on: connection, context) }
    // No route reads a body. One that goes on beyond the limit without having said so: there is no answering amid it,
    // so hang up.
    exchange.bodyCount += count
    unsafe uploadCount.pointee = 0
    return exchange.bodyCount <= context.limits.bodyBytes ? .YES : .NO
}

private func answer(
    _ exchange: Exchange, on connection: Connection, _ context: MicrohttpdDaemon.Context
) -> MHD_Result {
    guard let answer = context.reception.answer(exchange, on: connection) else {
        context.visits.expect(connection.visit, by: nil)
        connection.suspend()
        return .YES
    }
    exchange.phase = .answered(answer)
    context.expect(connection.visit, in: context.limits.answerSeconds)
    switch answer {
    case .none: return .NO
    case .whole(let response): return connection.send(response) ? .YES : .NO
    case .stream(let response, let reader):
        if reader is EventReader {
            // It goes on for ever; who does not read is noticed by the library's timeout, and by the feed.
            context.visits.expect(connection.visit, by: nil)
            connection.visit?.limitUnsent(bytes: context.limits.unsentEventBytes)
        }
        let stream = unsafe Unmanaged.passRetained(Stream(reader, connection)).toOpaque()
        let isSent = unsafe connection.stream(
            response, isPlain: reader is EventReader, read: readBody, context: stream, free: freeBody)
        return isSent ? .YES : .NO
    }
}

private func headerArrived(
    _ exchange: UnsafeMutableRawPointer?, _: MHD_ValueKind, _ name: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> MHD_Result {
    guard let exchange = unsafe exchange, let name = unsafe name else { return .NO }
    let text = if let value = unsafe value { unsafe String(cString: value) } else { "" }
    unsafe Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue()
        .headers.append((String(cString: name).lowercased(), text))
    return .YES
}

/// The context of `readBody`.
private final class Stream {
    let reader: BodyReader
    let connection: Connection

    init(_ reader: BodyReader, _ connection: Connection) {
        self.reader = reader
        self.connection = connection
    }
}

private func readBody(
    _ stream: UnsafeMutableRawPointer?, _: UInt64, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int
) -> Int {
    guard let stream = unsafe stream, let bytes = unsafe bytes else { return sm_mhd_body_broken }
    let held = unsafe Unmanaged<Stream>.fromOpaque(stream).takeUnretainedValue()
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: count)
    switch unsafe held.reader.next(into: buffer, for: held.connection) {
    case .bytes(let count): return count
    case .wait: return 0
    case .end: return sm_mhd_body_end
    case .broken: return sm_mhd_body_broken
    }
}

private func freeBody(_ stream: UnsafeMutableRawPointer?) {
    guard let stream = unsafe stream else { return }
    unsafe Unmanaged<Stream>.fromOpaque(stream).release()
}
