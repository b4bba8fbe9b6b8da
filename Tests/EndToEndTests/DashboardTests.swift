import Foundation
import TestSupport
import Testing

@Suite("The dashboard in Chromium", .serialized)
struct DashboardTests {
    private static let zone = "America/St_Johns"

    /// - Parameter logs: what it prints is there, for as long as somebody has it.
    private static func start(_ words: [String], logs: TemporaryDirectory) throws -> ChildProcess {
        let script = Checkout.root.appendingPathComponent("Tests/EndToEndTests/Fixtures/check_dashboard.py").path
        return try ChildProcess(
            "/usr/bin/python3", ["-B", script] + words, environment: ["HOME": logs.path, "PATH": "/usr/bin:/bin"],
            logs: logs, name: "dashboard")
    }

    /// The host lives for as long as the page looks at it.
    static func check(_ what: String, _ host: HostProcess, _ words: [String] = []) throws {
        let logs = try TemporaryDirectory("dashboard")
        try finish(try start([what, "\(host.port)"] + words, logs: logs), host)
    }

    private static func finish(_ child: ChildProcess, _ host: HostProcess) throws {
        let status = try child.waitForEnd(within: 60)
        #expect(status == 0, "\(child.output.suffix(1000))\(child.errors.suffix(3000))")
        #expect(host.isRunning)
    }

    /// A mock with a stored slot: there is something to draw.
    private static func mock(_ settings: [String: String] = [:]) throws -> HostProcess {
        let host = try HostProcess(QuickMock.settings.merging(settings) { $1 })
        let headers = settings["API_TOKEN"].map { ["Authorization": "Bearer \($0)"] } ?? [:]
        try waitUntil("a stored quarter; the log:\n\(host.log.suffix(2000))", within: 15) {
            let answer = try? HTTP.get(host.port, "/api/v1/history?resolution=15m", headers: headers)
            return (try answer?.object()["periods"] as? [Any])?.isEmpty == false
        }
        return host
    }

    @Test("It shows the house, goes on by itself, and fits on a phone and a desk, in light and dark")
    func look() throws {
        let host = try Self.mock(["TZ": Self.zone, "TARIFF_PER_KWH": "0.3", "TARIFF_CURRENCY": "EUR"])
        let screenshots = Checkout.root.appendingPathComponent(".build/screenshots").path
        try Self.check("look", host, [screenshots, Self.zone])
    }

    @Test("It says that it is not live while the service is away, and goes on when it is back")
    func restart() throws {
        let host = try Self.mock()
        let logs = try TemporaryDirectory("dashboard")
        let page = try Self.start(["restart", "\(host.port)"], logs: logs)
        try waitUntil("the page; \(page.errors)", within: 20) { page.output.contains("LIVE") || !page.isRunning }
        host.kill9()
        try waitUntil("the page to notice", within: 20) { page.output.contains("LOST") || !page.isRunning }
        try host.start()
        try Self.finish(page, host)
    }

    @Test("A page that was left holds no connection, and is live again when one comes back to it")
    func visits() throws { try Self.check("visits", try Self.mock()) }

    @Test("Names of circuits that are markup or paths are text")
    func hostileNames() throws {
        let folder = try TemporaryDirectory("hostile")
        let host = try Hostile.host(folder)
        try waitUntil("a stored quarter", within: 15) {
            let answer = try? HTTP.get(host.port, "/api/v1/history?resolution=15m")
            return (try answer?.object()["periods"] as? [Any])?.isEmpty == false
        }
        try Self.check("names", host, Hostile.circuits.map(\.name))
    }

    @Test("What is live is not overwritten by what is fetched, and a name is no end of a line")
    func parts() throws { try Self.check("parts", try Self.mock()) }

