import Foundation
import TestSupport

/// What a host's store holds, read with SQLite's own command while the host runs or is dead.
struct StoredSlots {
    private let file: String

    init(dataDirectory: TemporaryDirectory) { self.init(path: dataDirectory.path) }

    /// - Parameter path: DATA_DIR.
    init(path: String) { file = path + "/smart-meter.db" }

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
        // Names after slots: those of a slot are stored with it.
        let rows = try query(
            """
            SELECT s.end, i.meter_type, s.total_power_w, hex(s.circuits) AS circuits FROM slot s
            JOIN instance i ON i.id = s.instance ORDER BY s.end
            """)
        var names: [Int64: String] = [:]
        for row in try query("SELECT id, name FROM circuit_name") {
            if let id = Self.integer(row["id"]), let name = row["name"] as? String { names[id] = name }
        }
        return try rows.compactMap { row in
            guard let end = Self.integer(row["end"]) else { return nil }
            var slot = Slot(
                end: end, meterType: row["meter_type"] as? String ?? "",
                totalPowerW: (row["total_power_w"] as? NSNumber)?.doubleValue)
            for (name, powerW) in try StoredCircuits(hex: row["circuits"] as? String ?? "").powers {
                guard let shown = names[name] else { throw FixtureError("no circuit name has the id \(name)") }
                slot.circuits[shown] = powerW
            }
            return slot
        }
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
        guard FileManager.default.fileExists(atPath: file) else { return 0 }
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
            ["-json", "-cmd", ".timeout 2000", file, sql], logs: logs, name: "sqlite3")
        guard try child.waitForEnd() == 0 else { throw FixtureError("sqlite3: \(child.errors)") }
        let output = child.output
        if output.isEmpty { return [] }
        return try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]] ?? []
    }

    private static func integer(_ value: Any?) -> Int64? { (value as? NSNumber)?.int64Value }
}

/// The circuits of a slot as the store keeps them: `Sources/Host/Storage/CircuitCoding.swift` says how.
private struct StoredCircuits {
    /// Ids of names, and watts where they are measured.
    private(set) var powers: [(name: Int64, powerW: Double)] = []
    private var rest: ArraySlice<UInt8>

    init(hex: String) throws {
        let digits = Array(hex.utf8)
        rest =
            stride(from: 0, to: digits.count - 1, by: 2).map { index in
                UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) ?? 0
            }[...]
        guard rest.popFirst() == 1 else { throw FixtureError("circuits of an unknown version") }
        while !rest.isEmpty {
            _ = try number()
            rest = rest.dropFirst()
            let name = try signed()
            let present = rest.popFirst() ?? 0
            for bit in 0..<7 where present >> UInt8(bit) & 1 == 1 {
                let value = try signed()
                if bit == 0 { powers.append((name, Double(value) / 1000)) }
            }
            _ = try signed()
        }
    }

    private mutating func number() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw FixtureError("circuits that end in the middle of a number") }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw FixtureError("a number of circuits that is too long")
    }

    private mutating func signed() throws -> Int64 {
        let value = try number()
        return value & 1 == 0 ? Int64(value >> 1) : -Int64(value >> 1) - 1
    }
}

/// Whether two powers are the same, to the thousandth of a watt that lines carry; SQLite's command prints a number with
/// digits that it has not.
func isSamePower(_ first: Double?, _ second: Double?) -> Bool {
    guard let first, let second else { return first == nil && second == nil }
    return abs(first - second) <= 0.0005
}
