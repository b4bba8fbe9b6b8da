import Configuration

/// Every adapter that was found, and every file that was not one, at a moment.
package struct AdapterCatalog: Sendable {
    package private(set) var adapters: [LoadedAdapter] = []
    package private(set) var refused: [AdapterRefusal] = []
    /// Where they were looked for.
    package let directories: [String]
    /// Whether every file has been looked at: one that is not among them is not there.
    package let isComplete: Bool

    /// - Parameters:
    ///   - files: in the order in which types are given away.
    init(
        directories: [String], files: [(path: String, adapters: [LoadedAdapter], refusal: String?)],
        unreadable: [AdapterRefusal], isComplete: Bool
    ) {
        self.directories = directories
        self.isComplete = isComplete
        refused = unreadable
        for file in files {
            if let reason = file.refusal { refused.append(AdapterRefusal(path: file.path, reason: reason)) }
            let objections = file.adapters.compactMap { objection(to: $0.description.meterType) }
            if let reason = objections.first {
                refused.append(AdapterRefusal(path: file.path, reason: reason))
            } else {
                adapters += file.adapters
            }
        }
    }

    package func adapter(ofType meterType: String) -> LoadedAdapter? {
        adapters.first { $0.description.meterType == meterType }
    }

    private func objection(to meterType: String) -> String? {
        if let other = adapter(ofType: meterType) {
            return "the type \(meterType) is taken: \(other.path) has it"
        }
        return MeterTypeRule.objection(to: meterType, known: adapters.map(\.description.meterType))
    }
}
