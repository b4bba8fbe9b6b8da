import AdapterABI
import Configuration
import Glibc

/// An adapter of a loaded library. The library stays mapped for as long as the process lives: a Swift library must
/// never be unloaded, and nothing else gains from it.
package struct LoadedAdapter: Sendable {
    package let path: String
    package let description: AdapterDescription
    /// Where the library keeps the descriptor: constant for as long as it is loaded.
    let descriptorAddress: UInt
    /// Shared by the adapters of one library.
    let gate: CreateGate

    var descriptor: UnsafePointer<meter_descriptor>? { unsafe UnsafePointer(bitPattern: descriptorAddress) }
}

/// Loads one library and checks everything that it says.
enum AdapterLibrary {
    private static let mostDescriptors: UInt32 = 64
    private static let mostSettings: UInt32 = 256

    /// The adapters of a file. It must have passed `ELFCheck`.
    static func load(_ path: String) throws(AdapterRefusal) -> [LoadedAdapter] {
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw AdapterRefusal(path: path, reason: "it does not load: \(loaderError)")
        }
        guard let symbol = unsafe dlsym(handle, "meter_adapter_entry") else {
            throw AdapterRefusal(
                path: path,
                reason: "it does not export meter_adapter_entry: not an adapter, or built without METER_EXPORT")
        }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<meter_library>?
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        guard let library = unsafe entry(METER_ABI_MAJOR << 16 | METER_ABI_MINOR) else {
            throw AdapterRefusal(
                path: path, reason: "it does not serve a host of ABI \(METER_ABI_MAJOR).\(METER_ABI_MINOR)")
        }
        try unsafe check("library", path, UnsafeRawPointer(library))
        let head = unsafe library.pointee
        guard unsafe Int(head.struct_size) >= MemoryLayout<meter_library>.size,
            unsafe (1...mostDescriptors).contains(head.descriptor_count), let table = unsafe head.descriptors
        else { throw AdapterRefusal(path: path, reason: "its meter_library makes no sense") }
        let gate = CreateGate()
        var adapters: [LoadedAdapter] = []
        for index in unsafe 0..<Int(head.descriptor_count) {
            let adapter = try unsafe describe(table[index], path, gate)
            guard !adapters.contains(where: { $0.description.meterType == adapter.description.meterType }) else {
                throw AdapterRefusal(path: path, reason: "it has the type \(adapter.description.meterType) twice")
            }
            adapters.append(adapter)
        }
        return adapters
    }

    /// The first 16 bytes, which are the same in every version: nothing else is looked at before.
    private static func check(_ what: String, _ path: String, _ start: UnsafeRawPointer) throws(AdapterRefusal) {
        guard UInt(bitPattern: start) % 8 == 0 else {
            throw AdapterRefusal(path: path, reason: "its \(what) is not aligned to 8 bytes")
        }
        let magic = unsafe start.load(as: UInt32.self)
        let major = unsafe start.load(fromByteOffset: 4, as: UInt32.self)
        let minor = unsafe start.load(fromByteOffset: 8, as: UInt32.self)
        guard magic == METER_MAGIC else {
            throw AdapterRefusal(path: path, reason: "its \(what) does not begin with METER_MAGIC")
        }
        // While the major is 0 nothing is compatible but the same minor.
        guard major == METER_ABI_MAJOR, METER_ABI_MAJOR > 0 || minor == METER_ABI_MINOR else {
            throw AdapterRefusal(
                path: path,
                reason: "it was built for ABI \(major).\(minor), this host has \(METER_ABI_MAJOR).\(METER_ABI_MINOR)")
        }
    }

    private static func describe(
        _ pointer: UnsafePointer<meter_descriptor>?, _ path: String, _ gate: CreateGate
    ) throws(AdapterRefusal) -> LoadedAdapter {
        guard let pointer = unsafe pointer else { throw AdapterRefusal(path: path, reason: "a descriptor is NULL") }
        try unsafe check("descriptor", path, UnsafeRawPointer(pointer))
        let size = unsafe UnsafeRawPointer(pointer).load(fromByteOffset: 12, as: UInt32.self)
        guard unsafe Int(size) >= MemoryLayout<meter_descriptor>.size else {
            throw AdapterRefusal(path: path, reason: "its descriptor is too short (struct_size \(size))")
        }
        let head = unsafe pointer.pointee
        func text(_ text: meter_text, _ what: String) throws(AdapterRefusal) -> String {
            guard let string = unsafe ForeignText.line(text, limit: 1024) else {
                throw AdapterRefusal(
                    path: path, reason: "the \(what) of its descriptor is not a line of UTF-8 of at most 1 KB")
            }
            return string
        }
        let type = try unsafe text(head.meter_type, "meter_type")
        guard type.utf8.count <= 32, MeterTypeRule.objection(to: type, known: []) == nil else {
            throw AdapterRefusal(
                path: path,
                reason: MeterTypeRule.objection(to: type, known: []) ?? "its meter_type is longer than 32 bytes")
        }
        let name = try unsafe text(head.name, "name")
        let version = try unsafe text(head.version, "version")
        guard !name.isEmpty, !version.isEmpty else {
            throw AdapterRefusal(path: path, reason: "its descriptor lacks a name or a version")
        }
        let isPush = unsafe head.delivery == METER_DELIVERY_PUSH
        guard unsafe isPush || head.delivery == METER_DELIVERY_PULL,
            unsafe head.create != nil && head.start != nil && head.stop != nil && head.destroy != nil,
            unsafe isPush == (head.read == nil)
        else { throw AdapterRefusal(path: path, reason: "its descriptor lacks a function, or its delivery is unknown") }
        let year: Int64 = 366 * 86_400_000_000_000
        let times = unsafe [
            head.default_sampling_ns, head.minimum_sampling_ns, head.late_ns, head.history_step_ns,
            head.history_reach_ns,
        ]
        guard times.allSatisfy({ $0 >= 0 && $0 <= 100 * year }), unsafe head.minimum_sampling_ns > 0 || isPush else {
            throw AdapterRefusal(path: path, reason: "a duration of its descriptor makes no sense")
        }
        let description = unsafe AdapterDescription(
            meterType: type, name: name, vendor: try text(head.vendor, "vendor"), version: version,
            url: try text(head.url, "url"), summary: try text(head.description, "description"),
            delivery: isPush ? .push : .pull, requestsPerDay: Int(head.requests_per_day),
            defaultSampling: head.default_sampling_ns, minimumSampling: head.minimum_sampling_ns,
            late: head.late_ns == 0 ? 60_000_000_000 : head.late_ns, settings: try settings(head, path))
        return LoadedAdapter(
            path: path, description: description, descriptorAddress: UInt(bitPattern: pointer), gate: gate)
    }

    private static func settings(_ head: meter_descriptor, _ path: String) throws(AdapterRefusal)
        -> [SettingDeclaration]
    {
        guard unsafe head.setting_count > 0 else { return [] }
        let stride = unsafe Int(head.setting_stride)
        guard let table = unsafe head.settings, unsafe head.setting_count <= mostSettings,
            unsafe stride >= MemoryLayout<meter_setting>.size, stride % 8 == 0, stride <= 4096
        else { throw AdapterRefusal(path: path, reason: "its table of settings makes no sense") }
        var declarations: [SettingDeclaration] = []
        for index in unsafe 0..<Int(head.setting_count) {
            let setting = unsafe UnsafeRawPointer(table).loadUnaligned(
                fromByteOffset: index * stride, as: meter_setting.self)
            guard let name = unsafe ForeignText.string(setting.name, limit: 64), isBare(name),
                let help = unsafe ForeignText.line(setting.help, limit: 1024), !help.isEmpty,
                let value = unsafe ForeignText.string(setting.default_value, limit: 4096),
                let choices = unsafe ForeignText.string(setting.choices, limit: 4096),
                let kind = unsafe kind(setting.kind, choices: choices),
                !declarations.contains(where: { $0.name == name })
            else { throw AdapterRefusal(path: path, reason: "setting \(index + 1) of its descriptor makes no sense") }
            guard value.isEmpty || kind.accepted(value) != nil else {
                throw AdapterRefusal(path: path, reason: "the default of its setting \(name) is not \(kind.allowed)")
            }
            unsafe declarations.append(
                SettingDeclaration(
                    name: name, kind: kind, default: value.isEmpty ? nil : value, required: setting.required != 0,
                    help: help))
        }
        return declarations
    }

    private static func kind(_ raw: UInt32, choices: String) -> SettingKind? {
        switch raw {
        case METER_SETTING_TEXT: .text
        case METER_SETTING_NUMBER: .anyNumber
        case METER_SETTING_FLAG: .flag
        case METER_SETTING_URL: .adapterURL
        case METER_SETTING_SECRET: .secret
        case METER_SETTING_FILE: .file
        case METER_SETTING_LIST: .list
        case METER_SETTING_CHOICE: choices.isEmpty ? nil : .choice(choices.split(separator: ",").map(String.init))
        default: nil
        }
    }

    private static func isBare(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }

    /// What the loader says, in one line.
    private static var loaderError: String {
        guard let text = unsafe dlerror() else { return "unknown" }
        return unsafe String(cString: text).split(separator: "\n").joined(separator: " ")
    }
}
