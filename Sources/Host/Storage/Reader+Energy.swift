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
            """
            SELECT start, imported_mj, exported_mj, produced_mj, consumed_mj, charged_mj, discharged_mj, billed_mj,
                   mean_w, minimum_w, maximum_w, covered_s, import_price, export_price, fixed_price
            FROM bucket WHERE instance = ? AND start >= ? AND start < ? ORDER BY start
            """)
        defer { rows.reset() }
        rows.bind(1, Int64(instance))
        rows.bind(2, from.nanoseconds)
        rows.bind(3, to.nanoseconds)
        while try rows.step() {
            var bucket = Bucket(start: Instant(nanoseconds: rows.integer(0)), coveredSeconds: rows.real(11))
            for (index, flow) in Flow.allCases.enumerated() {
                bucket.energy[flow] = rows.optionalInteger(1 + Int32(index))
            }
            bucket.billed = rows.optionalInteger(7)
            bucket.powerW = rows.optionalReal(8)
            bucket.minimumPowerW = rows.optionalReal(9)
            bucket.maximumPowerW = rows.optionalReal(10)
            bucket.importPrice = rows.optionalReal(12)
            bucket.exportPrice = rows.optionalReal(13)
            bucket.fixedPrice = rows.optionalReal(14)
            body(bucket)
        }
    }
}
