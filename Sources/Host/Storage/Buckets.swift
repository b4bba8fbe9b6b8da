import Readings

/// 15-minute buckets, made of the slots within them: again, whenever one of these is new or has changed. They stay when
/// the raw slots are gone, and are left alone from then on.
struct Buckets {
    static let length = 15 * Duration.minute

    /// A bucket of an instance, by its start.
    struct Key: Hashable {
        let instance: Int
        let start: Instant

        /// The bucket that a slot lies in. An interval divides 15 minutes, so a slot never lies in two.
        init(of slot: Slot) {
            instance = slot.instance
            start = slot.end.slotEnd(interval: Buckets.length) - Buckets.length
        }
    }

    /// Makes the buckets of these slots anew, within the caller's transaction.
    ///
    /// - Parameter prunedTo: slots that ended up to here may be gone; a bucket that begins before is not touched.
    static func refresh(_ slots: [Slot], prunedTo: Instant, in database: Database) throws(StorageError) {
        for key in Set(slots.lazy.filter { !$0.isFirstLight }.map(Key.init)) where key.start >= prunedTo {
            for sql in [house, circuits] {
                let insert = try database.statement(sql)
                insert.bind(1, key.start.nanoseconds)
                insert.bind(2, Int64(key.instance))
                insert.bind(3, (key.start + length).nanoseconds)
                try insert.run()
            }
        }
    }

    // First light (start = end) is skipped by every sum. Means are weighted by the time that was covered.

    private static let house = """
        INSERT OR REPLACE INTO bucket (
            instance, start, imported_mj, exported_mj, produced_mj, consumed_mj, charged_mj, discharged_mj,
            mean_w, minimum_w, maximum_w, covered_s)
        SELECT instance, ?1, sum(imported_mj), sum(exported_mj), sum(produced_mj), sum(consumed_mj), sum(charged_mj),
            sum(discharged_mj),
            sum(total_power_w * coverage * (end - start)) / nullif(sum(coverage * (end - start)), 0),
            min(minimum_power_w), max(maximum_power_w), sum(coverage * (end - start)) / 1e9
        FROM slot WHERE instance = ?2 AND end > ?1 AND end <= ?3 AND start < end GROUP BY instance
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
