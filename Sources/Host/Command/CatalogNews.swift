import Adapters
import Observability
import Readings

/// Says what has changed among the adapters, once.
struct CatalogNews {
    private var refused: Set<AdapterRefusal> = []
    /// What waits for the host, and since when.
    private var waiting: [String: Instant] = [:]
    /// Digests of their libraries, by type.
    private var found: [String: String] = [:]

    mutating func say(_ catalog: AdapterCatalog, _ log: Log) {
        for refusal in catalog.refused where !refused.contains(refusal) {
            log.warning("adapter refused", LogField("file", refusal.path), LogField("reason", refusal.reason))
        }
        refused = Set(catalog.refused)
        sayWaits(catalog, log)
        var now: [String: String] = [:]
        for adapter in catalog.adapters {
            let type = adapter.description.meterType
            now[type] = adapter.library.digest
            guard found[type] != adapter.library.digest else { continue }
            log.info(
                found[type] == nil ? "adapter found" : "adapter replaced", LogField("meter_type", type),
                LogField("version", adapter.description.version), LogField("file", adapter.path),
                LogField("runs", adapter.hosting))
        }
        for type in found.keys.sorted() where now[type] == nil {
            log.info("adapter gone", LogField("meter_type", type))
        }
        found = now
    }

    /// One line where a wait begins, and one where it ends: not one a try.
    private mutating func sayWaits(_ catalog: AdapterCatalog, _ log: Log) {
        for wait in catalog.waiting where waiting[wait.path] == nil {
            log.warning(
                "adapter waits for the host", LogField("file", wait.path), LogField("reason", wait.reason),
                LogField("todo", wait.advice))
        }
        let now = Dictionary(catalog.waiting.map { ($0.path, $0.since) }) { first, _ in first }
        let refusedNow = Set(catalog.refused.map(\.path))
        for (path, since) in waiting.sorted(by: { $0.key < $1.key })
        where now[path] == nil && !refusedNow.contains(path) {
            log.info(
                "adapter waits no longer", LogField("file", path),
                LogField("waited_seconds", (Instant.now - since) / Duration.second))
        }
        waiting = now
    }
}
