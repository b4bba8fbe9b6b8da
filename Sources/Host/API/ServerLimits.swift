/// What one client, and all of them together, may take.
package struct ServerLimits: Sendable {
    /// Connections at a time: above any number of slow clients that one address may hold open.
    package var connections: UInt32 = 640
    package var connectionsPerAddress: UInt32 = 576
    /// A connection that moves no byte for so long is closed.
    package var timeoutSeconds: UInt32 = 10
    /// Request line, headers, and the answer's headers of a connection.
    package var headerBytes = 16 * 1024
    /// Path and query together.
    package var targetBytes = 4 * 1024
    package var bodyBytes = 64 * 1024

    package init() {}
}
