import Foundation
import Synchronization

/// A small server that answers as InfluxDB 3 Core is documented to (`/api/v3/write_lp`); it keeps the lines. No package
/// of the real one is to be had for the tests.
public final class InfluxV3Imitation: Sendable {
    public var port: UInt16 { server.port }
    public var url: String { server.url }

    /// Lines that hold this text are refused, their neighbours stored.
    public let poison: String?

    public init(token: String? = nil, poison: String? = nil) throws {
        self.poison = poison
        let lines = Lines()
        self.lines = lines
        server = try FaultServer { request in
            .reply(Self.answer(request, token: token, poison: poison, lines: lines))
        }
    }

    public func stop() { server.stop() }

    /// The lines stored, as sent, in the order in which they came.
    public func stored(database: String = "smart_meter_data") -> [String] {
        lines.values.withLock { $0[database] ?? [] }
    }

    /// The requests to the write endpoint.
    public var writes: [FaultServer.Request] { server.requests.filter { $0.path == "/api/v3/write_lp" } }

    private final class Lines: Sendable {
        let values = Mutex<[String: [String]]>([:])
    }

    private let server: FaultServer
    private let lines: Lines

    private static func answer(
        _ request: FaultServer.Request, token: String?, poison: String?, lines: Lines
    ) -> FaultServer.Reply {
        if let token, request.headers["authorization"] != "Bearer \(token)" {
            return .json(401, #"{"error":"the request was not authenticated"}"#)
        }
        switch (request.method, request.path) {
        case ("GET", "/ping"):
            return .json(200, #"{"version":"3.2.0","revision":"imitation","process_id":"0"}"#)
        case ("GET", "/health"):
            return FaultServer.Reply(200, "OK")
        case ("POST", "/api/v3/write_lp"):
            return write(request, poison: poison, lines: lines)
        default:
            return .json(404, #"{"error":"not found"}"#)
        }
    }

    private static func write(_ request: FaultServer.Request, poison: String?, lines: Lines) -> FaultServer.Reply {
        guard let database = request.parameter("db") else { return .json(400, #"{"error":"missing db"}"#) }
        guard request.headers["content-encoding"] == nil else {
            return .json(415, #"{"error":"this imitation reads no compressed bodies"}"#)
        }
        let all = request.text.split(separator: "\n").map(String.init)
        let isBad = all.map { line in poison.map { line.contains($0) } ?? false }
        let acceptsPartly = request.parameter("accept_partial") != "false"
        let hasBad = isBad.contains(true)
        if !hasBad || acceptsPartly {
            let good = zip(all, isBad).filter { !$1 }.map(\.0)
            lines.values.withLock { $0[database, default: []] += good }
        }
        guard hasBad else { return FaultServer.Reply(204) }
        let errors = zip(all.indices, all).filter { isBad[$0.0] }.map { index, line in
            ["original_line": line, "line_number": index + 1, "error_message": "refused by the test"] as [String: Any]
        }
        let body = ["error": "partial write of line protocol occurred", "data": errors] as [String: Any]
        let json = (try? JSONSerialization.data(withJSONObject: body)) ?? Data()
        return .json(400, String(decoding: json, as: UTF8.self))
    }
}
