import Adapters
import Observability

/// Says what has changed among the adapters, once.
struct CatalogNews {
    private var refused: Set<AdapterRefusal> = []
    /// Digests of their libraries, by type.
    private var found: [String: String] = [:]

    mutating func say(_ catalog: AdapterCatalog, _ log: Log) {
        for refusal in catalog.refused where !refused.contains(refusal) {
            log.warning("adapter refused", LogField("file", refusal.path), LogField("reason", refusal.reason))
        }
        refused = Set(catalog.refused)
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
}
