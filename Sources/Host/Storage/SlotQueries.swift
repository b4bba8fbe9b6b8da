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
        let id = row.integer(0)
        var slot = SlotRows.slot(of: instance, in: row, from: 1)
        slot.circuits = try circuits(database, of: id)
        return (id, slot)
    }

    /// Those that end within (from, to], oldest first.
    static func slots(
        _ database: Database, of instance: Int, from: Instant, to: Instant
    ) throws(StorageError) -> [Slot] {
        let rows = try database.statement(
            "SELECT id, \(SlotRows.columns) FROM slot WHERE instance = ? AND end > ? AND end <= ? ORDER BY end")
        rows.bind(1, Int64(instance))
        rows.bind(2, from.nanoseconds)
        rows.bind(3, to.nanoseconds)
        var slots: [Slot] = []
        while try rows.step() {
            var slot = SlotRows.slot(of: instance, in: rows, from: 1)
            slot.circuits = try circuits(database, of: rows.integer(0))
            slots.append(slot)
        }
        return slots
    }

    private static func circuits(_ database: Database, of slot: Int64) throws(StorageError) -> [CircuitSlot] {
        let rows = try database.statement(
            "SELECT \(SlotRows.circuitColumns) FROM slot_circuit WHERE slot = ? ORDER BY circuit")
        rows.bind(1, slot)
        var circuits: [CircuitSlot] = []
        while try rows.step() { circuits.append(SlotRows.circuit(in: rows, from: 0)) }
        return circuits
    }
}
