import Analysis
package import Readings

/// What was: buckets and slots, circuits, nights, alerts.
extension Reader {
    /// The durable number of an instance; nil where it has never stored anything.
    package func number(of meter: InstanceIdentity) throws(StorageError) -> Int? {
        let row = try database.statement("SELECT id FROM instance WHERE meter_type = ? AND label = ?")
        row.bind(1, meter.meterType)
        row.bind(2, meter.label)
        defer { row.reset() }
        return try row.step() ? Int(row.integer(0)) : nil
    }

    /// An instance's buckets that begin within [from, to), oldest first, one by one until `body` answers false. Answers
    /// whether that was all.
    package func forEachBucket(
        of instance: Int, from: Instant, to: Instant, takesCircuits: Bool, _ body: (Bucket) -> Bool
    ) throws(StorageError) -> Bool {
        let columns = takesCircuits ? BucketRows.columns : BucketRows.houseColumns
        let rows = try database.statement(
            "SELECT \(columns) FROM bucket WHERE instance = ? AND start >= ? AND start < ? ORDER BY start")
        defer { rows.reset() }
        bind(rows, instance, from, to)
        while try rows.step() {
            let bucket =
                takesCircuits ? try BucketRows.bucket(in: rows, from: 0) : BucketRows.house(in: rows, from: 0)
            guard body(bucket) else { return false }
        }
        return true
    }

    /// As `forEachBucket`, for slots that end within (from, to]; each as what it would be if it were a bucket alone.
    package func forEachSlot(
        of instance: Int, from: Instant, to: Instant, _ body: (_ end: Instant, _ slot: Bucket) -> Bool
    ) throws(StorageError) -> Bool {
        let rows = try database.statement(
            """
            SELECT \(SlotRows.columns) FROM slot
            WHERE instance = ? AND end > ? AND end <= ? AND start < end ORDER BY end
            """)
        defer { rows.reset() }
        bind(rows, instance, from, to)
        while try rows.step() {
            let slot = try SlotRows.slot(of: instance, in: rows, from: 0).slot
            var sum = BucketSum(start: slot.start)
            sum.add(slot)
            guard body(slot.end, sum.bucket) else { return false }
        }
        return true
    }

    /// How many buckets begin within [from, to).
    package func bucketCount(of instance: Int, from: Instant, to: Instant) throws(StorageError) -> Int {
        try count("SELECT count(*) FROM bucket WHERE instance = ? AND start >= ? AND start < ?", instance, from, to)
    }

    /// How many slots end within (from, to].
    package func slotCount(of instance: Int, from: Instant, to: Instant) throws(StorageError) -> Int {
        try count("SELECT count(*) FROM slot WHERE instance = ? AND end > ? AND end <= ?", instance, from, to)
    }

    private func count(_ sql: String, _ instance: Int, _ from: Instant, _ to: Instant) throws(StorageError) -> Int {
        let rows = try database.statement(sql)
        defer { rows.reset() }
        bind(rows, instance, from, to)
        return try rows.step() ? Int(rows.integer(0)) : 0
    }

    private func bind(_ rows: Statement, _ instance: Int, _ from: Instant, _ to: Instant) {
        rows.bind(1, Int64(instance))
        rows.bind(2, from.nanoseconds)
        rows.bind(3, to.nanoseconds)
    }

    /// The circuits that an instance has ever shown, by their durable numbers, as they are called now.
    package func knownCircuits(of instance: Int) throws(StorageError) -> [KnownCircuit] {
        let rows = try database.statement(
            """
            SELECT circuit.number, circuit.circuit_id, coalesce(circuit_name.name, circuit.name), circuit.parent
            FROM circuit LEFT JOIN circuit_name ON circuit_name.instance = circuit.instance
                AND circuit_name.number = circuit.number AND circuit_name.is_current = 1
            WHERE circuit.instance = ? ORDER BY circuit.number
            """)
        rows.bind(1, Int64(instance))
        defer { rows.reset() }
        var circuits: [KnownCircuit] = []
        while try rows.step() {
            circuits.append(
                KnownCircuit(
                    number: Int32(clamping: rows.integer(0)), id: rows.text(1), name: rows.text(2),
                    parentID: rows.text(3), kind: .unknown))
        }
        let kinds = try kinds(of: instance, count: circuits.count)
        for index in circuits.indices { circuits[index].kind = kinds[circuits[index].number] ?? .unknown }
        return circuits
    }

