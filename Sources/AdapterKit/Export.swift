public import AdapterABI
import Synchronization

/// The library's adapters as the interface wants them: the body of `meter_adapter_entry`. Answers NULL for a host that
/// these adapters cannot serve.
public func exportAdapters(_ hostABI: UInt32, _ adapters: any MeterAdapter.Type...) -> UnsafePointer<meter_library>? {
    guard meter_serves(hostABI) != 0 else { return nil }
    return unsafe Exported.shared.library(of: adapters)
}

/// What is exported; made once and never freed, as the interface demands.
private final class Exported: Sendable {
    static let shared = Exported()

    private struct State {
        /// Addresses of libraries, by the types that are in them.
        var libraries: [[ObjectIdentifier]: UInt] = [:]
        /// By the addresses of their descriptors.
        var types: [UInt: any MeterAdapter.Type] = [:]
    }
    private let state = Mutex(State())

    func library(of adapters: [any MeterAdapter.Type]) -> UnsafePointer<meter_library>? {
        let key = adapters.map { ObjectIdentifier($0) }
        let address = state.withLock { state in
            if let library = state.libraries[key] { return library }
            let descriptors = adapters.map { unsafe UInt(bitPattern: makeDescriptor($0.descriptor, $0)) }
            for (address, type) in zip(descriptors, adapters) { state.types[address] = type }
            let library = unsafe UInt(bitPattern: makeLibrary(descriptors))
            state.libraries[key] = library
            return library
        }
        return unsafe UnsafePointer(bitPattern: address)
    }

    /// The type behind a descriptor.
    func type(of descriptor: UnsafePointer<meter_descriptor>?) -> (any MeterAdapter.Type)? {
        let address = UInt(bitPattern: descriptor)
        return state.withLock { $0.types[address] }
    }

    private func makeLibrary(_ descriptors: [UInt]) -> UnsafePointer<meter_library> {
        let table = UnsafeMutablePointer<UnsafePointer<meter_descriptor>?>.allocate(capacity: descriptors.count)
        for (index, address) in descriptors.enumerated() {
            unsafe (table + index).initialize(to: UnsafePointer(bitPattern: address))
        }
        let library = UnsafeMutablePointer<meter_library>.allocate(capacity: 1)
        unsafe library.initialize(
            to: meter_library(
                magic: METER_MAGIC, abi_major: METER_ABI_MAJOR, abi_minor: METER_ABI_MINOR,
                struct_size: UInt32(MemoryLayout<meter_library>.size), descriptors: UnsafePointer(table),
                descriptor_count: UInt32(descriptors.count), reserved: 0))
        return unsafe UnsafePointer(library)
    }

    private func makeDescriptor(
        _ descriptor: AdapterDescriptor, _ type: any MeterAdapter.Type
    ) -> UnsafePointer<meter_descriptor> {
        let settings = UnsafeMutablePointer<meter_setting>.allocate(capacity: max(1, descriptor.settings.count))
        for (index, setting) in descriptor.settings.enumerated() {
            unsafe (settings + index).initialize(
                to: meter_setting(
                    name: forever(setting.name), help: forever(setting.help),
                    default_value: forever(setting.defaultValue),
                    choices: forever(setting.choices.joined(separator: ",")), kind: setting.kind.rawValue,
                    required: setting.isRequired ? 1 : 0))
        }
        let target = UnsafeMutablePointer<meter_descriptor>.allocate(capacity: 1)
        unsafe target.initialize(
            to: meter_descriptor(
                magic: METER_MAGIC, abi_major: METER_ABI_MAJOR, abi_minor: METER_ABI_MINOR,
                struct_size: UInt32(MemoryLayout<meter_descriptor>.size), meter_type: forever(descriptor.meterType),
                name: forever(descriptor.name), vendor: forever(descriptor.vendor),
                version: forever(descriptor.version), url: forever(descriptor.url),
                description: forever(descriptor.summary), delivery: descriptor.delivery.rawValue,
                requests_per_day: descriptor.requestsPerDay,
                default_sampling_ns: Nanoseconds.of(seconds: descriptor.samplingSeconds),
                minimum_sampling_ns: Nanoseconds.of(seconds: descriptor.minimumSamplingSeconds),
                late_ns: Nanoseconds.of(seconds: descriptor.lateSeconds),
                history_step_ns: Nanoseconds.of(seconds: descriptor.historyStepSeconds),
                history_reach_ns: Nanoseconds.of(seconds: descriptor.historyReachSeconds),
                settings: UnsafePointer(settings), setting_count: UInt32(descriptor.settings.count),
                setting_stride: UInt32(MemoryLayout<meter_setting>.stride), create: createInstance,
                start: startInstance, read: descriptor.delivery == .pull ? readInstance : nil, stop: stopInstance,
                destroy: destroyInstance,
                extension: extensions(of: type)))
        return unsafe UnsafePointer(target)
    }

