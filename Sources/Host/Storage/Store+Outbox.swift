package import Readings

/// What an operator does with what waits, and what age does with what is old.
extension Store {
    /// Sends slots that end within (from, to] again. Answers how many.
    package func replay(from: Instant, to: Instant) throws(StorageError) -> Int {
        let update = try database.statement("UPDATE slot SET revision = revision + 1 WHERE end > ? AND end <= ?")
        update.bind(1, from.nanoseconds)
        update.bind(2, to.nanoseconds)
        try update.run()
        return Int(database.changes)
    }

    /// Sends what was rejected again, after its cause is gone. Answers how many lines.
    package func replayRejected() throws(StorageError) -> Int {
        let count = try database.number("SELECT count(*) FROM rejected") ?? 0
        try database.transaction { () throws(StorageError) in
            for table in ["slot", "alert"] {
                try database.run(
                    """
                    UPDATE \(table) SET revision = revision + 1
                    WHERE id IN (SELECT \(table) FROM rejected WHERE \(table) IS NOT NULL)
                    """)
            }
            try database.run("DELETE FROM rejected")
        }
        return Int(count)
    }

    /// Gives up everything that waits: it stays in the store and is never sent. Answers how many slots.
    package func dropWaiting() throws(StorageError) -> Int {
        var dropped: Int64 = 0
        try database.transaction { () throws(StorageError) in
            try database.run("UPDATE slot SET delivered = revision WHERE delivered < revision")
            dropped = database.changes
            try database.run("UPDATE alert SET delivered = revision WHERE delivered < revision")
            try count("dropped_slots", dropped)
        }
        return Int(dropped)
    }

    /// Removes raw slots that are too old, a limited number at a time: delivered ones (or all, where delivery is off)
    /// that ended before `delivered`, undelivered ones that ended before `undelivered`. Answers how many of each.
    package func prune(
        delivered: Instant, undelivered: Instant, deliveryIsOn: Bool, limit: Int = 2000
    ) throws(StorageError) -> (delivered: Int, undelivered: Int) {
        let old = try remove(
            "end <= \(delivered.nanoseconds) AND (delivered >= revision OR \(deliveryIsOn ? 0 : 1))", limit: limit)
        let lost = try remove("end <= \(undelivered.nanoseconds)", limit: limit)
        if lost > 0 { try count("pruned_undelivered_slots", Int64(lost)) }
        if old + lost > 0 {
            try database.run("PRAGMA incremental_vacuum(256)")
            // The file shrinks when the log is written back to it.
            try database.run("PRAGMA wal_checkpoint(PASSIVE)")
        }
        return (old, lost)
    }

    private func remove(_ condition: String, limit: Int) throws(StorageError) -> Int {
        var removed = 0
        // Naming the instances lets the search go by their index, instead of through every slot that is not old.
        let chosen =
            "SELECT id FROM slot WHERE instance IN (SELECT id FROM instance) AND \(condition) ORDER BY end LIMIT \(limit)"
        let newest = try database.once("SELECT max(end) FROM slot WHERE id IN (\(chosen))") ?? 0
        guard newest > 0 else { return 0 }
        try database.transaction { () throws(StorageError) in
            try database.run("DELETE FROM slot WHERE id IN (\(chosen))")
            removed = Int(database.changes)
            // From here on the buckets of that time are all that is left of it.
            let note = try database.statement(
                """
                INSERT INTO counter (name, value) VALUES ('pruned_to', ?)
                ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)
                """)
            note.bind(1, newest)
            try note.run()
        }
        prunedTo = max(prunedTo, Instant(nanoseconds: newest))
        return removed
    }

    /// Slots that were given up undelivered since the store was made: by an operator, and because of their age.
    package func droppedSlots() throws(StorageError) -> Int { try counted("dropped_slots") }
    package func expiredSlots() throws(StorageError) -> Int { try counted("pruned_undelivered_slots") }

    private func counted(_ name: String) throws(StorageError) -> Int {
        let row = try database.statement("SELECT value FROM counter WHERE name = ?")
        row.bind(1, name)
        defer { row.reset() }
        return try row.step() ? Int(row.integer(0)) : 0
    }

    /// Adds to a counter that outlives restarts.
    private func count(_ name: String, _ amount: Int64) throws(StorageError) {
        let upsert = try database.statement(
            "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
        )
        upsert.bind(1, name)
        upsert.bind(2, amount)
        try upsert.run()
    }
}
