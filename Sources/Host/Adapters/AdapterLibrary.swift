import AdapterABI
import Configuration
import Glibc
import Synchronization

/// An adapter of a library that this process has loaded. The library stays mapped for as long as the process lives: a
/// Swift library must never be unloaded, and nothing else gains from it.
struct HostedAdapter: Sendable {
    let description: AdapterDescription
    /// Where the library keeps the descriptor: what `create` gets.
    let descriptorAddress: UInt
    /// Where a copy of it lies, made when it was checked: what an adapter changes afterwards is of no effect.
    private let copyAddress: UInt
    /// Shared by the adapters of one library.
    let gate: CreateGate

    init(_ description: AdapterDescription, _ descriptor: UnsafePointer<meter_descriptor>, _ gate: CreateGate) {
        self.description = description
        self.gate = gate
        descriptorAddress = UInt(bitPattern: descriptor)
        let copy = UnsafeMutablePointer<meter_descriptor>.allocate(capacity: 1)
        unsafe copy.initialize(to: descriptor.pointee)
        copyAddress = UInt(bitPattern: copy)
    }

    var descriptor: UnsafePointer<meter_descriptor>? { unsafe UnsafePointer(bitPattern: descriptorAddress) }
    var functions: UnsafePointer<meter_descriptor>? { unsafe UnsafePointer(bitPattern: copyAddress) }
}

/// Loads one library into this process and checks everything that it says.
enum AdapterLibrary {
    static let mostDescriptors: UInt32 = 64
    /// By path: a library is entered once, and its creates wait for each other, however often it is looked at.
    private static let loaded = Mutex<[String: [HostedAdapter]]>([:])

    /// The adapters of a staged library. Runs its constructors: it may never return.
    /// - Parameter needed: what it needs of other libraries, to be loaded before it, by path.
    static func load(_ path: String, needed: [String]) throws(LibraryObjection) -> [HostedAdapter] {
        if let adapters = loaded.withLock({ $0[path] }) { return adapters }
        let adapters = try enter(path, needed: needed)
        loaded.withLock { $0[path] = adapters }
        return adapters
    }

