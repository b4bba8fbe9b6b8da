package import Readings

/// A connection that only reads: each thread that reads has its own. Rows are what the last commit left.
package final class Reader {
    let database: Database

    package init(directory: DataDirectory) throws(StorageError) {
        database = try Database(path: directory.path(of: Store.fileName), access: .reader)
    }

    // MARK: Delivery

    /// Slots that wait, newest first: as many as make about `points` lines.
    package func waitingSlots(points: Int) throws(StorageError) -> [OutboundSlot] {
        let rows = try database.statement(
            """
            SELECT id, \(SlotRows.columns), revision, instance FROM slot
            WHERE delivered < revision ORDER BY end DESC
            """)
        defer { rows.reset() }
        var slots: [OutboundSlot] = []
        var lines = 0
        while lines < points, try rows.step() {
            let slot = try outbound(rows)
            lines += slot.slot.circuits.count + 1
            slots.append(slot)
        }
        return slots
    }

    package func waitingAlerts() throws(StorageError) -> [OutboundAlert] {
        let rows = try database.statement(
            """
            SELECT id, revision, instance, kind, start, peak_w, ended, detail FROM alert
            WHERE delivered < revision ORDER BY start DESC LIMIT 100
            """)
        var alerts: [OutboundAlert] = []
        while try rows.step() {
            let instance = Int(rows.integer(2))
            let alert = AlertRecord(
                instance: instance, kind: rows.text(3), start: Instant(nanoseconds: rows.integer(4)),
                peakW: rows.real(5), ended: rows.optionalInteger(6).map(Instant.init(nanoseconds:)),
                detail: rows.text(7))
            alerts.append(
                OutboundAlert(
                    id: rows.integer(0), revision: rows.integer(1), alert: alert, meter: try identity(of: instance)))
        }
        return alerts
    }

    package func backlog() throws(StorageError) -> Backlog {
        var backlog = Backlog()
        let rows = try database.statement(
            """
            SELECT count(*), min(end), max(end),
                   sum(1 + (SELECT count(*) FROM slot_circuit WHERE slot_circuit.slot = slot.id))
            FROM slot WHERE delivered < revision
            """)
        if try rows.step() {
            backlog.slots = Int(rows.integer(0))
            backlog.oldest = rows.optionalInteger(1).map(Instant.init(nanoseconds:))
            backlog.newest = rows.optionalInteger(2).map(Instant.init(nanoseconds:))
            backlog.points = Int(rows.integer(3))
        }
        rows.reset()
        backlog.rejected = Int(try database.number("SELECT count(*) FROM rejected") ?? 0)
        return backlog
    }

    // MARK: An operator's questions

    /// What waits, per instance.
    package func backlogByInstance() throws(StorageError) -> [(meter: InstanceIdentity, backlog: Backlog)] {
        let rows = try database.statement(
            """
            SELECT instance, count(*), min(end), max(end),
                   sum(1 + (SELECT count(*) FROM slot_circuit WHERE slot_circuit.slot = slot.id))
            FROM slot WHERE delivered < revision GROUP BY instance ORDER BY instance
            """)
        var result: [(meter: InstanceIdentity, backlog: Backlog)] = []
        while try rows.step() {
            var backlog = Backlog()
            backlog.slots = Int(rows.integer(1))
            backlog.oldest = rows.optionalInteger(2).map(Instant.init(nanoseconds:))
            backlog.newest = rows.optionalInteger(3).map(Instant.init(nanoseconds:))
            backlog.points = Int(rows.integer(4))
            result.append((try identity(of: Int(rows.integer(0))), backlog))
        }
        return result
    }

    package func rejectedLines(limit: Int) throws(StorageError) -> [RejectedLine] {
        let rows = try database.statement(
            "SELECT at, line, reason, slot, alert FROM rejected ORDER BY id DESC LIMIT ?")
        rows.bind(1, Int64(limit))
        var lines: [RejectedLine] = []
        while try rows.step() {
            lines.append(
                RejectedLine(
                    at: Instant(nanoseconds: rows.integer(0)), line: rows.text(1), reason: rows.text(2),
                    slot: rows.optionalInteger(3), alert: rows.optionalInteger(4)))
        }
        return lines
    }

    /// What is wrong with the store, line by line; empty = sound.
    package func findings() throws(StorageError) -> [String] {
        var findings: [String] = []
        let check = try database.statement("PRAGMA integrity_check(20)")
        while try check.step() {
            if check.text(0) != "ok" { findings.append(check.text(0)) }
        }
        let books = [
            (
                "circuit rows without a slot",
                "SELECT count(*) FROM slot_circuit WHERE slot NOT IN (SELECT id FROM slot)"
            ),
            ("slots that end before they begin", "SELECT count(*) FROM slot WHERE end < start"),
            ("slots delivered beyond their revision", "SELECT count(*) FROM slot WHERE delivered > revision"),
            (
                "circuit rows without a name",
                "SELECT count(*) FROM slot_circuit WHERE name NOT IN (SELECT id FROM circuit_name)"
            ),
        ]
        for (what, sql) in books {
            if let count = try database.number(sql), count > 0 { findings.append("\(count) \(what)") }
        }
        return findings
    }

    /// Every slot that ends within (from, to], oldest first, or only those that wait; handed over one by one.
    package func forEachSlot(
        from: Instant, to: Instant, onlyWaiting: Bool, _ body: (OutboundSlot) -> Void
    ) throws(StorageError) {
        let rows = try database.statement(
            """
            SELECT id, \(SlotRows.columns), revision, instance FROM slot
            WHERE end > ? AND end <= ? AND (? = 0 OR delivered < revision) ORDER BY end
            """)
        rows.bind(1, from.nanoseconds)
        rows.bind(2, to.nanoseconds)
        rows.bind(3, onlyWaiting ? 1 : 0 as Int64)
        while try rows.step() { body(try outbound(rows)) }
    }

    /// Rows of `id, SlotRows.columns, revision, instance`.
    private func outbound(_ rows: Statement) throws(StorageError) -> OutboundSlot {
        let instance = Int(rows.integer(SlotRows.count + 2))
        var outbound = OutboundSlot(
            id: rows.integer(0), revision: rows.integer(SlotRows.count + 1),
            slot: SlotRows.slot(of: instance, in: rows, from: 1), meter: try identity(of: instance), circuitNames: [],
            circuitIDs: [])
        let circuits = try database.statement(
            """
            SELECT slot_circuit.circuit, slot_circuit.name, slot_circuit.kind, quality, power_w, minimum_power_w,
                   maximum_power_w, percentage, energy_mj, returned_mj, total_mj, coverage, circuit_name.name,
                   circuit.circuit_id
            FROM slot_circuit
            JOIN circuit_name ON circuit_name.id = slot_circuit.name
            JOIN circuit ON circuit.instance = ? AND circuit.number = slot_circuit.circuit
            WHERE slot = ? ORDER BY slot_circuit.circuit
            """)
        circuits.bind(1, Int64(instance))
        circuits.bind(2, outbound.id)
        while try circuits.step() {
            outbound.slot.circuits.append(SlotRows.circuit(in: circuits, from: 0))
            outbound.circuitNames.append(circuits.text(12))
            outbound.circuitIDs.append(circuits.text(13))
        }
        return outbound
    }

    private var identities: [Int: InstanceIdentity] = [:]

    private func identity(of instance: Int) throws(StorageError) -> InstanceIdentity {
        if let identity = identities[instance] { return identity }
        let row = try database.statement("SELECT meter_type, label FROM instance WHERE id = ?")
        row.bind(1, Int64(instance))
        defer { row.reset() }
        guard try row.step() else { throw StorageError(.corrupt, "instance \(instance) is not in the store") }
        let identity = InstanceIdentity(meterType: row.text(0), label: row.text(1))
        identities[instance] = identity
        return identity
    }
}
