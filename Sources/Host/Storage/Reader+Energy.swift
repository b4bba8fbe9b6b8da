package import Readings

/// What hours, days and months are made of.
extension Reader {
    /// The durable number of an instance; nil where it has never stored anything.
    package func number(of meter: InstanceIdentity) throws(StorageError) -> Int? {
        let row = try database.statement("SELECT id FROM instance WHERE meter_type = ? AND label = ?")
        row.bind(1, meter.meterType)
        row.bind(2, meter.label)
        defer { row.reset() }
        return try row.step() ? Int(row.integer(0)) : nil
    }

    /// An instance's buckets that begin within [from, to), oldest first, one by one.
    package func forEachBucket(
        of instance: Int, from: Instant, to: Instant, _ body: (Bucket) -> Void
    ) throws(StorageError) {
        let rows = try database.statement(
            "SELECT \(BucketRows.columns) FROM bucket WHERE instance = ? AND start >= ? AND start < ? ORDER BY start")
        defer { rows.reset() }
        rows.bind(1, Int64(instance))
        rows.bind(2, from.nanoseconds)
        rows.bind(3, to.nanoseconds)
        while try rows.step() { body(try BucketRows.bucket(in: rows, from: 0)) }
    }
}
