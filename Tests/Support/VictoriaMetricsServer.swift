import Foundation
import Synchronization

/// A real VictoriaMetrics on a loopback port, with data of its own; it takes InfluxDB's v2 writes.
public final class VictoriaMetricsServer: Sendable {
    public let port: UInt16
    public var url: String { "http://127.0.0.1:\(port)" }

    public init() throws {
        port = try Loopback.freePort()
        folder = try TemporaryDirectory("victoria-metrics")
        try start()
    }

    /// Again on the same port and data, after `stop`.
    public func start() throws {
        let child = try ChildProcess(
            "/usr/bin/victoria-metrics",
            [
                "-httpListenAddr=127.0.0.1:\(port)", "-storageDataPath=\(folder.path)/data", "-retentionPeriod=100y",
                "-dedup.minScrapeInterval=1ms", "-search.latencyOffset=0s", "-memory.allowedBytes=200MB",
            ],
            environment: ["HOME": folder.path], logs: folder, name: "victoria-metrics")
        process.withLock { $0 = child }
        try waitUntil("victoria-metrics on port \(port)", within: 20) {
            guard child.isRunning else { throw FixtureError("victoria-metrics ended: \(child.errors.suffix(500))") }
            return (try? HTTP.get(port, "/health", timeout: 1).status) == 200
        }
    }

    public func stop() {
        process.withLock { $0 }?.terminate()
        process.withLock { $0 = nil }
    }

    /// One series: a field of a measurement.
    public struct Series: Sendable {
        /// `<measurement>_<field>`.
        public let name: String
        public let tags: [String: String]
        public let samples: [Sample]
    }

    public struct Sample: Sendable, Equatable {
        public let milliseconds: Int64
        public let value: Double

        public init(milliseconds: Int64, value: Double) {
            self.milliseconds = milliseconds
            self.value = value
        }
    }

    /// What is stored of the series whose name begins with `prefix`.
    public func series(_ prefix: String) throws -> [Series] {
        // What was written a moment ago can be read only once it is flushed.
        _ = try HTTP.get(port, "/internal/force_flush")
        let selector = HTTP.escaped("{__name__=~\"\(prefix).*\"}")
        let answer = try HTTP.get(port, "/api/v1/export?match[]=\(selector)")
        guard answer.status == 200 else { throw FixtureError("VictoriaMetrics: \(answer.status) \(answer.text)") }
        return try answer.text.split(separator: "\n").map { try Self.series(Data($0.utf8)) }
    }

    private let folder: TemporaryDirectory
    private let process = Mutex<ChildProcess?>(nil)

    private static func series(_ line: Data) throws -> Series {
        guard let object = try JSONSerialization.jsonObject(with: line) as? [String: Any],
            var tags = object["metric"] as? [String: String], let name = tags.removeValue(forKey: "__name__"),
            let values = object["values"] as? [NSNumber], let times = object["timestamps"] as? [NSNumber]
        else { throw FixtureError("VictoriaMetrics: not a series: \(String(decoding: line, as: UTF8.self))") }
        let samples = zip(times, values).map { Sample(milliseconds: $0.int64Value, value: $1.doubleValue) }
        return Series(name: name, tags: tags, samples: samples)
    }
}
