import AdapterABI

/// What an adapter's calls to its host come to: in the host's process the instance's services, in a child the line to
/// them. Texts and readings are the adapter's memory, and valid for the call only.
protocol AdapterServices: Sendable {
    /// METER_EMIT_...
    func emit(_ reading: UnsafePointer<meter_reading>?) -> Int32
    func log(_ level: UInt32, _ message: meter_text)
    func condition(_ code: Int32, retryAfter: Int64, _ message: meter_text)
    /// Takes requests of the day's ration: METER_OK, METER_RATIONED or METER_CANCELLED.
    func spend(_ requests: UInt32) -> Int32
    /// `meter.host.state/1`.
    func state(_ key: meter_text) -> StateAnswer
    /// Removes with nil. METER_OK once it is durable.
    func setState(_ key: meter_text, _ value: [UInt8]?) -> Int32
}

/// What a look for a small value gave.
enum StateAnswer: Hashable, Sendable {
    case value([UInt8])
    case notFound
    /// The key is none.
    case invalid
}
