import AdapterABI
import Foundation
import Observability
import Platform
import Readings
import TestSupport

@testable import Adapters

/// The host's C table of one instance, as an adapter holds it.
struct ServiceRig {
    let services: InstanceServices
    let context: HostContext
    let memory = AdapterRig.Memory()
    let log: TemporaryDirectory
    private let logFile: FileHandle
    private let hostAddress: UInt

    init(
        settings: [String: String] = [:], declared: [String] = [], state: [String: [UInt8]] = [:],
        requestsPerDay: Int? = nil
    ) throws {
        log = try TemporaryDirectory("services")
        try log.write("log", "")
        logFile = try FileHandle(forWritingTo: log.file("log"))
        let port = EmissionPort(
            instance: 1, circuits: [], maximumPowerW: 100_000, board: LiveBoard(), lane: nil, complain: { _ in })
        services = try InstanceServices(
            instance: InstanceIdentity(meterType: "test"), port: port, state: state, requestsPerDay: requestsPerDay,
            sampling: Duration.minute, isPush: false, memory: memory, log: Log(descriptor: logFile.fileDescriptor))
        context = HostContext(
            instance: "test", settings: settings, declared: declared, gate: services.gate, services: services)
        hostAddress = unsafe UInt(bitPattern: context.makeHost())
    }

    /// A pointer that is NULL only if the host has broken its word.
    private var host: meter_host {
        unsafe UnsafePointer<meter_host>(bitPattern: hostAddress)?.pointee ?? meter_host()
    }

    var logText: String { (try? String(contentsOf: log.file("log"), encoding: .utf8)) ?? "" }

    func emit() -> Int32 {
        var reading = unsafe meter_reading_make()
        unsafe meter_set_grid_power_w(&reading, 5)
        return unsafe host.emit(host.context, &reading)
    }

    func spend(_ requests: UInt32 = 1) -> Int32 { unsafe host.spend(host.context, requests) }
    var isCancelled: Bool { unsafe host.cancelled(host.context) == 1 }
    var cancelDescriptor: Int32 { unsafe host.cancel_fd(host.context) }

    func condition(_ code: Int32, _ message: String) {
        unsafe withText(message) { text in unsafe host.condition(host.context, code, 0, text) }
    }

    func log(_ message: String) {
        unsafe withText(message) { text in unsafe host.log(host.context, METER_LOG_INFO, text) }
    }

    /// The code, and the value with `METER_OK`.
    func setting(_ name: String) -> (code: Int32, value: String?) {
        unsafe withText(name) { name in
            var value = unsafe meter_text()
            let code = unsafe host.setting(host.context, name, &value)
            return (code, code == METER_OK ? unsafe ForeignText.string(value, limit: 4096) : nil)
        }
    }

    /// The code, the size needed, and as much as was copied into `capacity` bytes.
    func state(_ key: String, capacity: Int = 64) -> (code: Int32, needed: UInt32, bytes: [UInt8]) {
        guard let table = stateTable else { return (METER_UNSUPPORTED, 0, []) }
        var buffer = [UInt8](repeating: 0, count: capacity)
        var needed: UInt32 = 0
        let code = unsafe withText(key) { key in
            unsafe table.get(host.context, key, &buffer, UInt32(capacity), &needed)
        }
        return (code, needed, code == METER_OK ? Array(buffer.prefix(Int(needed))) : [])
    }

    func setState(_ key: String, _ value: [UInt8]) -> Int32 {
        guard let table = stateTable else { return METER_UNSUPPORTED }
        return unsafe withText(key) { key in
            unsafe table.set(host.context, key, value, UInt32(value.count), nil)
        }
    }

    struct Answer {
        var code: Int32
        var message = ""
        var status: Int32 = 0
        var retryAfter: Int64 = 0
        var contentType = ""
        var body = ""
    }

    /// - Parameters:
    ///   - takesBody: else `on_body` ends the request.
    ///   - deadline: monotonic ns; 0 = that of the running call.
    ///   - limit: bytes; 0 = the host's.
    func fetch(_ url: String, takesBody: Bool = true, deadline: Int64 = 0, limit: UInt64 = 0) -> Answer {
        unsafe fetch(url, takesBody: takesBody) { request in
            unsafe request.deadline_ns = deadline
            unsafe request.max_body_bytes = limit
        }
    }

