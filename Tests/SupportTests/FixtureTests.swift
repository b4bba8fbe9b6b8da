import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The fixtures themselves", .serialized)
struct FixtureTests {
    @Test("InfluxDB stores, answers, and has its data after a restart")
    func influx() throws {
        let server = try InfluxServer()
        let line = #"m,room=a\ b,circuit=x power=1.5,count=2i,text="t" 1700000000000000001"#
        #expect(try HTTP.post(server.port, "/write?db=smart_meter_data&precision=ns", body: line).status == 204)
        server.stop()
        try server.start()
        let points = try server.points("m")
        #expect(points.count == 1)
        #expect(points.first?.tags == ["room": "a b", "circuit": "x"])
        #expect(points.first?.time == 1_700_000_000_000_000_001)
        #expect(points.first?.number("power") == 1.5)
        #expect(points.first?.number("count") == 2)
        #expect(points.first?.text("text") == "t")
        #expect(try server.points("none").isEmpty)
    }

    @Test("InfluxDB with an account refuses who has none")
    func influxAccount() throws {
        let server = try InfluxServer(account: (user: "meter", password: "hunter2"))
        let target = "/write?db=smart_meter_data"
        #expect(try HTTP.post(server.port, target, body: "m v=1").status == 401)
        #expect(try HTTP.post(server.port, "\(target)&u=meter&p=hunter2", body: "m v=1").status == 204)
        #expect(try server.points("m").count == 1)
    }

    @Test("VictoriaMetrics takes a v2 write and gives it back")
    func victoriaMetrics() throws {
        let server = try VictoriaMetricsServer()
        let now = Int64(Date().timeIntervalSince1970) * 1000
        let answer = try HTTP.post(
            server.port, "/api/v2/write?org=o&bucket=b&precision=ns", body: "m,circuit=x power=1.5 \(now)000000")
        #expect(answer.status == 204)
        let series = try waitFor("the series") { try server.series("m_").first }
        #expect(series.name == "m_power")
        #expect(series.tags["circuit"] == "x")
        #expect(series.samples == [.init(milliseconds: now, value: 1.5)])
    }

    @Test("The imitation of InfluxDB 3 stores the good lines and names the bad one")
    func influxV3() throws {
        let server = try InfluxV3Imitation(token: "T", poison: "bad")
        let target = "/api/v3/write_lp?db=smart_meter_data&precision=nanosecond&accept_partial=true"
        #expect(try HTTP.post(server.port, target, body: "a v=1").status == 401)
        let answer = try HTTP.post(
            server.port, target, body: "a v=1\nbad v=1\nc v=1", headers: ["Authorization": "Bearer T"])
        #expect(answer.status == 400)
        let data = try answer.object()["data"] as? [[String: Any]]
        #expect(data?.first?["line_number"] as? Int == 2)
        #expect(server.stored() == ["a v=1", "c v=1"])
    }

    @Test("The fault server does what its script says, and stops at once while it hangs")
    func faults() throws {
        let server = try FaultServer { request in
            switch request.path {
            case "/half": .half(.json(200, "0123456789"))
            case "/hang": .hang
            case "/close": .close
            default: .reply(FaultServer.Reply(503, request.text, headers: ["Retry-After": "7"]))
            }
        }
        let answer = try HTTP.post(server.port, "/any?x=1%202", body: "echo")
        #expect(answer.status == 503)
        #expect(answer.text == "echo")
        #expect(answer.headers["retry-after"] == "7")
        #expect(server.requests.first?.parameter("x") == "1 2")
        #expect(throws: FixtureError.self) { try HTTP.get(server.port, "/half") }
        #expect(throws: FixtureError.self) { try HTTP.get(server.port, "/close") }
        #expect(throws: FixtureError.self) { try HTTP.get(server.port, "/hang", timeout: 0.2) }
        #expect(server.count == 4)
        let begin = ContinuousClock.now
        server.stop()
        #expect(ContinuousClock.now - begin < .seconds(1))
        #expect(throws: FixtureError.self) { try HTTP.get(server.port, "/any") }
    }

    @Test("A child is killed with its last reference, and tells its exit code")
    func child() throws {
        let folder = try TemporaryDirectory()
        let quick = try ChildProcess(
            "/bin/sh", ["-c", "echo $WORD; echo two >&2; exit 3"], environment: ["WORD": "one"], logs: folder, name: "a"
        )
        #expect(try quick.waitForEnd() == 3)
        #expect(quick.output == "one\n")
        #expect(quick.errors == "two\n")
        var long: ChildProcess? = try ChildProcess("/bin/sleep", ["600"], logs: folder, name: "b")
        let number = try #require(long?.processID)
        #expect(kill(number, 0) == 0)
        long = nil
        #expect(kill(number, 0) != 0)
    }

    @Test("Home Assistant runs with template sensors, takes a state, and comes back after a stop")
    func homeAssistant() throws {
        let home = try HomeAssistantServer([
            .init("Total Power", "2450.5", unit: "W", deviceClass: "power"),
            .init("Power Kitchen", "0.35", unit: "kW", deviceClass: "power"),
            .init("Power Garage", "1", unit: "W", deviceClass: "power", isAvailable: false),
            .init("Power Attic", "{{ none }}", unit: "W", deviceClass: "power"),
            .init("Power Balcony", "-180", unit: "W", deviceClass: "power"),
            .init("Power Broken", "not a number"),
        ])
        #expect(try home.state("sensor.total_power") == "2450.5")
        #expect(try home.state("sensor.power_kitchen") == "0.35")
        #expect(try home.state("sensor.power_garage") == "unavailable")
        #expect(try home.state("sensor.power_attic") == "unknown")
        #expect(try home.state("sensor.power_balcony") == "-180")
        #expect(try home.state("sensor.power_broken") == "not a number")
        try home.setState("sensor.total_power", "3000")
        #expect(try home.state("sensor.total_power") == "3000")
        home.stop()
        #expect(throws: FixtureError.self) { try home.state("sensor.total_power") }
        try home.start()
        #expect(try home.state("sensor.total_power") == "2450.5")
    }
}
