package import Analysis
package import Readings

/// The embedded store: the one connection that writes. Confined to the pipeline's thread.
package final class Store {
    let database: Database
    /// Ids of the names in force, per instance and circuit number.
    private var nameIDs: [Int: [Int32: Int64]] = [:]
    private var buckets = Buckets()
    /// Raw slots that ended up to here may be gone: a quarter hour that began before, and is there, stays as it is.
    package internal(set) var prunedTo = Instant(nanoseconds: .min)
    package let reserve: Reserve
    /// The file that was opened.
    private let place: FilePlace?
    /// What energy costs; nil = nobody said.
    package var prices: PriceList?
    /// Whether there is a webhook that alerts are told to.
    package var tellsAlerts = false

    package static let fileName = "smart-meter.db"

    private init(path: String, reserve: Reserve) throws(StorageError) {
        self.reserve = reserve
        database = try Database(path: path, access: .writer)
        place = FilePlace(of: path)
        try Schema.prepare(database)
        // Where a table is damaged, reading all of it says so now and not in the middle of a night.
        if let finding = try database.text("PRAGMA quick_check(1)"), finding != "ok" {
            throw StorageError(.corrupt, "\(path): \(finding)")
        }
        try loadNames()
        if let pruned = try database.number("SELECT value FROM counter WHERE name = 'pruned_to'") {
            prunedTo = Instant(nanoseconds: pruned)
        }
    }

    /// Opens or makes the store of a data directory. A damaged file is set aside, never deleted, and a new one made;
    /// `setAside` then says where it is. On a full disk the reserve makes the room that opening needs.
    package static func open(in directory: DataDirectory) throws(StorageError) -> (store: Store, setAside: String?) {
        let reserve = Reserve(in: directory)
        defer { reserve.make() }
        do {
            return try open(in: directory, reserve: reserve)
        } catch  where error.mayLackRoom && reserve.giveUp() {
            return try open(in: directory, reserve: reserve)
        }
    }

    private static func open(
        in directory: DataDirectory, reserve: Reserve
    ) throws(StorageError) -> (store: Store, setAside: String?) {
        let path = directory.path(of: fileName)
        do {
            return (try Store(path: path, reserve: reserve), nil)
        } catch  where error.kind == .corrupt {
            let aside = directory.setAside(fileName)
            return (try Store(path: path, reserve: reserve), aside)
        }
    }

    // MARK: Commit

    /// One transaction, all or nothing: when it returns, everything in the plan survives a power cut.
    package func commit(_ plan: CommitPlan) throws(StorageError) {
        // SQLite goes on writing to a file that was removed: what it takes then is gone with the process.
        guard FilePlace(of: database.path) == place else {
            throw StorageError(.gone, "\(database.path) is gone, or not the file that was opened")
        }
        let names = nameIDs
        do {
            try database.transaction { () throws(StorageError) in
                try write(plan.circuits)
                for instance in plan.forgetEmissionsOf {
                    try prune([instance: Instant(nanoseconds: .max)])
                }
                try write(plan.emissions)
                try prune(plan.keepEmissionsFrom)
                try write(plan.slots)
                for alert in plan.alerts { try write(alert) }
                for night in plan.nights { try write(night) }
                for state in plan.states { try write(state) }
                for settlement in plan.settlements { try settle(settlement) }
                for asked in plan.asked { try write(asked) }
            }
        } catch {
            nameIDs = names
            buckets.forget()
            throw error
        }
    }

    private func write(_ circuits: [CircuitRecord]) throws(StorageError) {
        for circuit in circuits {
            let upsert = try database.statement(
                "INSERT OR REPLACE INTO circuit (instance, number, circuit_id, name, parent) VALUES (?, ?, ?, ?, ?)")
            upsert.bind(1, Int64(circuit.instance))
            upsert.bind(2, Int64(circuit.number))
            upsert.bind(3, circuit.identity.id)
            upsert.bind(4, circuit.identity.name)
            upsert.bind(5, circuit.identity.parentID)
            try upsert.run()
            let retire = try database.statement(
                "UPDATE circuit_name SET is_current = 0 WHERE instance = ? AND number = ?")
            retire.bind(1, Int64(circuit.instance))
            retire.bind(2, Int64(circuit.number))
            try retire.run()
            let claim = try database.statement(
                """
                INSERT INTO circuit_name (instance, number, name, is_current) VALUES (?, ?, ?, 1)
                ON CONFLICT (instance, name) DO UPDATE SET is_current = 1 RETURNING id
                """)
            claim.bind(1, Int64(circuit.instance))
            claim.bind(2, Int64(circuit.number))
            claim.bind(3, circuit.shownName)
            if try claim.step() { nameIDs[circuit.instance, default: [:]][circuit.number] = claim.integer(0) }
            claim.reset()
        }
    }

    private func write(_ emissions: [Emission]) throws(StorageError) {
        let insert = try database.statement(
            "INSERT OR REPLACE INTO emission (instance, timestamp, body) VALUES (?, ?, ?)")
        for emission in emissions {
            insert.bind(1, Int64(emission.instance))
            insert.bind(2, emission.timestamp.nanoseconds)
            insert.bind(3, EmissionCoding.encode(emission))
            try insert.run()
        }
    }

    private func prune(_ bounds: [Int: Instant]) throws(StorageError) {
        let delete = try database.statement("DELETE FROM emission WHERE instance = ? AND timestamp < ?")
        for (instance, bound) in bounds {
            delete.bind(1, Int64(instance))
            delete.bind(2, bound.nanoseconds)
            try delete.run()
        }
    }

    private func write(_ slots: [Slot]) throws(StorageError) {
        var added: [Slot] = []
        var changed: [Slot] = []
        for slot in slots {
            switch try write(slot) {
            case .added: added.append(slot)
            case .changed: changed.append(slot)
            case .same: break
            }
        }
        try buckets.refresh(added: added, changed: changed, prunedTo: prunedTo, prices: prices, in: database)
    }

    private enum Outcome {
        case added
        case changed
        /// It was there already, and said the same.
        case same
    }

    /// A slot that is there already gets its next revision, if it says something else; those of another length that lie
    /// across its time go.
    private func write(_ slot: Slot) throws(StorageError) -> Outcome {
        guard let circuits = CircuitCoding.encode(slot.circuits, names: nameIDs[slot.instance] ?? [:]) else {
            throw StorageError(.other, "a circuit of instance \(slot.instance) has no name")
        }
        let insert = try database.statement(Self.insertSlot)
        SlotRows.bind(slot, circuits: circuits, to: insert, from: 1)
        insert.bind(SlotRows.count + 1, Int64(slot.instance))
        try insert.run()
        // The quarter hour of a slot that took the place of others is made anew.
        guard database.changes == 0 else { return try removeSlots(across: slot) ? .changed : .added }
        guard let known = try SlotQueries.slot(database, of: slot.instance, end: slot.end) else {
            throw StorageError(.other, "a slot was not stored")
        }
        guard known.slot != slot else { return .same }
        let update = try database.statement(Self.updateSlot)
        SlotRows.bind(slot, circuits: circuits, to: update, from: 1)
        update.bind(SlotRows.count + 1, known.id)
        try update.run()
        if known.slot.start != slot.start { _ = try removeSlots(across: slot) }
        return .changed
    }

    /// After a change of interval slots of the old length may lie where the new ones come: the emissions that they were made
    /// of make these too.
    private func removeSlots(across slot: Slot) throws(StorageError) -> Bool {
        guard !slot.isFirstLight else { return false }
        let delete = try database.statement(
            """
            DELETE FROM slot WHERE instance = ?1 AND end > ?2 AND end < ?3 + \(Bucket.length) AND end <> ?3
            AND start < ?3 AND start < end
            """)
        delete.bind(1, Int64(slot.instance))
        delete.bind(2, slot.start.nanoseconds)
        delete.bind(3, slot.end.nanoseconds)
        try delete.run()
        return database.changes > 0
    }

    private static let slotMarks = (0..<SlotRows.count).map { _ in "?" }.joined(separator: ", ")
    private static let insertSlot =
        "INSERT OR IGNORE INTO slot (\(SlotRows.columns), instance, revision, delivered) VALUES (\(slotMarks), ?, 1, 0)"
    private static let updateSlot =
        "UPDATE slot SET (\(SlotRows.columns)) = (\(slotMarks)), revision = revision + 1 WHERE id = ?"

    private func write(_ alert: AlertRecord) throws(StorageError) {
        let upsert = try database.statement(
            """
            INSERT INTO alert (instance, kind, start, peak_w, ended, detail, revision, delivered)
            VALUES (?, ?, ?, ?, ?, ?, 1, 0)
            ON CONFLICT (instance, kind, start) DO UPDATE
            SET peak_w = excluded.peak_w, ended = excluded.ended, detail = excluded.detail, revision = revision + 1
            """)
        upsert.bind(1, Int64(alert.instance))
        upsert.bind(2, alert.kind)
        upsert.bind(3, alert.start.nanoseconds)
        upsert.bind(4, alert.peakW)
        upsert.bind(5, alert.ended?.nanoseconds)
        upsert.bind(6, alert.detail)
        try upsert.run()
        if alert.isNews, tellsAlerts { try tell(alert) }
    }

    /// One message a state. Who was not told that an episode began is not told that it ended.
    private func tell(_ alert: AlertRecord) throws(StorageError) {
        let insert = try database.statement(
            """
            INSERT OR IGNORE INTO message (alert, state)
            SELECT id, ?4 FROM alert WHERE instance = ?1 AND kind = ?2 AND start = ?3
            AND (?4 = 'raised' OR EXISTS (SELECT 1 FROM message AS told WHERE told.alert = alert.id AND told.state = 'raised'))
            """)
        insert.bind(1, Int64(alert.instance))
        insert.bind(2, alert.kind)
        insert.bind(3, alert.start.nanoseconds)
        insert.bind(4, alert.ended == nil ? "raised" : "ended")
        try insert.run()
    }

    private func write(_ record: NightRecord) throws(StorageError) {
        let upsert = try database.statement(
            """
            INSERT OR REPLACE INTO night (instance, date, power_w, reason, coverage, circuits)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        upsert.bind(1, Int64(record.instance))
        upsert.bind(2, record.date)
        upsert.bind(3, record.night.powerW)
        upsert.bind(4, record.night.reason)
        upsert.bind(5, record.night.coverage)
        // [[number, watts], ...]: JSON, for sqlite3's json_each.
        let shares = record.night.circuits.map { "[\($0.circuit),\($0.powerW)]" }.joined(separator: ",")
        upsert.bind(6, "[\(shares)]")
        try upsert.run()
    }

    private func write(_ state: StateRecord) throws(StorageError) {
        guard let value = state.value else {
            let delete = try database.statement("DELETE FROM state WHERE instance = ? AND key = ?")
            delete.bind(1, Int64(state.instance))
            delete.bind(2, state.key)
            return try delete.run()
        }
        let upsert = try database.statement("INSERT OR REPLACE INTO state (instance, key, value) VALUES (?, ?, ?)")
        upsert.bind(1, Int64(state.instance))
        upsert.bind(2, state.key)
        upsert.bind(3, value)
        try upsert.run()
    }

    private func settle(_ settlement: Settlement) throws(StorageError) {
        for (table, rows) in [("slot", settlement.slots), ("alert", settlement.alerts)] {
            let update = try database.statement("UPDATE \(table) SET delivered = max(delivered, ?) WHERE id = ?")
            for row in rows {
                update.bind(1, row.revision)
                update.bind(2, row.id)
                try update.run()
            }
        }
        let insert = try database.statement(
            "INSERT INTO rejected (at, line, reason, slot, alert) VALUES (?, ?, ?, ?, ?)")
        for line in settlement.rejected {
            insert.bind(1, line.at.nanoseconds)
            insert.bind(2, line.line)
            insert.bind(3, line.reason)
            insert.bind(4, line.slot)
            insert.bind(5, line.alert)
            try insert.run()
        }
        let answer = try database.statement("UPDATE message SET answered = ? WHERE id = ?")
        for message in settlement.messages {
            answer.bind(1, message.at.nanoseconds)
            answer.bind(2, message.id)
            try answer.run()
        }
    }

    private func loadNames() throws(StorageError) {
        let rows = try database.statement("SELECT instance, number, id FROM circuit_name WHERE is_current = 1")
        while try rows.step() {
            nameIDs[Int(rows.integer(0)), default: [:]][Int32(clamping: rows.integer(1))] = rows.integer(2)
        }
    }
}
