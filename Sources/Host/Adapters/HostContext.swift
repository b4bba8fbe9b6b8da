import AdapterABI
import Platform
import Readings
import Synchronization
import Transfer

/// What stands behind the `context` of an instance's `meter_host`, in the process that the adapter runs in. It is made
/// once an instance and never freed: an adapter that keeps the pointer after destroy gets CLOSED and CANCELLED, not a
/// crash.
final class HostContext: Sendable {
    let services: any AdapterServices
    private let gate: InstanceGate
    /// Monotonic ns by which the running call has to return; 0 = none runs.
    private let callDeadline = Atomic<Int64>(0)
    private let transport: any AdapterTransport
    private let hostTable: HostTable
    private let shape: HostShape

    private static let defaultRequestTime = 15 * Duration.second

    /// - Parameters:
    ///   - instance: its name.
    ///   - gate: that of `services`.
    init(
        instance: String, settings: [String: String], declared: [String], gate: InstanceGate,
        services: any AdapterServices, transport: any AdapterTransport = NetworkTransport(),
        shape: HostShape = HostShape()
    ) {
        self.gate = gate
        self.services = services
        self.transport = transport
        self.shape = shape
        hostTable = HostTable(instance: instance, settings: settings, declared: declared)
    }

    /// The table for the adapter; this context lives for good from here on.
    func makeHost() -> UnsafePointer<meter_host> {
        unsafe hostTable.make(context: Unmanaged.passRetained(self).toOpaque(), shape: shape)
    }

    // MARK: The owner's side

    /// After destroy: what is left is a husk that answers CLOSED and CANCELLED.
    func retire() {
        // The client first: a request that a stray thread still makes watches the bell.
        transport.close()
        gate.retire()
    }

    func begin(callUntil deadline: Int64) { callDeadline.store(deadline, ordering: .releasing) }
    func endCall() { callDeadline.store(0, ordering: .releasing) }

    /// Monotonic ns by which the running call has to return; nil = none runs.
    var runningUntil: Int64? {
        let deadline = callDeadline.load(ordering: .acquiring)
        return deadline == 0 ? nil : deadline
    }

    // MARK: The adapter's side

    func setting(_ name: meter_text, _ value: UnsafeMutablePointer<meter_text>) -> Int32 {
        guard let name = unsafe ForeignText.string(name, limit: 64) else { return METER_INVALID }
        return unsafe hostTable.setting(name, value)
    }

    var shouldReturn: Bool { gate.isCancelled }
    var cancelDescriptor: Int32 { gate.cancelDescriptor }
    /// Whether a request may be made at all.
    var takesRequests: Bool { gate.isOpen && !gate.isCancelled }

    var offersExtensions: Bool { shape.offersExtensions }

    /// `meter.host.http/1`: one request at a time.
    /// - Parameter wanted: monotonic ns; 0 = none. Never later than the end of the running call, where there is one.
    func perform(
        _ request: HTTPRequest, until wanted: Int64, take: AdapterTransport.Take
    ) -> Result<HTTPResponse, TransferError> {
        let deadline =
            wanted > 0
            ? min(wanted, runningUntil ?? wanted) : runningUntil ?? Clock.monotonic() + Self.defaultRequestTime
        return transport.perform(request, until: deadline, interrupt: cancelDescriptor, take: take)
    }
}
