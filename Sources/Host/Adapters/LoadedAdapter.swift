import Readings

/// An adapter that may be run.
package struct LoadedAdapter: Sendable {
    /// Where its file lies; what is run is a copy of it.
    package let path: String
    package let description: AdapterDescription
    package let library: StagedLibrary
    let place: Place

    /// Where it runs.
    enum Place: Sendable {
        case host(HostedAdapter)
        /// - Parameter landlock: the version that confines it; 0 = none.
        case child(RunnerLaunch, landlock: Int)
    }

    /// Where it runs, for people.
    package var hosting: String {
        switch place {
        case .host: "in the host's process"
        case .child(_, landlock: 0): "in a process of its own; this kernel has no Landlock to confine it"
        case .child(_, let landlock): "in a process of its own, confined by Landlock \(landlock)"
        }
    }

    package var isIsolated: Bool {
        if case .child = place { true } else { false }
    }
}
