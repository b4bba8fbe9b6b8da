package import Readings

extension RunningAdapter {
    /// What an instance runs with.
    package struct Plan: Sendable {
        package var adapter: LoadedAdapter
        package var identity: InstanceIdentity
        /// Durable number, or any other that is unique in this run for a stand-in.
        package var number: Int
        /// Nanoseconds.
        package var sampling: Int64
        package var settings: [String: String]
        package var requestsPerDay: Int?
        package var circuits: [CircuitIdentity]
        package var state: [String: [UInt8]]
        package var maximumPowerW: Double
        /// Whether the run before may have ended without noting its last attempt.
        package var uncleanEnd: Bool

        package init(
            adapter: LoadedAdapter, identity: InstanceIdentity, number: Int, sampling: Int64,
            settings: [String: String], requestsPerDay: Int?, circuits: [CircuitIdentity], state: [String: [UInt8]],
            maximumPowerW: Double, uncleanEnd: Bool
        ) {
            self.adapter = adapter
            self.identity = identity
            self.number = number
            self.sampling = sampling
            self.settings = settings
            self.requestsPerDay = requestsPerDay
            self.circuits = circuits
            self.state = state
            self.maximumPowerW = maximumPowerW
            self.uncleanEnd = uncleanEnd
        }
    }
}