    @Test("A meter is read, paused and resumed with the keyboard, once, and what came of it is said")
    func asks() throws {
        // The second is read when it is asked to, and else once in a quarter of an hour.
        let settings = [
            "METER_TYPE": "mock,mock@garage", "PRIMARY_METER": "mock", "MOCK__GARAGE__SAMPLE_SECONDS": "900",
            "MOCK__GARAGE__INTERVAL_SECONDS": "900",
        ]
        // To a browser a name of the house is not trustworthy: it says where a request comes from in `Origin` alone.
        try Self.check("asks", try Self.mock(settings), ["smart-meter.lan"])
    }

    @Test("Lines that the server refuses are listed once somebody looks, as text, and followed")
    func rejected() throws {
        let folder = try TemporaryDirectory("rejected")
        let name = Hostile.circuits[0].name
        let server = try InfluxV3Imitation(poison: name)
        let host = try Hostile.host(
            folder, ["DIARY_INTERVAL_SECONDS": "3", "INFLUXDB_URL": server.url, "INFLUXDB_API": "v3"])
        try Self.check("rejected", host, [name])
    }

    @Test("A device whose clock is wrong shows the house by the clock of the house", arguments: [-5, 5, 75])
    func clock(hours: Int) throws { try Self.check("clock", try Self.mock(), ["\(hours * 3600)"]) }

    @Test("When the clock of the house is set, the page follows")
    func clockSet() throws {
        let clock = try TestClock(Date().timeIntervalSince1970)
        let host = try Self.mock(clock.settings)
        let logs = try TemporaryDirectory("dashboard")
        let page = try Self.start(["clock_set", "\(host.port)", "7200"], logs: logs)
        try waitUntil("the page; \(page.errors)", within: 20) { page.output.contains("LIVE") || !page.isRunning }
        try clock.set(clock.now + 7200)
        try Self.finish(page, host)
    }

    @Test("Everything is reached with the keyboard and has a name for a screen reader")
    func keyboard() throws { try Self.check("keys", try Self.mock()) }

    @Test("It asks for the token where one is set")
    func token() throws {
        let token = "correct-horse-battery"
        let host = try Self.mock(["API_TOKEN": token])
        try Self.check("token", host, [token])
    }

    @Test("Without Chart.js it says so and has a table")
    func withoutCharts() throws { try Self.check("no_chart", try Self.mock()) }

    @Test(
        "Readings that are estimated, backfilled or old are marked",
        arguments: [
            ("METER_QUALITY_ESTIMATED", 0, ["Estimated"]), ("METER_QUALITY_BACKFILLED", 0, ["Backfilled"]),
            ("METER_QUALITY_MEASURED", 1200, ["Stale"]),
        ])
    func marks(quality: String, age: Int64, marks: [String]) throws {
        let folder = try TemporaryDirectory("marks")
        try CAdapter.build("diary.c", as: "diary.so", in: folder, macros: ["QUALITY=\(quality)"])
        let now = Int64(Date().timeIntervalSince1970)
        let lines = stride(from: now - 1800, through: now - age, by: 60).map { "at \($0) 1000 0 0 100" }
        try folder.write("diary", "circuit oven 1 0 - Oven\n" + lines.joined(separator: "\n") + "\n")
        let host = try HostProcess([
            "METER_TYPE": "diary", "DIARY_FILE": folder.file("diary").path, "ADAPTER_PATH": folder.path,
            "DIARY_INTERVAL_SECONDS": "60", "STALE_SECONDS": "86400",
        ])
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        try Self.check("marks", host, marks)
    }

    @Test("A household that stands in is marked, and the page says what is wrong and what to do")
    func standIn() throws {
        let host = try HostProcess([
            "METER_TYPE": "home_assistant", "HOME_ASSISTANT_URL": "http://127.0.0.1:9", "HOME_ASSISTANT_TOKEN": "token",
        ])
        try host.waitForConsumption("the stand-in") { $0["simulated"] as? Bool == true }
        try Self.check("marks", host, ["Simulated"])
        try Self.check("problems", host, ["Mock data stands in", "home_assistant is failing"])
    }
}
