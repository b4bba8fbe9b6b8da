/// The tables, and how a store of an older version becomes one of this version.
///
/// Instants are nanoseconds since the epoch, energies millijoules, powers watts; NULL is "not measured".
enum Schema {
    /// The version that the first of `migrations` makes. Those before it were never released.
    private static let first = 4
    /// Step n makes version `first` + n of the one before.
    private static let migrations = [version4]

    static func prepare(_ database: Database) throws(StorageError) {
        let version = Int(try database.number("PRAGMA user_version") ?? 0)
        let newest = first + migrations.count - 1
        guard version <= newest else {
            throw StorageError(
                .newerVersion,
                "the store was made by a newer smart-meter (store version \(version), this program knows \(newest))")
        }
        guard version == 0 || version >= first else {
            throw StorageError(
                .other,
                "\(database.path) was made by a smart-meter from before the first release; move it away to begin anew")
        }
        for step in max(0, version - first + 1)..<migrations.count {
            try database.transaction { () throws(StorageError) in
                try database.run(migrations[step])
                try database.run("PRAGMA user_version = \(first + step)")
            }
        }
    }

    private static let version4 = """
        CREATE TABLE instance (
            id INTEGER PRIMARY KEY, meter_type TEXT NOT NULL, label TEXT NOT NULL, UNIQUE (meter_type, label)) STRICT;
        -- Numbers of circuits are for good; what people see as their names is circuit_name's.
        CREATE TABLE circuit (
            instance INTEGER NOT NULL, number INTEGER NOT NULL, circuit_id TEXT NOT NULL, name TEXT NOT NULL,
            parent TEXT NOT NULL, PRIMARY KEY (instance, number), UNIQUE (instance, circuit_id)) STRICT, WITHOUT ROWID;
        -- A name once given to a circuit is never another's; a slot keeps the name that it was made with.
        CREATE TABLE circuit_name (
            id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
            is_current INTEGER NOT NULL, UNIQUE (instance, name)) STRICT;
        -- Emissions of slots that may still change.
        CREATE TABLE emission (
            instance INTEGER NOT NULL, timestamp INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (instance, timestamp)) STRICT;
        CREATE TABLE slot (
            id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, end INTEGER NOT NULL, start INTEGER NOT NULL,
            is_house INTEGER NOT NULL, total_is INTEGER NOT NULL,
            total_power_w REAL, minimum_power_w REAL, maximum_power_w REAL,
            grid_power_w REAL, solar_power_w REAL, battery_power_w REAL, consumption_power_w REAL,
            unmonitored_power_w REAL, coverage REAL NOT NULL, quality INTEGER NOT NULL,
            imported_mj INTEGER, exported_mj INTEGER, produced_mj INTEGER,
            consumed_mj INTEGER, charged_mj INTEGER, discharged_mj INTEGER,
            imported_total_mj INTEGER, exported_total_mj INTEGER, produced_total_mj INTEGER,
            consumed_total_mj INTEGER, charged_total_mj INTEGER, discharged_total_mj INTEGER,
            day_mj INTEGER, closing_day_mj INTEGER, billed_mj INTEGER,
            -- See CircuitCoding.swift.
            circuit_count INTEGER NOT NULL, circuits BLOB NOT NULL,
            revision INTEGER NOT NULL, delivered INTEGER NOT NULL, UNIQUE (instance, end)) STRICT;
        CREATE INDEX slot_waiting ON slot (end DESC) WHERE delivered < revision;
        -- 15-minute buckets by UTC, kept for good: what hours, local days and months are made of.
        CREATE TABLE bucket (
            instance INTEGER NOT NULL, start INTEGER NOT NULL,
            imported_mj INTEGER, exported_mj INTEGER, produced_mj INTEGER,
            consumed_mj INTEGER, charged_mj INTEGER, discharged_mj INTEGER, billed_mj INTEGER,
            mean_w REAL, minimum_w REAL, maximum_w REAL, covered_s REAL NOT NULL, quality INTEGER NOT NULL,
            -- What held then: per kWh, and per local day.
            import_price REAL, export_price REAL, fixed_price REAL,
            circuits BLOB NOT NULL,
            PRIMARY KEY (instance, start)) STRICT;
        CREATE TABLE alert (
            id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, kind TEXT NOT NULL, start INTEGER NOT NULL,
            peak_w REAL, ended INTEGER, detail TEXT NOT NULL,
            revision INTEGER NOT NULL, delivered INTEGER NOT NULL, UNIQUE (instance, kind, start)) STRICT;
        CREATE INDEX alert_waiting ON alert (start DESC) WHERE delivered < revision;
        -- What the webhook is told of an alert: each state ('raised', 'ended') once; `answered` is NULL until it was.
        CREATE TABLE message (
            id INTEGER PRIMARY KEY, alert INTEGER NOT NULL, state TEXT NOT NULL, answered INTEGER,
            UNIQUE (alert, state)) STRICT;
        CREATE INDEX message_waiting ON message (id) WHERE answered IS NULL;
        -- One row a local night, by its date (YYYY-MM-DD).
        CREATE TABLE night (
            instance INTEGER NOT NULL, date TEXT NOT NULL, power_w REAL, reason TEXT, coverage REAL NOT NULL,
            circuits TEXT NOT NULL, PRIMARY KEY (instance, date)) STRICT, WITHOUT ROWID;
        -- Lines that the server will not take, with its words.
        CREATE TABLE rejected (
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL,
            slot INTEGER, alert INTEGER) STRICT;
        -- Spans that were asked of a meter's history in vain.
        CREATE TABLE asked (
            instance INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, answer TEXT NOT NULL,
            retry_at INTEGER, PRIMARY KEY (instance, start, end)) STRICT, WITHOUT ROWID;
        -- Small values that outlive a restart: the adapters' own, and the host's (keys that begin with "host:").
        CREATE TABLE state (
            instance INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (instance, key)) STRICT, WITHOUT ROWID;
        CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """
}
