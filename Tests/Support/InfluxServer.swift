import Foundation
import Synchronization

/// A real InfluxDB 1.6 on a loopback port, with data of its own.
public final class InfluxServer: Sendable {
    public let port: UInt16
    public var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameters:
    ///   - account: with one, every request needs it; it is made as an administrator.
    ///   - speaksIPv6: it listens on all addresses of both kinds, on ::1 among them.
    public init(
        database: String? = "smart_meter_data", account: (user: String, password: String)? = nil,
        speaksIPv6: Bool = false
    ) throws {
        port = try Loopback.freePort()
        address = speaksIPv6 ? "[::]" : "127.0.0.1"
        folder = try TemporaryDirectory("influxdb")
        self.account = account.map { Account(user: $0.user, password: $0.password) }
        try writeConfiguration()
        try start()
        if let account {
            try query("CREATE USER \(account.user) WITH PASSWORD '\(account.password)' WITH ALL PRIVILEGES")
        }
        if let database { try createDatabase(database) }
    }

    /// Again on the same port and data, after `stop`.
    public func start() throws {
        let child = try ChildProcess(
            "/usr/bin/influxd", ["-config", folder.file("influxdb.conf").path],
            environment: ["HOME": folder.path, "GOMAXPROCS": "2"], logs: folder, name: "influxd")
        process.withLock { $0 = child }
        try waitUntil("influxd on port \(port): \(child.errors.suffix(300))", within: 20) {
            guard child.isRunning else { throw FixtureError("influxd ended: \(child.errors.suffix(500))") }
            return (try? HTTP.get(port, "/ping", timeout: 1).status) == 204
        }
    }

    public func stop() {
        process.withLock { $0 }?.terminate()
        process.withLock { $0 = nil }
    }

    /// As a power cut: no time to write anything.
    public func kill() {
        process.withLock { $0 }?.kill()
        process.withLock { $0 = nil }
    }

    public func createDatabase(_ name: String) throws {
        try query("CREATE DATABASE \"\(name)\"")
    }

    /// All points of a measurement, by time; tags as tags, fields that a point has not are left out.
    public func points(_ measurement: String, database: String = "smart_meter_data") throws -> [InfluxPoint] {
        let results = try query("SELECT * FROM \"\(measurement)\" GROUP BY *", database: database)
        return try results.flatMap(Self.points).sorted { $0.time < $1.time }
    }

    /// - Returns: the series of all statements, as InfluxDB's JSON has them.
    @discardableResult
    public func query(_ text: String, database: String = "") throws -> [[String: Any]] {
        let answer = try HTTP.post(
            port, "/query", body: "q=\(HTTP.escaped(text))&db=\(HTTP.escaped(database))&epoch=ns",
            headers: ["Content-Type": "application/x-www-form-urlencoded"].merging(authorization) { $1 })
        guard answer.status == 200, let results = try answer.object()["results"] as? [[String: Any]] else {
            throw FixtureError("InfluxDB: \(text): \(answer.status) \(answer.text)")
        }
        if let error = results.compactMap({ $0["error"] }).first { throw FixtureError("InfluxDB: \(text): \(error)") }
        return results.flatMap { $0["series"] as? [[String: Any]] ?? [] }
    }

    private struct Account: Sendable {
        let user: String
        let password: String
    }

    private let folder: TemporaryDirectory
    private let address: String
    private let account: Account?
    private let process = Mutex<ChildProcess?>(nil)

    private var authorization: [String: String] {
        guard let account else { return [:] }
        return ["Authorization": "Basic \(Data("\(account.user):\(account.password)".utf8).base64EncodedString())"]
    }

    private func writeConfiguration() throws {
        try folder.write(
            "influxdb.conf",
            """
            reporting-disabled = true
            bind-address = "127.0.0.1:\(Loopback.freePort())"
            [meta]
            dir = "\(folder.path)/meta"
            [data]
            dir = "\(folder.path)/data"
            wal-dir = "\(folder.path)/wal"
            query-log-enabled = false
            [http]
            bind-address = "\(address):\(port)"
            auth-enabled = \(account != nil)
            log-enabled = false
            [monitor]
            store-enabled = false
            """)
    }

    private static func points(_ series: [String: Any]) throws -> [InfluxPoint] {
        guard let name = series["name"] as? String, let columns = series["columns"] as? [String],
            let rows = series["values"] as? [[Any]]
        else { throw FixtureError("InfluxDB: a series that is none: \(series)") }
        // GROUP BY * gives tags that a series has not as empty.
        let tags = (series["tags"] as? [String: String] ?? [:]).filter { !$0.value.isEmpty }
        return rows.map { row in
            var point = InfluxPoint(measurement: name, tags: tags, fields: [:], time: 0)
            for (column, value) in zip(columns, row) {
                if column == "time" {
                    point.time = (value as? NSNumber)?.int64Value ?? 0
                } else {
                    point.fields[column] = InfluxPoint.Value(json: value)
                }
            }
            return point
        }
    }
}

extension InfluxPoint.Value {
    /// Nil for null.
    fileprivate init?(json: Any) {
        switch json {
        case let text as String: self = .text(text)
        case let number as NSNumber: self = .number(number.doubleValue)
        default: return nil
        }
    }
}