    private func extensions(
        of type: any MeterAdapter.Type
    ) -> (@convention(c) (meter_text) -> UnsafeRawPointer?)? {
        switch (type is any HistoryProviding.Type, type is any LoginProviding.Type) {
        case (true, true): unsafe historyAndLogin
        case (true, false): unsafe historyOnly
        case (false, true): unsafe loginOnly
        case (false, false): nil
        }
    }

    private func forever(_ string: String) -> meter_text {
        let bytes = Array(string.utf8)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, bytes.count))
        for (index, byte) in bytes.enumerated() { unsafe (copy + index).initialize(to: CChar(bitPattern: byte)) }
        return unsafe meter_text(data: UnsafePointer(copy), length: UInt32(bytes.count), reserved: 0)
    }
}

/// An instance as the host holds it.
private final class Instance {
    let adapter: any MeterAdapter
    let host: AdapterHost

    init(adapter: any MeterAdapter, host: AdapterHost) {
        self.adapter = adapter
        self.host = host
    }

    /// The instance behind the host's pointer; alive from create to destroy.
    static func at(_ pointer: OpaquePointer?) -> Instance? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe Unmanaged<Instance>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }
}

// MARK: C's way in: nonisolated functions that recover the instance and call one method

private func createInstance(
    _ descriptor: UnsafePointer<meter_descriptor>?, _ host: UnsafePointer<meter_host>?,
    _ instance: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let type = unsafe Exported.shared.type(of: descriptor), let host = unsafe host, let instance = unsafe instance
    else { return unsafe AdapterError(.invalid, "create was called with NULL").store(in: error) }
    let adapterHost = unsafe AdapterHost(host)
    do throws(AdapterError) {
        let made = Instance(adapter: try type.init(host: adapterHost), host: adapterHost)
        unsafe instance.pointee = OpaquePointer(Unmanaged.passRetained(made).toOpaque())
        return METER_OK
    } catch let failure {
        return unsafe failure.store(in: error)
    }
}

private func startInstance(_ instance: OpaquePointer?, _ error: UnsafeMutablePointer<meter_error>?) -> Int32 {
    guard let adapter = unsafe Instance.at(instance)?.adapter else { return METER_INVALID }
    do throws(AdapterError) {
        try adapter.start()
        return METER_OK
    } catch let failure {
        return unsafe failure.store(in: error)
    }
}

private func readInstance(
    _ instance: OpaquePointer?, _ deadline: Int64, _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let instance = unsafe Instance.at(instance) else { return METER_INVALID }
    do throws(AdapterError) {
        let reading = try instance.adapter.read(deadline: Deadline(monotonic: deadline))
        switch instance.host.emit(reading) {
        case .queued, .closed: return METER_OK
        case .busy: throw AdapterError(.failed, "the host's queue is full")
        case .invalid: throw AdapterError(.badData, "the host refused the reading; its log says why")
        }
    } catch let failure {
        return unsafe failure.store(in: error)
    }
}

private func stopInstance(_ instance: OpaquePointer?) {
    unsafe Instance.at(instance)?.adapter.stop()
}

private func destroyInstance(_ instance: OpaquePointer?) {
    guard let instance = unsafe instance else { return }
    unsafe Unmanaged<Instance>.fromOpaque(UnsafeRawPointer(instance)).release()
}

