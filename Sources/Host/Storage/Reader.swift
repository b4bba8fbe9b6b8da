package import Readings

/// A connection that only reads: each thread that reads has its own. Rows are what the last commit left.
package final class Reader {
    let database: Database

    package init(directory: DataDirectory) throws(StorageError) {
        database = try Database(path: directory.path(of: Store.fileName), access: .reader)
    }

    /// From now on what runs beyond `deadline` (monotonic ns) fails with `tooSlow`.
    package func cut(at deadline: Int64) { database.cut(at: deadline) }

    // MARK: Delivery

    /// Slots that wait, newest first: as many as make about `points` lines. One that is damaged is told apart: it must
    /// not hold the others up.
    package func waitingSlots(
        points: Int
    ) throws(StorageError) -> (slots: [OutboundSlot], unreadable: [UnreadableSlot]) {
        let rows = try database.statement(
            """
            SELECT id, \(SlotRows.columns), revision, instance FROM slot
            WHERE delivered < revision ORDER BY end DESC
            """)
        defer { rows.reset() }
        var slots: [OutboundSlot] = []
        var unreadable: [UnreadableSlot] = []
        var lines = 0
        while lines < points, unreadable.count < points, try rows.step() {
            do throws(StorageError) {
                let slot = try outbound(rows)
                lines += slot.slot.circuits.count + 1
                slots.append(slot)
            } catch {
                let row = Settlement.Row(id: rows.integer(0), revision: rows.integer(SlotRows.count + 1))
                unreadable.append(UnreadableSlot(row: row, reason: error.message))
            }
        }
        return (slots, unreadable)
    }

    package func waitingAlerts() throws(StorageError) -> [OutboundAlert] {
        let rows = try database.statement(
            "SELECT \(Self.alertColumns) FROM alert WHERE delivered < revision ORDER BY start DESC LIMIT 100")
        defer { rows.reset() }
        var alerts: [OutboundAlert] = []
        while try rows.step() { alerts.append(try alert(rows)) }
        return alerts
    }

    /// Every alert that began within (from, to], oldest first, or only those that wait; handed over one by one.
    package func forEachAlert(
        from: Instant, to: Instant, onlyWaiting: Bool, _ body: (OutboundAlert) -> Void
    ) throws(StorageError) {
        let rows = try database.statement(
            """
            SELECT \(Self.alertColumns) FROM alert
            WHERE start > ? AND start <= ? AND (? = 0 OR delivered < revision) ORDER BY start
            """)
        defer { rows.reset() }
        rows.bind(1, from.nanoseconds)
        rows.bind(2, to.nanoseconds)
        rows.bind(3, onlyWaiting ? 1 : 0 as Int64)
        while try rows.step() { body(try alert(rows)) }
    }

    static let alertColumns =
        "alert.id, revision, instance, kind, start, peak_w, ended, detail"

    /// A row of `alertColumns`.
    func alert(_ rows: Statement) throws(StorageError) -> OutboundAlert {
        let instance = Int(rows.integer(2))
        let alert = AlertRecord(
            instance: instance, kind: rows.text(3), start: Instant(nanoseconds: rows.integer(4)),
            peakW: rows.optionalReal(5), ended: rows.optionalInteger(6).map(Instant.init(nanoseconds:)),
            detail: rows.text(7))
        return OutboundAlert(
            id: rows.integer(0), revision: rows.integer(1), alert: alert, meter: try identity(of: instance))
    }

    /// What the webhook is still to be told, in the order in which it happened.
    package func waitingMessages() throws(StorageError) -> [OutboundMessage] {
        let rows = try database.statement(
            """
            SELECT \(Self.alertColumns), message.id, state FROM message JOIN alert ON alert.id = message.alert
            WHERE answered IS NULL ORDER BY message.id LIMIT 500
            """)
        defer { rows.reset() }
        var messages: [OutboundMessage] = []
        while try rows.step() {
            messages.append(
                OutboundMessage(id: rows.integer(8), state: rows.text(9), outbound: try alert(rows)))
        }
        return messages
    }

    package func backlog() throws(StorageError) -> Backlog {
        var backlog = Backlog()
        let rows = try database.statement(
            """
            SELECT count(*), min(end), max(end),
                   sum(1 + circuit_count)
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
                   sum(1 + circuit_count)
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
            ("slots that end before they begin", "SELECT count(*) FROM slot WHERE end < start"),
            ("slots delivered beyond their revision", "SELECT count(*) FROM slot WHERE delivered > revision"),
        ]
        for (what, sql) in books {
            if let count = try database.number(sql), count > 0 { findings.append("\(count) \(what)") }
        }
        guard findings.isEmpty else { return findings }
        // Every slot can be read and its circuits have names, no two tell of the same time, and every bucket is the sum of
        // its slots.
        do throws(StorageError) {
            findings += try slotFindings()
        } catch {
            findings.append(error.message)
        }
        return findings
    }

    private func slotFindings() throws(StorageError) -> [String] {
        let pruned = try database.number("SELECT value FROM counter WHERE name = 'pruned_to'") ?? .min
        var sums: [Int: BucketSum] = [:]
        var wrong = 0
        var ends: [Int: Instant] = [:]
        var crossing = 0
        func check(_ instance: Int) throws(StorageError) {
            guard let sum = sums.removeValue(forKey: instance), sum.start.nanoseconds >= pruned else { return }
            let row = try database.statement(
                "SELECT \(BucketRows.columns) FROM bucket WHERE instance = ? AND start = ?")
            row.bind(1, Int64(instance))
            row.bind(2, sum.start.nanoseconds)
            defer { row.reset() }
            guard try row.step() else {
                wrong += 1
                return
            }
            let stored = try BucketRows.bucket(in: row, from: 0)
            let made = sum.bucket
            let circuits = zip(stored.circuits, made.circuits).allSatisfy {
                $0.circuit == $1.circuit && $0.energy == $1.energy && $0.returned == $1.returned
            }
            if stored.energy != made.energy || stored.billed != made.billed
                || stored.circuits.count != made.circuits.count || !circuits
            {
                wrong += 1
            }
        }
        let rows = try database.statement(
            "SELECT id, \(SlotRows.columns), revision, instance FROM slot WHERE start < end ORDER BY instance, end")
        defer { rows.reset() }
        while try rows.step() {
            let outbound = try outbound(rows)
            let start = outbound.slot.end.slotEnd(interval: Bucket.length) - Bucket.length
            let instance = outbound.slot.instance
            if let end = ends[instance], outbound.slot.start < end { crossing += 1 }
            ends[instance] = outbound.slot.end
            if let sum = sums[instance], sum.start != start { try check(instance) }
            sums[instance, default: BucketSum(start: start)].add(outbound.slot)
        }
        for instance in Array(sums.keys) { try check(instance) }
        return (crossing > 0 ? ["\(crossing) slots begin before the end of the one before"] : [])
            + (wrong > 0 ? ["\(wrong) quarter hours are not the sum of their slots"] : [])
    }

    /// Every slot that ends within (from, to], or only those that wait, instance by instance, oldest first; handed over one
    /// by one. Read page by page: who takes them may be slow, and a reader that stays open keeps the log from being
    /// written back.
    package func forEachSlot(
        from: Instant, to: Instant, onlyWaiting: Bool, _ body: (OutboundSlot) -> Void
    ) throws(StorageError) {
        let rows = try database.statement(
            """
            SELECT id, \(SlotRows.columns), revision, instance FROM slot
            WHERE instance = ? AND end > ? AND end <= ? AND (? = 0 OR delivered < revision) ORDER BY end LIMIT ?
            """)
        for instance in try instanceNumbers() {
            var place = from
            while true {
                rows.bind(1, instance)
                rows.bind(2, place.nanoseconds)
                rows.bind(3, to.nanoseconds)
                rows.bind(4, onlyWaiting ? 1 : 0 as Int64)
                rows.bind(5, Self.page)
                var slots: [OutboundSlot] = []
                do {
                    defer { rows.reset() }
                    while try rows.step() { slots.append(try outbound(rows)) }
                }
                for slot in slots { body(slot) }
                guard slots.count == Self.page, let last = slots.last else { break }
                place = last.slot.end
            }
        }
    }

    private func instanceNumbers() throws(StorageError) -> [Int64] {
        let rows = try database.statement("SELECT id FROM instance ORDER BY id")
        defer { rows.reset() }
        var numbers: [Int64] = []
        while try rows.step() { numbers.append(rows.integer(0)) }
        return numbers
    }

    private static let page: Int64 = 500

    /// Rows of `id, SlotRows.columns, revision, instance`.
    private func outbound(_ rows: Statement) throws(StorageError) -> OutboundSlot {
        let instance = Int(rows.integer(SlotRows.count + 2))
        let (slot, names) = try SlotRows.slot(of: instance, in: rows, from: 1)
        var outbound = OutboundSlot(
            id: rows.integer(0), revision: rows.integer(SlotRows.count + 1), slot: slot,
            meter: try identity(of: instance), circuitNames: [], circuitIDs: [])
        outbound.circuitNames.reserveCapacity(names.count)
        outbound.circuitIDs.reserveCapacity(names.count)
        for (circuit, name) in zip(slot.circuits, names) {
            let label = try label(CircuitKey(instance: instance, number: circuit.circuit, name: name))
            outbound.circuitNames.append(label.name)
            outbound.circuitIDs.append(label.id)
        }
        return outbound
    }

    struct CircuitKey: Hashable {
        let instance: Int
        let number: Int32
        let name: Int64
    }

    struct CircuitLabel {
        let name: String
        let id: String
    }

    /// What a circuit was called in a slot, and its id: neither ever changes, so they are read once.
    private func label(_ key: CircuitKey) throws(StorageError) -> CircuitLabel {
        if let label = labels[key] { return label }
        let row = try database.statement(
            """
            SELECT circuit_name.name, circuit.circuit_id FROM circuit_name
            JOIN circuit ON circuit.instance = circuit_name.instance AND circuit.number = circuit_name.number
            WHERE circuit_name.id = ? AND circuit.instance = ? AND circuit.number = ?
            """)
        row.bind(1, key.name)
        row.bind(2, Int64(key.instance))
        row.bind(3, Int64(key.number))
        defer { row.reset() }
        guard try row.step() else {
            throw StorageError(.corrupt, "circuit \(key.number) of instance \(key.instance) has no name")
        }
        let label = CircuitLabel(name: row.text(0), id: row.text(1))
        labels[key] = label
        return label
    }

    private var labels: [CircuitKey: CircuitLabel] = [:]
    private var identities: [Int: InstanceIdentity] = [:]

    /// A small value of an instance; nil where there is none.
    package func state(of identity: InstanceIdentity, _ key: String) throws(StorageError) -> [UInt8]? {
        let row = try database.statement(
            """
            SELECT value FROM state JOIN instance ON instance.id = state.instance
            WHERE meter_type = ? AND label = ? AND key = ?
            """)
        row.bind(1, identity.meterType)
        row.bind(2, identity.label)
        row.bind(3, key)
        defer { row.reset() }
        return try row.step() ? row.blob(0) : nil
    }

    func identity(of instance: Int) throws(StorageError) -> InstanceIdentity {
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
