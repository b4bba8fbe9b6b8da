import Foundation
import Testing

@testable import TestSupport

/// The simulated IoTaWatt answers as the device's documentation and firmware say.
@Suite(.serialized) struct IoTaWattSimulatorTests {
    /// 2019-04-15T16:11:42Z, the example of the documentation.
    private static let now = 1_555_344_702.0

    private func simulator(_ change: (inout IoTaWattModel) -> Void = { _ in }) throws -> IoTaWattSimulator {
        var model = IoTaWattModel(
            inputs: [
                .init(0, "voltage", .voltage(volts: 121.9, hertz: 60.01)),
                .init(1, "mains1", .power(watts: { _ in 1432 }, powerFactor: 0.98, voltage: 0)),
                .init(2, "solar", .power(watts: { $0 % 60 < 30 ? -2210.26 : -1.5 }, powerFactor: 0.99, voltage: 0)),
            ], outputs: [.init("used", [(1, 1), (-1, 2)])], currentLogFrom: 1_555_344_000 - 864_000,
            historyLogFrom: 1_555_344_000 - 8_640_000)
        model.inputs[2].isReversed = true
        change(&model)
        return try IoTaWattSimulator(model, clock: { Self.now })
    }

    private func get(_ simulator: IoTaWattSimulator, _ path: String) throws -> HTTP.Answer {
        try HTTP.get(simulator.port, path)
    }

    @Test(
        arguments: [
            ("y", "2019-01-01T00:00:00Z"), ("M", "2019-04-01T00:00:00Z"), ("w", "2019-04-14T00:00:00Z"),
            ("d", "2019-04-15T00:00:00Z"), ("h", "2019-04-15T16:00:00Z"), ("m", "2019-04-15T16:11:00Z"),
            ("s", "2019-04-15T16:11:40Z"), ("d-1d", "2019-04-14T00:00:00Z"), ("d-18h", "2019-04-14T06:00:00Z"),
            ("s-3h", "2019-04-15T13:11:40Z"), ("y-1M", "2018-12-01T00:00:00Z"), ("w-1w+3d+12h", "2019-04-10T12:00:00Z"),
            ("s-30s", "2019-04-15T16:11:10Z"), ("2018", "2018-01-01T00:00:00Z"), ("2018-01", "2018-01-01T00:00:00Z"),
            ("2019-04-15T11:42:15", "2019-04-15T11:42:15Z"), ("2019-04-15T11:42:15Z", "2019-04-15T11:42:15Z"),
            ("1555344700", "2019-04-15T16:11:40Z"), ("1555344700123", "2019-04-15T16:11:40Z"), ("x", nil), ("", nil),
            ("s-", nil), ("s-1q", nil), ("155534470", nil),
        ] as [(String, String?)])
    func `times are those of the documentation`(text: String, expected: String?) throws {
        let instant = try expected.map { try Int(Date($0, strategy: .iso8601).timeIntervalSince1970) }
        let time = IoTaWattTime(now: Int(Self.now), timeZone: TimeZone(secondsFromGMT: 0))
        #expect(time.parse(text) == instant)
    }

    @Test func `relative times are local`() throws {
        let time = IoTaWattTime(now: Int(Self.now), timeZone: TimeZone(secondsFromGMT: -5 * 3600))
        #expect(time.parse("d") == 1_555_286_400 + 5 * 3600)
        #expect(time.parse("2019-04-15T11:42:15") == time.parse("2019-04-15T16:42:15Z"))
    }

