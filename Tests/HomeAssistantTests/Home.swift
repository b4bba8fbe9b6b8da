import FakeHost
import Foundation
import Synchronization
import TestSupport

/// A Home Assistant that answers the template with these rows: id, state, name, unit, seconds since it was reported.
final class Home: Sendable {
    typealias Row = (id: String, state: String, name: String, unit: String?, age: Double)
    private let rows = Mutex<[Row]>([])
    private let made = Mutex<[FakeRequest]>([])
    let now = 1_767_225_600.0
    private let template: Mutex<FakeAnswer?>

    /// - Parameter template: what it answers to every template.
    init(_ rows: [Row], template: FakeAnswer? = nil) {
        self.rows.withLock { $0 = rows }
        self.template = Mutex(template)
    }

    /// Paths, in order.
    var asked: [String] { requests.map { URL(string: $0.url)?.path ?? "" } }
    var requests: [FakeRequest] { made.withLock { $0 } }

    func answerTemplate(_ answer: FakeAnswer) { template.withLock { $0 = answer } }

    /// An adapter that asks it.
    func instance(_ settings: [String: String] = [:]) throws -> (FakeHost, InstanceUnderTest) {
        let host = FakeHost(
            settings: ["url": "http://ha:8123", "token": "T0ken"].merging(settings) { $1 }, respond: answer)
        host.wall = Int64(now * 1e9)
        let library = Checkout.product("libsmartmeter-homeassistant.so")
        return (host, try AdapterUnderTest(path: library).create(host))
    }

    func set(_ rows: [Row]) { self.rows.withLock { $0 = rows } }

    func answer(_ request: FakeRequest) -> FakeAnswer {
        let path = URL(string: request.url)?.path ?? ""
        made.withLock { $0.append(request) }
        let rows = rows.withLock { $0 }
        if path == "/api/template" {
            if let answer = template.withLock({ $0 }) { return answer }
            let lines = rows.map { row in
                json([row.id, row.state, row.name, row.unit as Any? ?? NSNull(), "power", now - row.age])
            }
            return .answer(status: 200, contentType: "text/plain", body: "\(now)\n" + lines.joined(separator: "\n"))
        }
        let states = rows.map { row -> [String: Any] in
            [
                "entity_id": row.id, "state": row.state, "last_updated": iso(now - row.age),
                "attributes": ["friendly_name": row.name, "unit_of_measurement": row.unit as Any? ?? NSNull()],
            ]
        }
        return .answer(status: 200, contentType: "application/json", body: json(states))
    }

    private func json(_ value: Any) -> String {
        let data = try? JSONSerialization.data(withJSONObject: value)
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    private func iso(_ seconds: Double) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.string(from: Date(timeIntervalSince1970: seconds))
    }
}
