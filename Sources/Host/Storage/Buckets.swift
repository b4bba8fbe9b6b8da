import Analysis
import Readings

/// 15-minute buckets, made of the slots within them: again, whenever one of these is new or has changed. They stay when
/// the raw slots are gone, and are left alone from then on.
struct Buckets {
    /// A bucket of an instance, by its start.
    struct Key: Hashable {
        let instance: Int
        let start: Instant

        /// The bucket that a slot lies in. An interval divides 15 minutes, so a slot never lies in two.
        init(of slot: Slot) {
            instance = slot.instance
            start = slot.end.slotEnd(interval: Bucket.length) - Bucket.length
        }
    }

    /// Brings the buckets of slots that were just written up to date, within the caller's transaction: new slots are
    /// added to theirs, a bucket with a slot that has changed is made anew.
    ///
    /// - Parameters:
    ///   - prunedTo: slots that ended up to here may be gone; a bucket that begins before is not touched.
    ///   - prices: what a bucket that has no prices yet gets.
    static func refresh(
        added: [Slot], changed: [Slot], prunedTo: Instant, prices: PriceList?, in database: Database
    ) throws(StorageError) {
        var stale: Set<Key> = []
        for slot in changed {
            let key = Key(of: slot)
            guard key.start >= prunedTo, stale.insert(key).inserted else { continue }
            try remake(key, prices: slot.isHouse ? prices : nil, in: database)
        }
        var sums: [Key: BucketSum] = [:]
        for slot in added where !slot.isFirstLight {
            let key = Key(of: slot)
            guard key.start >= prunedTo, !stale.contains(key) else { continue }
            sums[key, default: BucketSum()].add(slot)
        }
        for (key, sum) in sums { try sum.write(key, prices: prices, in: database) }
    }

    private static func remake(_ key: Key, prices: PriceList?, in database: Database) throws(StorageError) {
        for sql in [house, circuits] {
            let insert = try database.statement(sql)
            insert.bind(1, key.start.nanoseconds)
            insert.bind(2, Int64(key.instance))
            insert.bind(3, (key.start + Bucket.length).nanoseconds)
            if sql == house { bind(prices?.prices(at: key.start), to: insert, from: 4) }
            try insert.run()
        }
    }

    static func bind(_ prices: Prices?, to statement: Statement, from first: Int32) {
        statement.bind(first, prices?.importPerKWh)
        statement.bind(first + 1, prices?.exportPerKWh)
        statement.bind(first + 2, prices?.fixedPerDay)
    }

    /// Prices stay what they were when the bucket was begun.
    static let keepPrices = ["import_price", "export_price", "fixed_price"]
        .map { "\($0) = ifnull(bucket.\($0), excluded.\($0))" }.joined(separator: ", ")

    // First light (start = end) is skipped by every sum. Means are weighted by the time that was covered.

    private static let house = """
        INSERT INTO bucket (
            instance, start, imported_mj, exported_mj, produced_mj, consumed_mj, charged_mj, discharged_mj, billed_mj,
            mean_w, minimum_w, maximum_w, covered_s, import_price, export_price, fixed_price)
        SELECT instance, ?1, sum(imported_mj), sum(exported_mj), sum(produced_mj), sum(consumed_mj), sum(charged_mj),
            sum(discharged_mj), sum(billed_mj),
            sum(total_power_w * coverage * (end - start)) / nullif(sum(coverage * (end - start)), 0),
            min(minimum_power_w), max(maximum_power_w), sum(coverage * (end - start)) / 1e9, ?4, ?5, ?6
        FROM slot WHERE instance = ?2 AND end > ?1 AND end <= ?3 AND start < end GROUP BY instance
        ON CONFLICT (instance, start) DO UPDATE SET
            imported_mj = excluded.imported_mj, exported_mj = excluded.exported_mj, produced_mj = excluded.produced_mj,
            consumed_mj = excluded.consumed_mj, charged_mj = excluded.charged_mj,
            discharged_mj = excluded.discharged_mj, billed_mj = excluded.billed_mj, mean_w = excluded.mean_w,
            minimum_w = excluded.minimum_w, maximum_w = excluded.maximum_w, covered_s = excluded.covered_s,
            \(keepPrices)
        """

    private static let circuits = """
        INSERT OR REPLACE INTO bucket_circuit (
            instance, circuit, start, energy_mj, returned_mj, mean_w, minimum_w, maximum_w, covered_s)
        SELECT instance, circuit, ?1, sum(energy_mj), sum(returned_mj),
            sum(power_w * slot_circuit.coverage * (end - start)) / nullif(sum(slot_circuit.coverage * (end - start)), 0),
            min(slot_circuit.minimum_power_w), max(slot_circuit.maximum_power_w),
            sum(slot_circuit.coverage * (end - start)) / 1e9
        FROM slot JOIN slot_circuit ON slot_circuit.slot = slot.id
        WHERE instance = ?2 AND end > ?1 AND end <= ?3 AND start < end GROUP BY circuit
        """
}