    @Test func `series are inputs in the order of their channels, then outputs`() throws {
        let answer = try get(try simulator(), "/query?show=series")
        #expect(
            answer.text
                == #"{"series":[{"name":"voltage","unit":"Volts"},{"name":"mains1","unit":"Watts"},{"name":"solar","unit":"Watts"},{"name":"used","unit":"Watts"}]}"#
        )
        #expect(answer.headers["content-type"] == "application/json")
        #expect(answer.headers["transfer-encoding"] == "chunked")
        #expect(answer.headers["connection"] == "close")
    }

    @Test(arguments: [
        ("select=[mains1,voltage]&begin=s-30s&end=s&group=30s", "[[1432,121.9]]"),
        ("select=[solar.watts,solar.d0]&begin=m-1m&end=m&group=all", "[[-1105.9,-1106]]"),
        ("select=[mains1.wh.d3,mains1.wh]&begin=m-1m&end=m&group=all", "[[23.867,24]]"),
        (
            "select=[mains1.va,mains1.pf.d2,mains1.amps,voltage.hz]&begin=m-1m&end=m&group=all",
            "[[1461.2,0.98,12,60.01]]"
        ),
        ("select=[used.watts]&begin=m-1m&end=m&group=all", "[[2537.9]]"),
        ("select=[time.utc.unix,mains1]&begin=m-2m&end=m&group=1m", "[[1555344540,1432],[1555344600,1432]]"),
        ("select=[time.iso,mains1]&begin=m-1m&end=m&group=60", #"[["2019-04-15T16:10:00",1432]]"#),
        ("select=[mains1]&begin=s&end=s%2B10s&group=5s", "[[null],[null]]"),
        ("select=[mains1]&begin=s-5s&end=s%2B5s&group=5s&missing=zero", "[[1432],[0]]"),
        ("select=[mains1]&begin=s-5s&end=s%2B5s&group=5s&missing=skip", "[[1432]]"),
        (
            "select=[time.local,mains1]&begin=m-1m&end=m&group=all&format=csv&header=yes",
            "Time, mains1\r\n2019-04-15T16:10:00, 1432"
        ),
        (
            "select=[time.utc.unix,mains1]&begin=m-3m&end=m&group=1m&header=yes&limit=2",
            "{\"range\":[1555344480,1555344660],\"labels\":[\"Time\",\"mains1\"],\r\n"
                + "\"data\":[[1555344480,1432],[1555344540,1432]],\"limit\":1555344600}"
        ),
        (
            "select=[mains1]&begin=m-1m&end=m&group=1m&header=yes&limit=1",
            "{\"range\":[1555344600,1555344660],\"labels\":[\"mains1\"],\r\n\"data\":[[1432]]}"
        ),
    ])
    func `a query is answered to the letter`(query: String, expected: String) throws {
        let answer = try get(try simulator(), "/query?\(query)")
        #expect(answer.status == 200)
        #expect(answer.text == expected)
    }

    @Test(arguments: [
        ("select=[mains1]", "Missing begin, end or group."),
        ("select=[mains1]&begin=s&end=s", "Missing begin, end or group."),
        ("select=[heap_pump]&begin=d&end=s&group=all", "Invalid series: heap_pump"),
        ("select=[mains1]&begin=d&end=s&group=7", "Invalid group"),
        ("select=mains1&begin=d&end=s&group=all", "select not an array []"),
        ("select=[time.loc]&begin=d&end=s&group=all", "invalid time method: loc"),
        ("select=[mains1]&begin=d&end=s&group=all&limit=0", "Invalid limit"),
        ("select=[mains1.foo]&begin=d&end=s&group=all", "Invalid series method: foo"),
        ("select=[mains1]&begin=s&end=d&group=all", "unspecified"),
    ])
    func `what it does not understand is a 400 in its words`(query: String, reason: String) throws {
        let answer = try get(try simulator(), "/query?\(query)")
        #expect(answer.status == 400)
        #expect(answer.text == "{\"error\":\"invalid query. \(reason)\"}")
    }

    @Test func `rows without a limit end after a thousand`() throws {
        let answer = try get(try simulator(), "/query?select=[mains1]&begin=s-2h&end=s&group=5s&header=yes")
        let table = try answer.object()
        #expect((table["data"] as? [Any])?.count == 1000)
        #expect(table["limit"] as? Int == 1_555_344_700 - 7200 + 5000)
    }

    @Test func `an answer beyond its memory breaks off`() throws {
        let device = try simulator()
        #expect(throws: FixtureError.self) {
            _ = try get(device, "/query?select=[time.iso,mains1]&begin=d-1d&end=s&group=5s&limit=none")
        }
    }

    @Test func `status says watts in quotes, and nothing of less than two`() throws {
        let device = try simulator { $0.padsWatts = true }
        let answer = try get(device, "/status?inputs=yes&wifi=yes&stats=yes&datalogs=yes&device=yes&passwords=yes")
        #expect(answer.text.contains(#"{"channel":1,"Watts":" 1432","Pf":0.98,"#))
        #expect(answer.text.contains(#"{"channel":2,"Watts":"    0","Pf":0.0,"reversed":true"#))
        #expect(answer.text.contains(#""Vrms":121.9,"Hz":60.01"#))
        #expect(answer.text.contains(#""mac":"AA:BB:CC:DD:EE:FF""#))
        #expect(answer.text.contains(#""currenttime":1555344702"#))
        #expect(answer.text.contains(#"{"id":"Current","firstkey":1554480000,"lastkey":1555344700"#))
        #expect(try answer.object()["outputs"] == nil)
    }

    @Test func `another path is not found`() throws {
        let answer = try get(try simulator(), "/config")
        #expect(answer.status == 404 && answer.text == "Not found: GET, URI: /config")
    }

    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func `MD5 is that of RFC 1321`(text: String, digest: String) {
        #expect(MD5.hex(text) == digest)
    }
}