    /// - Parameter change: of a GET of `url`.
    func fetch(_ url: String, takesBody: Bool = true, _ change: (inout meter_http_request) -> Void) -> Answer {
        guard let table = httpTable else { return Answer(code: METER_UNSUPPORTED) }
        let sink = Sink(takesBody: takesBody)
        var request = unsafe meter_http_request()
        unsafe request.struct_size = UInt32(MemoryLayout<meter_http_request>.size)
        unsafe request.body_context = Unmanaged.passUnretained(sink).toOpaque()
        unsafe request.on_body = takeBody
        var response = meter_http_response()
        response.struct_size = UInt32(MemoryLayout<meter_http_response>.size)
        var error = meter_error()
        error.struct_size = UInt32(MemoryLayout<meter_error>.size)
        let code = unsafe withText(url) { url in
            unsafe request.url = url
            unsafe change(&request)
            return unsafe table.perform(host.context, &request, &response, &error)
        }
        let type = unsafe withUnsafeBytes(of: response.content_type) { bytes in
            unsafe String(decoding: bytes.prefix(Int(response.content_type_length)), as: UTF8.self)
        }
        return Answer(
            code: code, message: code == METER_OK ? "" : ForeignText.message(error), status: response.status,
            retryAfter: response.retry_after_ns, contentType: type, body: String(decoding: sink.body, as: UTF8.self))
    }

    private var stateTable: meter_host_state? { table(METER_HOST_STATE, as: meter_host_state.self) }
    private var httpTable: meter_host_http? { table(METER_HOST_HTTP, as: meter_host_http.self) }

    func hasExtension(_ id: String) -> Bool {
        unsafe withText(id) { id in unsafe host.extension(host.context, id) != nil }
    }

    private func table<Table>(_ id: String, as type: Table.Type) -> Table? {
        unsafe withText(id) { id in unsafe host.extension(host.context, id)?.load(as: Table.self) }
    }

    /// What an adapter does with NULL for everything that is a pointer; the codes of what answers one.
    func callWithNothing() -> [Int32] {
        let host = unsafe host
        let nothing = unsafe meter_text(data: nil, length: 12, reserved: 0)
        unsafe host.log(nil, METER_LOG_ERROR, nothing)
        unsafe host.log(host.context, METER_LOG_ERROR, nothing)
        unsafe host.condition(nil, METER_FAILED, 0, nothing)
        let http = httpTable
        let state = stateTable
        return unsafe [
            host.setting(nil, nothing, nil), host.setting(host.context, nothing, nil), host.emit(nil, nil),
            host.emit(host.context, nil), host.cancelled(nil), host.cancel_fd(nil), host.spend(nil, 1),
            http?.perform(nil, nil, nil, nil) ?? 0, http?.perform(host.context, nil, nil, nil) ?? 0,
            state?.get(nil, nothing, nil, 0, nil) ?? 0, state?.get(host.context, nothing, nil, 0, nil) ?? 0,
            state?.set(nil, nothing, nil, 0, nil) ?? 0, state?.set(host.context, nothing, nil, 5, nil) ?? 0,
        ]
    }
}

private final class Sink {
    var body: [UInt8] = []
    let takesBody: Bool
    init(takesBody: Bool) { self.takesBody = takesBody }
}

private func takeBody(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let context = unsafe context else { return 1 }
    let sink = unsafe Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
    unsafe sink.body += UnsafeBufferPointer(start: bytes, count: count)
    return sink.takesBody ? 0 : 1
}

private func withText<Result>(_ string: String, _ body: (meter_text) -> Result) -> Result {
    let bytes = string.utf8.map { CChar(bitPattern: $0) }
    return unsafe bytes.withUnsafeBufferPointer { buffer in
        unsafe body(meter_text(data: buffer.baseAddress, length: UInt32(buffer.count), reserved: 0))
    }
}
