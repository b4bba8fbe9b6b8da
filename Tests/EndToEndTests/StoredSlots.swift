import Foundation
import TestSupport

/// What a host's store holds, read with SQLite's own command while the host runs or is dead.
struct StoredSlots {
    let dataDirectory: TemporaryDirectory

    struct Slot: Equatable {
        /// Nanoseconds since the epoch.
        let end: Int64
        let meterType: String
        let totalPowerW: Double?
        /// Circuit name to watts.
        var circuits: [String: Double] = [:]
    }

    /// By their ends.
    func slots() throws -> [Slot] {
        let rows = try query(
            "SELECT s.end, i.meter_type, s.total_power_w FROM slot s JOIN instance i ON i.id = s.instance ORDER BY s.end"
        )
        var slots = rows.compactMap { row in
            Self.integer(row["end"]).map {
                Slot(
                    end: $0, meterType: row["meter_type"] as? String ?? "",
                    totalPowerW: (row["total_power_w"] as? NSNumber)?.doubleValue)
            }
        }
        let circuits = try query(
            """
            SELECT s.end, n.name, c.power_w FROM slot_circuit c JOIN slot s ON s.id = c.slot
            JOIN circuit_name n ON n.id = c.name WHERE c.power_w IS NOT NULL
            """)
        let indices = Dictionary(uniqueKeysWithValues: slots.enumerated().map { ($1.end, $0) })
        for row in circuits {
            guard let end = Self.integer(row["end"]), let index = indices[end], let name = row["name"] as? String else {
                continue
            }
            slots[index].circuits[name] = (row["power_w"] as? NSNumber)?.doubleValue
        }
        return slots
    }

    /// The newest end for which everything up to it is delivered; 0 where there is none.
    func deliveredUpTo() throws -> Int64 {
        let rows = try query(
            """
            SELECT max(end) AS end FROM slot WHERE end <
            ifnull((SELECT min(end) FROM slot WHERE delivered < revision), 9223372036854775807)
            """)
        return Self.integer(rows.first?["end"]) ?? 0
    }

    /// Whether so many slots with a total are delivered; false while there is no store.
    func hasDelivered(_ count: Int) throws -> Bool {
        guard try newestOrNone() > 0 else { return false }
        let limit = try deliveredUpTo()
        return try slots().filter { $0.end <= limit && $0.totalPowerW != nil }.count >= count
    }

    /// 0 while there is no store, or no slot in it.
    func newestOrNone() throws -> Int64 {
        guard FileManager.default.fileExists(atPath: dataDirectory.file("smart-meter.db").path) else { return 0 }
        return (try? newestEnd()) ?? 0
    }

    func newestEnd() throws -> Int64 {
        Self.integer(try query("SELECT max(end) AS end FROM slot").first?["end"]) ?? 0
    }

    func isSound() throws -> Bool {
        try query("PRAGMA integrity_check").first?["integrity_check"] as? String == "ok"
    }

    func query(_ sql: String) throws -> [[String: Any]] {
        let logs = try TemporaryDirectory("sqlite3")
        let child = try ChildProcess(
            "/usr/bin/sqlite3",
            ["-json", "-cmd", ".timeout 2000", dataDirectory.file("smart-meter.db").path, sql], logs: logs,
            name: "sqlite3")
        guard try child.waitForEnd() == 0 else { throw FixtureError("sqlite3: \(child.errors)") }
        let output = child.output
        if output.isEmpty { return [] }
        return try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]] ?? []
    }

    private static func integer(_ value: Any?) -> Int64? { (value as? NSNumber)?.int64Value }
}

/// Whether two powers are the same, to the thousandth of a watt that lines carry; SQLite's command prints a number with
/// digits that it has not.
func isSamePower(_ first: Double?, _ second: Double?) -> Bool {
    guard let first, let second else { return first == nil && second == nil }
    return abs(first - second) <= 0.0005
}
