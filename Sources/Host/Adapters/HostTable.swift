import AdapterABI
package import Readings

/// The memory of an instance's `meter_host` and of its settings' values: valid until destroy, and in fact for good.
struct HostTable: Sendable {
    private let instance: String
    /// Values by name; undeclared names are not in it.
    private let values: [String: ForeverText]
    private let declared: Set<String>

    init(instance: String, settings: [String: String], declared: [String]) {
        self.instance = instance
        values = settings.mapValues(ForeverText.init)
        self.declared = Set(declared)
    }

    /// - Parameter context: what every host function gets back.
    func make(context: UnsafeMutableRawPointer, shape: HostShape) -> UnsafePointer<meter_host> {
        let size = unsafe MemoryLayout<meter_host>.size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(size, shape.structSize), alignment: 8)
        // What a newer host has behind the fields that this one knows is anything but zero.
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: max(size, shape.structSize))
        let table = unsafe memory.bindMemory(to: meter_host.self, capacity: 1)
        unsafe table.initialize(
            to: meter_host(
                abi_major: METER_ABI_MAJOR, abi_minor: METER_ABI_MINOR,
                struct_size: UInt32(shape.structSize), reserved: 0,
                name: ForeverText("smart-meter \(HostVersion.text)").text, instance: ForeverText(instance).text,
                context: context, log: hostLog, setting: hostSetting, extension: hostExtension, emit: hostEmit,
                condition: hostCondition, now_wall: hostNowWall, now_monotonic: hostNowMonotonic,
                cancelled: hostCancelled, cancel_fd: hostCancelDescriptor, spend: hostSpend))
        // What an older host does not have is not its memory.
        for index in shape.structSize..<max(size, shape.structSize) {
            unsafe memory.storeBytes(of: 0xA5, toByteOffset: index, as: UInt8.self)
        }
        return unsafe UnsafePointer(table)
    }

    func setting(_ name: String, _ value: UnsafeMutablePointer<meter_text>) -> Int32 {
        guard declared.contains(name) else { return METER_INVALID }
        guard let found = values[name] else { return METER_NOT_FOUND }
        unsafe value.pointee = found.text
        return METER_OK
    }
}

/// How a host looks to an adapter; other than it is only where an adapter is checked.
struct HostShape: Sendable {
    /// Bytes of `meter_host` that it says it has.
    var structSize = unsafe MemoryLayout<meter_host>.size
    /// Whether it has extensions at all.
    var offersExtensions = true
}

/// The program's version, as it tells adapters and servers.
package enum HostVersion {
    package static let text = "0.1.0"
    /// The year in which this version was made. A clock that shows less is not set.
    package static let releasedAt = Instant(seconds: 1_767_225_600)  // 2026-01-01T00:00:00Z
}

/// Bytes that are never freed, by address: a plain value that crosses threads.
struct ForeverText: Sendable {
    private let address: UInt
    private let count: UInt32

    init(_ string: String) {
        let bytes = Array(string.utf8)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, bytes.count))
        for (index, byte) in bytes.enumerated() { unsafe (copy + index).initialize(to: CChar(bitPattern: byte)) }
        address = UInt(bitPattern: copy)
        count = UInt32(clamping: bytes.count)
    }

    var text: meter_text {
        unsafe meter_text(data: UnsafePointer(bitPattern: address), length: count, reserved: 0)
    }
}
