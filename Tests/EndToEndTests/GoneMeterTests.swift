import Foundation
import TestSupport
import Testing

@Suite("A meter that METER_TYPE names no more", .serialized)
struct GoneMeterTests {
    private static func object(_ host: HostProcess, _ path: String) throws -> [String: Any] {
        try HTTP.get(host.port, "/api/v1/\(path)").object()
    }

    @Test("Its history is there, its alerts have ended, and only what was never there is not found")
    func gone() throws {
        let folder = try TemporaryDirectory("gone")
        let settings = QuickMock.settings.merging(["HIGH_POWER_THRESHOLD_W": "50"]) { $1 }
        let first = try HostProcess(settings, dataDirectory: folder)
        try waitUntil("a slot and an alert; the log:\n\(first.log.suffix(2000))", within: 20) {
            let periods = try? Self.object(first, "history?resolution=raw")["periods"] as? [Any]
            let alerts = try? Self.object(first, "alerts?state=raised")["alerts"] as? [Any]
            return periods?.isEmpty == false && alerts?.isEmpty == false
        }
        first.kill9()

        var others = settings
        others["METER_TYPE"] = "mock@b"
        others["HIGH_POWER_THRESHOLD_W"] = "90000"
        let host = try HostProcess(others, dataDirectory: folder)
        let alert = try waitFor("the end of the alert; the log:\n\(host.log.suffix(2000))", within: 20) {
            let alerts = try? Self.object(host, "alerts")["alerts"] as? [[String: Any]]
            return alerts?.first { $0["instance"] as? String == "mock" && $0["state"] as? String == "ended" }
        }
        #expect(alert["kind"] as? String == "high_consumption")
        #expect(alert["detail"] as? String == "above 50.0 W")
        #expect(alert["ended_at"] is String)
        #expect(try !HTTP.get(host.port, "/metrics").text.contains("smart_meter_alert_active{"))

        for path in ["history?resolution=15m&", "energy?", "circuits?", "phantom?"] {
            let answer = try Self.object(host, "\(path)instance=mock")
            #expect((answer["instance"] ?? answer["meter"]) as? String == "mock", "\(path)")
            for never in ["mock@c", "mock@", "nowhere", ""] {
                let status = try HTTP.get(host.port, "/api/v1/\(path)instance=\(HTTP.escaped(never))").status
                #expect(status == 404, "\(path) \(never)")
            }
        }
        #expect((try Self.object(host, "history?resolution=15m&instance=mock")["periods"] as? [Any])?.isEmpty == false)
        #expect((try Self.object(host, "energy?instance=mock")["periods"] as? [Any])?.isEmpty == false)
        let circuits = try Self.object(host, "circuits?instance=mock")
        #expect((circuits["circuits"] as? [Any])?.isEmpty == false && circuits["timestamp"] is NSNull)
    }

    @Test("An answer says until when it counts: to the end of a quarter hour, and nothing behind it")
    func until() throws {
        let host = try HostProcess(QuickMock.settings)
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        let span = "from=2026-11-01T07:10:00Z&to=2026-11-01T07:37:00Z"
        for path in ["history", "energy"] {
            let quarters = try Self.object(host, "\(path)?resolution=15m&\(span)")
            #expect(quarters["from"] as? String == "2026-11-01T07:00:00.000Z", "\(path)")
            #expect(quarters["to"] as? String == "2026-11-01T07:45:00.000Z", "\(path)")
            let hours = try Self.object(host, "\(path)?resolution=1h&from=2026-11-01T06:00:00Z&to=2026-11-01T07:00:00Z")
            #expect(hours["to"] as? String == "2026-11-01T07:00:00.000Z", "\(path)")
        }
        let raw = try Self.object(host, "history?resolution=raw&\(span)")
        #expect(raw["to"] as? String == "2026-11-01T07:37:00.000Z")
    }
}
