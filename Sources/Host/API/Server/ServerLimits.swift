/// What one client, and all of them together, may take.
package struct ServerLimits: Sendable {
    /// Connections at a time: above any number of slow clients that one address may hold open.
    package var connections: UInt32 = 640
    package var connectionsPerAddress: UInt32 = 576
    /// A connection that moves no byte for so long is closed.
    package var idleSeconds: UInt32 = 10
    /// From the connection, or the answer before, until a request's head is complete.
    package var headSeconds: Int64 = 15
    /// From the head until the body is complete.
    package var bodySeconds: Int64 = 15
    /// From the first byte of an answer to its last; a stream of events may go on.
    package var answerSeconds: Int64 = 300
    /// Request line, headers, and the answer's headers of a connection.
    package var headerBytes = 16 * 1024
    /// Path and query together.
    package var targetBytes = 4 * 1024
    package var bodyBytes = 64 * 1024
    /// Requests for the store that are answered at a time, or wait.
    package var queries = 32
    package var queriesPerAddress = 24
    package var eventClients = 256
    package var eventClientsPerAddress = 224
    /// So often a client of events hears something, at least.
    package var eventSignSeconds: Int64 = 15
    /// So often it is told the time of the house.
    package var eventClockSeconds: Int64 = 60
    /// What the kernel keeps for a client of events that does not read; it doubles it.
    package var unsentEventBytes: Int32 = 64 * 1024

    package init() {}
}