    /// What the circuits were when they were last stored; one that has been silent for long is not found.
    private func kinds(of instance: Int, count: Int) throws(StorageError) -> [Int32: CircuitKind] {
        let rows = try database.statement(
            "SELECT \(BucketRows.columns) FROM bucket WHERE instance = ? ORDER BY start DESC LIMIT 96")
        defer { rows.reset() }
        rows.bind(1, Int64(instance))
        var kinds: [Int32: CircuitKind] = [:]
        while kinds.count < count, try rows.step() {
            for circuit in try BucketRows.bucket(in: rows, from: 0).circuits where kinds[circuit.circuit] == nil {
                kinds[circuit.circuit] = circuit.kind
            }
        }
        return kinds
    }

    /// The newest nights of an instance, newest first.
    package func nights(of instance: Int, limit: Int) throws(StorageError) -> [NightRecord] {
        let rows = try database.statement(
            """
            SELECT date, power_w, reason, coverage FROM night WHERE instance = ? ORDER BY date DESC LIMIT ?
            """)
        rows.bind(1, Int64(instance))
        rows.bind(2, Int64(limit))
        defer { rows.reset() }
        var nights: [NightRecord] = []
        while try rows.step() {
            let date = rows.text(0)
            let night = PhantomLoad.Night(
                powerW: rows.optionalReal(1), reason: rows.optionalReal(1) == nil ? rows.text(2) : nil,
                coverage: rows.real(3), circuits: try shares(of: instance, date: date))
            nights.append(NightRecord(instance: instance, date: date, night: night))
        }
        return nights
    }

    private func shares(of instance: Int, date: String) throws(StorageError) -> [PhantomLoad.Share] {
        let rows = try database.statement(
            """
            SELECT json_extract(share.value, '$[0]'), json_extract(share.value, '$[1]')
            FROM night, json_each(night.circuits) AS share WHERE night.instance = ? AND night.date = ? ORDER BY share.id
            """)
        rows.bind(1, Int64(instance))
        rows.bind(2, date)
        defer { rows.reset() }
        var shares: [PhantomLoad.Share] = []
        while try rows.step() {
            shares.append(PhantomLoad.Share(circuit: Int32(clamping: rows.integer(0)), powerW: rows.real(1)))
        }
        return shares
    }

    /// Alerts of all instances, those that began last first.
    /// - Parameter isOpen: nil = both those that have ended and those that have not.
    package func alerts(
        isOpen: Bool?, before: Instant, limit: Int
    ) throws(StorageError) -> [(alert: AlertRecord, meter: InstanceIdentity)] {
        let rows = try database.statement(
            """
            SELECT \(Self.alertColumns) FROM alert
            WHERE start < ? AND (? IS NULL OR (ended IS NULL) = ?) ORDER BY start DESC, id DESC LIMIT ?
            """)
        rows.bind(1, before.nanoseconds)
        let wanted = isOpen.map { $0 ? 1 : 0 as Int64 }
        rows.bind(2, wanted)
        rows.bind(3, wanted)
        rows.bind(4, Int64(limit))
        defer { rows.reset() }
        var alerts: [(alert: AlertRecord, meter: InstanceIdentity)] = []
        while try rows.step() {
            let row = try alert(rows)
            alerts.append((row.alert, row.meter))
        }
        return alerts
    }
}

/// A circuit as the store knows it.
package struct KnownCircuit: Sendable {
    package var number: Int32
    package var id: String
    /// As people see it.
    package var name: String
    package var parentID: String
    package var kind: CircuitKind
}
