import Readings

/// Slots as rows, for the writer and the readers alike.
enum SlotQueries {
    static func slot(
        _ database: Database, of instance: Int, end: Instant
    ) throws(StorageError) -> (id: Int64, slot: Slot)? {
        let row = try database.statement("SELECT id, \(SlotRows.columns) FROM slot WHERE instance = ? AND end = ?")
        row.bind(1, Int64(instance))
        row.bind(2, end.nanoseconds)
        defer { row.reset() }
        guard try row.step() else { return nil }
        return (row.integer(0), try SlotRows.slot(of: instance, in: row, from: 1).slot)
    }

    /// Those that end within (from, to], oldest first; so many of them at most (negative: all).
    static func slots(
        _ database: Database, of instance: Int, from: Instant, to: Instant, limit: Int = -1
    ) throws(StorageError) -> [Slot] {
        let rows = try database.statement(
            "SELECT \(SlotRows.columns) FROM slot WHERE instance = ? AND end > ? AND end <= ? ORDER BY end LIMIT ?")
        defer { rows.reset() }
        rows.bind(1, Int64(instance))
        rows.bind(2, from.nanoseconds)
        rows.bind(3, to.nanoseconds)
        rows.bind(4, Int64(limit))
        var slots: [Slot] = []
        while try rows.step() { slots.append(try SlotRows.slot(of: instance, in: rows, from: 0).slot) }
        return slots
    }
}