private func historyAndLogin(_ id: meter_text) -> UnsafeRawPointer? {
    unsafe historyOnly(id) ?? loginOnly(id)
}

private func historyOnly(_ id: meter_text) -> UnsafeRawPointer? {
    unsafe String(id) == METER_HISTORY ? UnsafeRawPointer(bitPattern: ExtensionTables.history) : nil
}

private func loginOnly(_ id: meter_text) -> UnsafeRawPointer? {
    unsafe String(id) == METER_LOGIN ? UnsafeRawPointer(bitPattern: ExtensionTables.login) : nil
}

/// The adapter extensions' tables, by address; made once and never freed.
private enum ExtensionTables {
    static let history: UInt = {
        let table = UnsafeMutablePointer<meter_history>.allocate(capacity: 1)
        unsafe table.initialize(to: meter_history(history: readHistory))
        return UInt(bitPattern: table)
    }()

    static let login: UInt = {
        let table = UnsafeMutablePointer<meter_login>.allocate(capacity: 1)
        unsafe table.initialize(to: meter_login(login: runLogin))
        return UInt(bitPattern: table)
    }()
}

private func readHistory(
    _ instance: OpaquePointer?, _ request: UnsafePointer<meter_history_request>?,
    _ sink: UnsafePointer<meter_history_sink>?, _ result: UnsafeMutablePointer<meter_history_result>?,
    _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let adapter = unsafe Instance.at(instance)?.adapter as? any HistoryProviding, let request = unsafe request,
        let sink = unsafe sink, let result = unsafe result, let put = unsafe sink.pointee.put
    else { return METER_INVALID }
    let asked = unsafe HistoryRequest(
        from: request.pointee.from_ns, to: request.pointee.to_ns, step: request.pointee.step_ns,
        maximumRecords: Int(request.pointee.max_records), deadline: Deadline(monotonic: request.pointee.deadline_ns))
    do throws(AdapterError) {
        let outcome = try adapter.history(asked) { reading in
            unsafe reading.withABI { record in unsafe put(sink.pointee.context, record) == METER_SINK_CONTINUE }
        }
        unsafe outcome.store(in: result, asked)
        return METER_OK
    } catch let failure {
        return unsafe failure.store(in: error)
    }
}

extension HistoryOutcome {
    fileprivate func store(in result: UnsafeMutablePointer<meter_history_result>, _ asked: HistoryRequest) {
        var covered = asked.to
        switch self {
        case .complete:
            unsafe result.pointee.outcome = METER_HISTORY_COMPLETE
        case .more(let coveredTo):
            unsafe result.pointee.outcome = METER_HISTORY_MORE
            covered = coveredTo
        case .notYet(let coveredTo, let seconds):
            unsafe result.pointee.outcome = METER_HISTORY_NOT_YET
            unsafe result.pointee.retry_after_ns = Nanoseconds.of(seconds: seconds)
            covered = coveredTo
        case .noneBefore(let instant):
            unsafe result.pointee.outcome = METER_HISTORY_NONE_BEFORE
            unsafe result.pointee.none_before_ns = instant
            covered = instant
        }
        unsafe result.pointee.covered_to_ns = max(asked.from, min(asked.to, covered))
    }
}

private func runLogin(
    _ instance: OpaquePointer?, _ prompter: UnsafePointer<meter_login_prompter>?,
    _ result: UnsafeMutablePointer<meter_login_result>?, _ error: UnsafeMutablePointer<meter_error>?
) -> Int32 {
    guard let adapter = unsafe Instance.at(instance)?.adapter as? any LoginProviding, let prompter = unsafe prompter,
        let result = unsafe result
    else { return METER_INVALID }
    do throws(AdapterError) {
        let bytes = try adapter.login(unsafe LoginPrompter(prompter)).utf8Prefix(1016)
        unsafe result.pointee.text_length = UInt32(bytes.count)
        unsafe withUnsafeMutableBytes(of: &result.pointee.text) { buffer in unsafe buffer.copyBytes(from: bytes) }
        return METER_OK
    } catch let failure {
        return unsafe failure.store(in: error)
    }
}
