import Foundation
import Readings
import Testing

@testable import API

@Suite(.serialized) struct EnergyRouteTests {
    private let berlin: Zone

    init() throws { berlin = try Zone(named: "Europe/Berlin") }

    @Test(arguments: [
        ("2026-06-01", 1_780_264_800_000), ("2026-06-01T00:00:00Z", 1_780_272_000_000),
        ("2026-06-01T00:00:00.250+02:00", 1_780_264_800_250), ("2026-06-01t12:30:15z", 1_780_317_015_000),
        ("1780272000", 1_780_272_000_000), ("-5", -5_000), ("8999999999", 8_999_999_999_000),
        ("-8999999999", -8_999_999_999_000), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2026-03-29T02:30:00-05:30", 1_774_771_200_000),
    ])
    func `a time is read as it is written`(_ text: String, _ milliseconds: Int) throws {
        #expect(text.contains(try Regex(TimeParameter.pattern)))
        let instant = TimeParameter.parse(text, in: berlin)
        #expect(instant == Instant(nanoseconds: Int64(milliseconds) * Duration.millisecond))
    }

    @Test(arguments: [
        "", "yesterday", "2026-6-1", "2026-02-29", "2026-13-01", "2026-06-01T", "2026-06-01T00:00:00",
        "2026-06-01T24:00:00Z", "2026-06-01T00:00:00.Z", "2026-06-01T00:00:00+2", "2026-06-01T00:00:00Zx",
        "99999999999999999999", "9999999999999", "9000000000", "-9000000000", "9223372036854775807",
        "-9223372036854775808", "+5", "0000-01-01", "9999-01-01", "2026-06-01 00:00:00Z", "+026-06-01",
    ])
    func `what is no time is refused`(_ text: String) {
        #expect(TimeParameter.parse(text, in: berlin) == nil)
    }

    @Test func `the furthest times that there are end nothing`() throws {
        let server = try RunningServer(FakeHouse(zone: berlin))
        let times = [
            "-9223372036854775808", "9223372036854775807", "-8999999999", "8999999999", "1700-01-01", "2259-12-31",
        ]
        for path in ["history", "energy", "alerts"] {
            for from in times {
                for to in times {
                    let query = path == "alerts" ? "before=\(to)" : "from=\(from)&to=\(to)"
                    #expect([200, 400].contains(try server.get("/api/v1/\(path)?\(query)").status), "\(path) \(query)")
                }
            }
        }
    }

    @Test func `without a question it is the last month by local days`() throws {
        let answer = try RunningServer(FakeHouse(zone: berlin)).get("/api/v1/energy")
        #expect(answer.status == 200)
        #expect(answer.json["resolution"] as? String == "1d")
        #expect(answer.json["time_zone"] as? String == "Europe/Berlin")
        let period = try #require((answer.json["periods"] as? [[String: Any]])?.first)
        #expect(period["start"] as? String == "2026-10-23T22:00:00.000Z")
        #expect(period["end"] as? String == "2026-11-23T12:06:30.000Z")
        #expect(answer.json["from"] as? String == "2026-10-23T22:00:00.000Z")
        #expect(answer.json["to"] as? String == "2026-11-23T12:06:30.000Z")
        #expect(period["import_kwh"] as? Double == 1.5)
        #expect(period["export_kwh"] is NSNull)
        #expect(period["cost"] as? Double == 0.3)
    }

    @Test func `energies and nights are had of an instance, too`() throws {
        for (path, key) in [("energy", "meter"), ("phantom", "instance")] {
            let answer = try RunningServer(FakeHouse(zone: berlin)).get("/api/v1/\(path)?instance=mock%40cabin")
            #expect(answer.json[key] as? String == "mock@cabin")
            let twice = try RunningServer(FakeHouse()).get("/api/v1/\(path)?instance=a&instance=b")
            #expect(twice.status == 400)
        }
    }

    @Test(arguments: [
        "resolution=2h", "from=x", "to=2026-02-30", "from=2026-06-02&to=2026-06-01", "from=2026-06-01&to=2026-06-01",
        "resolution=15m&from=2020-01-01&to=2026-01-01", "resolution=%22%3Cscript%3E",
    ])
    func `a question that makes no sense is told what is allowed`(_ query: String) throws {
        let answer = try RunningServer(FakeHouse(zone: berlin)).get("/api/v1/energy?\(query)")
        #expect(answer.status == 400)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect((answer.json["detail"] as? String)?.isEmpty == false)
    }
}