    private static func enter(_ path: String, needed: [String]) throws(LibraryObjection) -> [HostedAdapter] {
        for path in needed { _ = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) }
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let words = loaderError
            throw LibraryObjection(
                reason: "it does not load: \(words)", shortage: HostShortage(loaderWords: words))
        }
        guard let symbol = unsafe dlsym(handle, "meter_adapter_entry") else {
            throw LibraryObjection(
                reason: "it does not export meter_adapter_entry: not an adapter, or built without METER_EXPORT")
        }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<meter_library>?
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        guard let library = unsafe entry(METER_ABI_MAJOR << 16 | METER_ABI_MINOR) else {
            throw LibraryObjection(
                reason: "it does not serve a host of ABI \(METER_ABI_MAJOR).\(METER_ABI_MINOR)", rule: .version)
        }
        try unsafe check("library", UnsafeRawPointer(library))
        let head = unsafe library.pointee
        guard unsafe Int(head.struct_size) >= MemoryLayout<meter_library>.size,
            unsafe (1...mostDescriptors).contains(head.descriptor_count), let table = unsafe head.descriptors
        else { throw LibraryObjection(reason: "its meter_library makes no sense", rule: .library) }
        let gate = CreateGate()
        var adapters: [HostedAdapter] = []
        for index in unsafe 0..<Int(head.descriptor_count) {
            adapters.append(try unsafe describe(table[index], gate))
        }
        if let reason = objection(toAll: adapters.map(\.description)) {
            throw LibraryObjection(reason: reason, rule: .library)
        }
        return adapters
    }

    /// What cannot be in one library.
    static func objection(toAll descriptions: [AdapterDescription]) -> String? {
        guard !descriptions.isEmpty, descriptions.count <= mostDescriptors else {
            return "its meter_library makes no sense"
        }
        var types: Set<String> = []
        let double = descriptions.first { !types.insert($0.meterType).inserted }
        return double.map { "it has the type \($0.meterType) twice" }
    }

    /// The first 16 bytes, which are the same in every version: nothing else is looked at before.
    private static func check(_ what: String, _ start: UnsafeRawPointer) throws(LibraryObjection) {
        guard UInt(bitPattern: start) % 8 == 0 else {
            throw LibraryObjection(reason: "its \(what) is not aligned to 8 bytes", rule: .version)
        }
        let magic = unsafe start.load(as: UInt32.self)
        let major = unsafe start.load(fromByteOffset: 4, as: UInt32.self)
        let minor = unsafe start.load(fromByteOffset: 8, as: UInt32.self)
        guard magic == METER_MAGIC else {
            throw LibraryObjection(reason: "its \(what) does not begin with METER_MAGIC", rule: .version)
        }
        // While the major is 0 nothing is compatible but the same minor.
        guard major == METER_ABI_MAJOR, METER_ABI_MAJOR > 0 || minor == METER_ABI_MINOR else {
            throw LibraryObjection(
                reason: "it was built for ABI \(major).\(minor), this host has \(METER_ABI_MAJOR).\(METER_ABI_MINOR)",
                rule: .version)
        }
    }

    private static func describe(
        _ pointer: UnsafePointer<meter_descriptor>?, _ gate: CreateGate
    ) throws(LibraryObjection) -> HostedAdapter {
        guard let pointer = unsafe pointer else {
            throw LibraryObjection(reason: "a descriptor is NULL", rule: .library)
        }
        try unsafe check("descriptor", UnsafeRawPointer(pointer))
        let size = unsafe UnsafeRawPointer(pointer).load(fromByteOffset: 12, as: UInt32.self)
        guard unsafe Int(size) >= MemoryLayout<meter_descriptor>.size else {
            throw LibraryObjection(reason: "its descriptor is too short (struct_size \(size))", rule: .library)
        }
        let head = unsafe pointer.pointee
        let isPush = unsafe head.delivery == METER_DELIVERY_PUSH
        guard unsafe isPush || head.delivery == METER_DELIVERY_PULL,
            unsafe head.create != nil && head.start != nil && head.stop != nil && head.destroy != nil,
            unsafe isPush == (head.read == nil)
        else {
            throw LibraryObjection(
                reason: "its descriptor lacks a function, or its delivery is unknown", rule: .functions)
        }
        let description = unsafe AdapterDescription(
            meterType: try text(head.meter_type, "meter_type"), name: try text(head.name, "name"),
            vendor: try text(head.vendor, "vendor"), version: try text(head.version, "version"),
            url: try text(head.url, "url"), summary: try text(head.description, "description"),
            delivery: isPush ? .push : .pull, requestsPerDay: Int(head.requests_per_day),
            defaultSampling: head.default_sampling_ns, minimumSampling: head.minimum_sampling_ns,
            late: head.late_ns == 0 ? 60_000_000_000 : head.late_ns, historyStep: head.history_step_ns,
            historyReach: head.history_reach_ns, canLogIn: hasExtension(METER_LOGIN, head),
            settings: try settings(head))
        if let objection = description.objection { throw objection }
        return unsafe HostedAdapter(description, pointer, gate)
    }

    private static func text(_ text: meter_text, _ what: String) throws(LibraryObjection) -> String {
        guard let string = unsafe ForeignText.line(text, limit: AdapterDescription.longestLine) else {
            throw LibraryObjection(
                reason: "the \(what) of its descriptor is not a line of UTF-8 of at most 1 KB", rule: .texts)
        }
        return string
    }

    /// Legal on any thread, and before there is an instance.
    private static func hasExtension(_ id: String, _ head: meter_descriptor) -> Bool {
        let bytes = id.utf8.map { CChar(bitPattern: $0) }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe head.extension?(
                meter_text(data: bytes.baseAddress, length: UInt32(bytes.count), reserved: 0)) != nil
        }
    }

    private static func settings(_ head: meter_descriptor) throws(LibraryObjection) -> [SettingDeclaration] {
        guard unsafe head.setting_count > 0 else { return [] }
        let stride = unsafe Int(head.setting_stride)
        guard let table = unsafe head.settings, unsafe head.setting_count <= AdapterDescription.mostSettings,
            unsafe stride >= MemoryLayout<meter_setting>.size, stride % 8 == 0, stride <= 4096
        else { throw LibraryObjection(reason: "its table of settings makes no sense", rule: .settings) }
        let longest = AdapterDescription.longestValue
        return try unsafe (0..<Int(head.setting_count)).map { index throws(LibraryObjection) in
            let setting = unsafe UnsafeRawPointer(table).loadUnaligned(
                fromByteOffset: index * stride, as: meter_setting.self)
            guard let name = unsafe ForeignText.string(setting.name, limit: longest),
                let help = unsafe ForeignText.string(setting.help, limit: longest),
                let value = unsafe ForeignText.string(setting.default_value, limit: longest),
                let choices = unsafe ForeignText.string(setting.choices, limit: longest),
                let kind = unsafe SettingKind(foreign: setting.kind, choices: choices)
            else {
                throw LibraryObjection(
                    reason: "setting \(index + 1) of its descriptor makes no sense", rule: .settings)
            }
            return unsafe SettingDeclaration(
                name: name, kind: kind, default: value.isEmpty ? nil : value, required: setting.required != 0,
                help: help)
        }
    }

    /// What the loader says, in one line.
    private static var loaderError: String {
        guard let text = unsafe dlerror() else { return "unknown" }
        return unsafe String(cString: text).split(separator: "\n").joined(separator: " ")
    }
}

extension SettingKind {
    /// From METER_SETTING_... and the words of a choice.
    init?(foreign raw: UInt32, choices: String) {
        switch raw {
        case METER_SETTING_TEXT: self = .text
        case METER_SETTING_NUMBER: self = .anyNumber
        case METER_SETTING_FLAG: self = .flag
        case METER_SETTING_URL: self = .adapterURL
        case METER_SETTING_SECRET: self = .secret
        case METER_SETTING_FILE: self = .file
        case METER_SETTING_LIST: self = .list
        case METER_SETTING_CHOICE where !choices.isEmpty:
            self = .choice(choices.split(separator: ",").map(String.init))
        default: return nil
        }
    }

    /// METER_SETTING_... and the words of a choice.
    var foreign: (raw: UInt32, choices: String) {
        switch self {
        case .number, .integer, .interval: (METER_SETTING_NUMBER, "")
        case .flag: (METER_SETTING_FLAG, "")
        case .url: (METER_SETTING_URL, "")
        case .secret: (METER_SETTING_SECRET, "")
        case .file: (METER_SETTING_FILE, "")
        case .list: (METER_SETTING_LIST, "")
        case .choice(let words): (METER_SETTING_CHOICE, words.joined(separator: ","))
        case .text: (METER_SETTING_TEXT, "")
        }
    }
}
