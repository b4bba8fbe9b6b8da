import Configuration

/// Every adapter that was found, every file that was not one, and every one that is not known yet, at a moment.
package struct AdapterCatalog: Sendable {
    package private(set) var adapters: [LoadedAdapter] = []
    package private(set) var refused: [AdapterRefusal] = []
    /// What the host could not look at, for want of something; directories among it.
    package private(set) var waiting: [AdapterWait] = []
    /// Where they were looked for.
    package let directories: [String]
    /// Whether every file has been looked at: one that is not among them is not there.
    package let isComplete: Bool

    /// - Parameters:
    ///   - files: in the order in which types are given away.
    init(
        directories: [String], files: [(path: String, adapters: [LoadedAdapter], obstacle: ShelfObstacle?)],
        isComplete: Bool
    ) {
        self.directories = directories
        self.isComplete = isComplete
        for file in files {
            switch file.obstacle {
            case .refused(let reason)?: refused.append(AdapterRefusal(path: file.path, reason: reason))
            case .waits(let wait)?: waiting.append(AdapterWait(path: file.path, wait))
            case nil: break
            }
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
