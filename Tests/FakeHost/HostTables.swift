import AdapterABI

/// The C tables of one fake host, freed with it.
final class HostTables: Sendable {
    private let hostAddress: UInt
    private let httpAddress: UInt
    private let stateAddress: UInt

    init(structSize: Int) {
        let host = UnsafeMutablePointer<meter_host>.allocate(capacity: 1)
        unsafe host.initialize(to: meter_host())
        unsafe host.pointee.abi_major = METER_ABI_MAJOR
        unsafe host.pointee.abi_minor = METER_ABI_MINOR
        unsafe host.pointee.struct_size = UInt32(structSize)
        unsafe host.pointee.log = fakeLog
        unsafe host.pointee.setting = fakeSetting
        unsafe host.pointee.extension = fakeExtension
        unsafe host.pointee.emit = fakeEmit
        unsafe host.pointee.condition = fakeCondition
        unsafe host.pointee.now_wall = fakeWall
        unsafe host.pointee.now_monotonic = fakeMonotonic
        unsafe host.pointee.cancelled = fakeCancelled
        unsafe host.pointee.cancel_fd = { _ in -1 }
        unsafe host.pointee.spend = fakeSpend
        let http = UnsafeMutablePointer<meter_host_http>.allocate(capacity: 1)
        unsafe http.initialize(to: meter_host_http(perform: fakePerform))
        let state = UnsafeMutablePointer<meter_host_state>.allocate(capacity: 1)
        unsafe state.initialize(to: meter_host_state(get: fakeStateGet, set: fakeStateSet))
        hostAddress = UInt(bitPattern: host)
        httpAddress = UInt(bitPattern: http)
        stateAddress = UInt(bitPattern: state)
    }

    deinit {
        unsafe host.deallocate()
        unsafe http.deallocate()
        unsafe state.deallocate()
    }

    var host: UnsafeMutablePointer<meter_host> { unsafe pointer(hostAddress) }
    var http: UnsafeMutablePointer<meter_host_http> { unsafe pointer(httpAddress) }
    var state: UnsafeMutablePointer<meter_host_state> { unsafe pointer(stateAddress) }

    private func pointer<Table>(_ address: UInt) -> UnsafeMutablePointer<Table> {
        guard let pointer = unsafe UnsafeMutablePointer<Table>(bitPattern: address) else {
            preconditionFailure("a table was not allocated")
        }
        return unsafe pointer
    }
}
