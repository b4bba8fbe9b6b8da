package import Analysis
package import Readings

/// What a start, and the judging of a night, read.
extension Store {
    /// The durable number of an instance; a new one is made.
    package func number(of identity: InstanceIdentity) throws(StorageError) -> Int {
        let insert = try database.statement("INSERT OR IGNORE INTO instance (meter_type, label) VALUES (?, ?)")
        insert.bind(1, identity.meterType)
        insert.bind(2, identity.label)
        try insert.run()
        let select = try database.statement("SELECT id FROM instance WHERE meter_type = ? AND label = ?")
        select.bind(1, identity.meterType)
        select.bind(2, identity.label)
        defer { select.reset() }
        guard try select.step() else { throw StorageError(.other, "the instance \(identity.name) was not stored") }
        return Int(select.integer(0))
    }

    /// The circuits that an instance has ever shown, by number.
    package func circuits(of instance: Int) throws(StorageError) -> [CircuitIdentity] {
        let rows = try database.statement(
            "SELECT circuit_id, name, parent FROM circuit WHERE instance = ? ORDER BY number")
        rows.bind(1, Int64(instance))
        var circuits: [CircuitIdentity] = []
        while try rows.step() {
            circuits.append(CircuitIdentity(id: rows.text(0), name: rows.text(1), parentID: rows.text(2)))
        }
        return circuits
    }

    /// Who owns which name, for good.
    package func names(of instance: Int) throws(StorageError) -> CircuitNames {
        let rows = try database.statement(
            "SELECT name, number, is_current FROM circuit_name WHERE instance = ? ORDER BY number")
        rows.bind(1, Int64(instance))
        var owners: [String: Int32] = [:]
        var shown: [String] = []
        while try rows.step() {
            let number = Int32(clamping: rows.integer(1))
            owners[rows.text(0)] = number
            while shown.count <= Int(number) { shown.append("") }
            if rows.integer(2) == 1 { shown[Int(number)] = rows.text(0) }
        }
        return CircuitNames(owners: owners, shown: shown)
    }

    /// The emissions that may still change a slot, by timestamp.
    package func journal(of instance: Int, catalog: CircuitCatalog) throws(StorageError) -> [Emission] {
        let rows = try database.statement(
            "SELECT timestamp, body FROM emission WHERE instance = ? ORDER BY timestamp")
        rows.bind(1, Int64(instance))
        var emissions: [Emission] = []
        while try rows.step() {
            let timestamp = Instant(nanoseconds: rows.integer(0))
            if let emission = EmissionCoding.decode(
                rows.blob(1), instance: instance, timestamp: timestamp, catalog: catalog)
            {
                emissions.append(emission)
            }
        }
        return emissions
    }

    package func hasSlots(of instance: Int) throws(StorageError) -> Bool {
        let rows = try database.statement("SELECT 1 FROM slot WHERE instance = ? LIMIT 1")
        rows.bind(1, Int64(instance))
        defer { rows.reset() }
        return try rows.step()
    }

    /// End of the newest slot of all instances.
    package func newestSlotEnd() throws(StorageError) -> Instant? {
        let row = try database.statement(
            "SELECT max((SELECT max(end) FROM slot WHERE instance = instance.id)) FROM instance")
        defer { row.reset() }
        guard try row.step() else { return nil }
        return row.optionalInteger(0).map(Instant.init(nanoseconds:))
    }

    package func state(of instance: Int) throws(StorageError) -> [String: [UInt8]] {
        let rows = try database.statement("SELECT key, value FROM state WHERE instance = ?")
        rows.bind(1, Int64(instance))
        var state: [String: [UInt8]] = [:]
        while try rows.step() { state[rows.text(0)] = rows.blob(1) }
        return state
    }

    /// The alerts of an instance that have not ended.
    package func openAlerts(of instance: Int) throws(StorageError) -> [AlertRecord] {
        let rows = try database.statement(
            "SELECT kind, start, peak_w, detail FROM alert WHERE instance = ? AND ended IS NULL ORDER BY start")
        rows.bind(1, Int64(instance))
        var alerts: [AlertRecord] = []
        while try rows.step() {
            alerts.append(
                AlertRecord(
                    instance: instance, kind: rows.text(0), start: Instant(nanoseconds: rows.integer(1)),
                    peakW: rows.optionalReal(2), ended: nil, detail: rows.text(3)))
        }
        return alerts
    }

    /// The instances that have an alert of one of these kinds which has not ended.
    package func instancesWithOpenAlerts(kinds: [String]) throws(StorageError) -> [Int: InstanceIdentity] {
        let rows = try database.statement(
            """
            SELECT DISTINCT instance.id, meter_type, label, kind FROM alert
            JOIN instance ON instance.id = alert.instance WHERE ended IS NULL
            """)
        var instances: [Int: InstanceIdentity] = [:]
        while try rows.step() {
            guard kinds.contains(rows.text(3)) else { continue }
            instances[Int(rows.integer(0))] = InstanceIdentity(meterType: rows.text(1), label: rows.text(2))
        }
        return instances
    }

    /// The point of the very first reading, and the slot before it.
    package func firstLight(of instance: Int) throws(StorageError) -> (light: Slot, before: Slot?)? {
        let own = "FROM slot WHERE instance = \(instance) AND"
        guard let light = try database.number("SELECT max(end) \(own) start = end"),
            let point = try SlotQueries.slot(database, of: instance, end: Instant(nanoseconds: light))
        else { return nil }
        let before = try database.number("SELECT max(end) \(own) end < \(light) AND start <> end")
        guard let before else { return (point.slot, nil) }
        return (
            point.slot, try SlotQueries.slot(database, of: instance, end: Instant(nanoseconds: before))?.slot
        )
    }

    /// An instance's slots that end within (from, to], oldest first; so many of them at most (negative: all).
    package func slots(
        of instance: Int, from: Instant, to: Instant, limit: Int = -1
    ) throws(StorageError) -> [Slot] {
        try SlotQueries.slots(database, of: instance, from: from, to: to, limit: limit)
    }

    package func hasNight(of instance: Int, date: String) throws(StorageError) -> Bool {
        let rows = try database.statement("SELECT 1 FROM night WHERE instance = ? AND date = ?")
        rows.bind(1, Int64(instance))
        rows.bind(2, date)
        defer { rows.reset() }
        return try rows.step()
    }
}
