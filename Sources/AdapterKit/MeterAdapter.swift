/// A meter adapter in Swift. Conform to it, and export the type with one line:
///
/// ```swift
/// @c @implementation
/// public func meter_adapter_entry(_ hostABI: UInt32) -> UnsafePointer<meter_library>? {
///     unsafe exportAdapters(hostABI, MyAdapter.self)
/// }
/// ```
///
/// Calls to one instance never overlap, but they may come from different threads.
public protocol MeterAdapter: AnyObject, SendableMetatype {
    /// What the adapter is, and the settings it takes.
    static var descriptor: AdapterDescriptor { get }

    /// Makes an instance: checks its settings. No I/O, no threads.
    init(host: AdapterHost) throws(AdapterError)

    /// Connects, or starts threads, within 15 s. A failure is retried by the host.
    func start() throws(AdapterError)

    /// Takes one sample; the kit hands it to the host. Pull adapters only.
    func read(deadline: Deadline) throws(AdapterError) -> Reading

    /// Ends what `start` began, within 1 s.
    func stop()
}

extension MeterAdapter {
    public func start() throws(AdapterError) {}

    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        throw AdapterError(.invalid, "this adapter pushes its readings")
    }

    public func stop() {}
}

/// An adapter whose meter keeps a log of its own: the host fills the holes that an outage left.
public protocol HistoryProviding: MeterAdapter {
    /// Hands the records with `from` < timestamp <= `to` to `put` in ascending order, until it answers false: that
    /// record was taken, and no further one is wanted. The rules of docs/adapter-abi.md hold; `HistoryRequest` helps
    /// to keep them.
    func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome
}

/// An adapter whose credentials need a person, once.
public protocol LoginProviding: MeterAdapter {
    /// Asks what it has to know, keeps tokens in the host's state, and answers what it found (account, devices, zone).
    func login(_ prompter: LoginPrompter) throws(AdapterError) -> String
}

/// A point of CLOCK_MONOTONIC by which a call has to return.
public struct Deadline: Sendable {
    /// Nanoseconds.
    public var monotonic: Int64

    public init(monotonic: Int64) {
        self.monotonic = monotonic
    }
}
