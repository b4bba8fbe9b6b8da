/// Where an instance's small values become durable. Made by the composition over the pipeline.
package protocol AdapterMemory: Sendable {
    /// Stores a value (nil removes it); true once it is durable, after everything that was emitted before.
    func store(_ key: String, _ value: [UInt8]?) -> Bool
    /// Stores a value with the next commit; never blocks.
    func note(_ key: String, _ value: [UInt8])
    /// As `note`, but at once, and waits a moment for it: a disk that hangs holds nobody up.
    func secure(_ key: String, _ value: [UInt8])
}

/// The keys of an instance's small values.
package enum StateKey {
    /// Keys that begin with this are the host's own; adapters neither see nor set them.
    private static let host = "host:"
    /// Wall time of the last attempt, 8 bytes.
    package static let lastAttempt = "host:last_attempt"
    package static let ration = "host:ration"
    /// There while the instance is paused.
    package static let paused = "host:paused"
    static let longest = 255

    static func isAdapters(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= longest && !key.hasPrefix(host)
    }
}
