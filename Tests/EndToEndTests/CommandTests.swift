import Foundation
import Glibc
import TestSupport
import Testing

@Suite("What commands say", .serialized)
struct CommandTests {
    @Test(
        "config shows a wrong setting with its value, says what is wrong, and ends with 78",
        arguments: [
            (
                ["METER_TYPE": "mock", "MOCK_SEED": "abc"], "MOCK_SEED=abc",
                "MOCK_SEED=abc is not allowed: it must be a number"
            ),
            (["METER_TYPE": "mock", "TZ": "Europe/Berln"], "TZ=Europe/Berln", "timedatectl list-timezones"),
            (["METER_TYPE": "mock", "API_TOKEN": "hunter2"], "API_TOKEN=***", "API_TOKEN=*** is not allowed"),
            (["METER_TYPE": "moc"], "METER_TYPE=moc", "no adapter of type moc (mock?)"),
            (["METER_TYPE": "home_assistant"], "HOME_ASSISTANT_TOKEN=", "HOME_ASSISTANT_TOKEN is not set"),
        ])
    func wrongSettings(_ settings: [String: String], _ line: String, _ problem: String) throws {
        let result = try HostProcess.command(["config"], settings: settings)
        #expect(result.status == 78)
        #expect(result.output.split(separator: "\n").contains { $0.hasPrefix(line) }, "\(result.output)")
        #expect(result.errors.contains(problem), "\(result.errors)")
        #expect(!result.output.contains("hunter2") && !result.errors.contains("hunter2"))
    }

    @Test("A zone that there is not stops the start, and says what is allowed")
    func wrongZone() throws {
        let result = try HostProcess.command(["run"], settings: ["METER_TYPE": "mock", "TZ": "Europe/Berln"])
        #expect(result.status == 78)
        #expect(result.errors.contains("a name of the tz database (package tzdata) such as Europe/Berlin"))
    }

    @Test("Names in .env that are no setting are told at the start, and again with SIGHUP")
    func strayNames() throws {
        let names = "SERVICE_PROT=1\nINFLUX_URL=http://x\nMOCK_SEDE=1\nPUID=1000\n"
        let host = try HostProcess(QuickMock.settings, dotEnv: names)
        try host.waitForLog(".env:1: SERVICE_PROT is no setting (SERVICE_PORT?)")
        try host.waitForLog(".env:2: INFLUX_URL is no setting (INFLUXDB_URL?)")
        try host.waitForLog(".env:3: MOCK_SEDE is no setting (MOCK_SEED?)")
        try host.logs.write(".env", "\nSERVICE_PROT=1\n")
        host.signal(SIGHUP)
        try host.waitForLog(".env:2: SERVICE_PROT is no setting (SERVICE_PORT?)")
        #expect(!host.log.contains("PUID"))
        let config = try HostProcess.command(["config"], settings: ["METER_TYPE": "mock"], dotEnv: names)
        #expect(config.status == 0 && config.errors.contains(".env:3: MOCK_SEDE") && !config.errors.contains("PUID"))
    }

    @Test(
        "Where there is no store each outbox command says so, and makes none",
        arguments: [
            ["outbox", "ls"], ["outbox", "replay"], ["outbox", "drop", "--yes"], ["outbox", "export"],
        ])
    func noStore(_ words: [String]) throws {
        let folder = try TemporaryDirectory("nothing")
        let data = folder.file("data").path
        let result = try HostProcess.command(words, settings: ["DATA_DIR": data])
        #expect(result.status == 1)
        #expect(
            result.errors == "smart-meter: there is no store in DATA_DIR \(data): set DATA_DIR to that of the service\n"
        )
        #expect(!FileManager.default.fileExists(atPath: data))
    }

    @Test("A date in a command is the local day of the house, as in the API")
    func localDates() throws {
        // It is the second of June on Kiritimati, 14 hours ahead.
        let clock = try TestClock(1_780_344_000)
        let settings = QuickMock.settings.merging(clock.settings) { $1 }.merging(["TZ": "Pacific/Kiritimati"]) { $1 }
        let host = try HostProcess(settings)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("slots", within: 20) { try store.newestOrNone() > 0 && store.slots().count >= 3 }
        let export = ["outbox", "export", "--from"]
        #expect(try host.command(export + ["2026-06-02"]).output.contains("smart_meter,"))
        #expect(!(try host.command(export + ["2026-06-02T00:00:00Z"]).output.contains("smart_meter,")))
        let wrong = try host.command(export + ["2026-06-31"])
        #expect(wrong.status == 64)
        for form in ["2026-11-23T07:00:00Z", "2026-11-23 (midnight of the house)", "seconds since 1970"] {
            #expect(wrong.errors.contains(form), "\(wrong.errors)")
        }
        host.terminate()
        #expect(try host.command(export + ["2026-06-02"]).output.contains("smart_meter,"))
    }

    @Test(
        "Each command has a page of its own, and the list has them all",
        arguments: [
            ("run", "SIGHUP"), ("adapters", "--json"), ("read", "--json"), ("login", "130"), ("backfill", "--from"),
            ("outbox", "replay"), ("check", "--seed N"), ("config", "--table"), ("new-adapter", "--language"),
        ])
    func pages(_ verb: String, _ word: String) throws {
        let page = try HostProcess.command([verb, "--help"], settings: [:])
        #expect(page.status == 0 && page.output.contains("smart-meter \(verb)") && page.output.contains(word))
        #expect(page.output.contains("exit status:") && !page.output.contains("INFLUXDB_URL"))
        #expect(page.output.split(separator: "\n").allSatisfy { $0.count <= 130 })
        #expect(try HostProcess.command(["help", verb], settings: [:]).output == page.output)
        let all = try HostProcess.command(["--help"], settings: [:]).output
        #expect(all.contains("  \(verb) ") && all.contains("INFLUXDB_URL"))
        #expect(try HostProcess.command(["nonsense", "--help"], settings: [:]).status == 64)
    }

    @Test("A reading that fails is explained once, and what does not exist is called so")
    func reading() throws {
        let failed = try HostProcess.command(
            ["read"], settings: ["HOME_ASSISTANT_URL": "http://127.0.0.1:1", "HOME_ASSISTANT_TOKEN": "t"])
        #expect(failed.status == 69 && failed.errors.split(separator: "\n").count == 1, "\(failed.errors)")
        let unknown = try HostProcess.command(["read", "nosuch"], settings: [:])
        #expect(unknown.status == 64)
        #expect(
            unknown.errors == "smart-meter: there is no adapter of type nosuch; smart-meter adapters lists them\n")
        #expect(try HostProcess.command(["adapters"], settings: [:]).output.contains("_AUTH (basic or digest, "))
    }

    @Test("login without a name asks the running host which meter is the house")
    func loginOfTheHouse() throws {
        let host = try HostProcess(QuickMock.settings)
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        let result = try HostProcess.command(["login"], settings: ["DATA_DIR": host.dataDirectory.path])
        #expect(result.status == 64 && result.errors.contains("mock has no login"), "\(result.errors)")
    }

    @Test("backfill begins where the meter's log does, and ends with the person who asked")
    func backfill() throws {
        // Between two reads there has to be time for a question.
        let host = try HostProcess([
            "METER_TYPE": "mock", "MOCK_SAMPLE_SECONDS": "1", "MOCK_INTERVAL_SECONDS": "10",
        ])
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        func missing() throws -> Int {
            let adapters = try host.health()["adapters"] as? [[String: Any]]
            return (adapters?.first?["missing_slots"] as? NSNumber)?.intValue ?? 0
        }
        let terminal = try host.terminal(["backfill"])
        var most = 0
        try waitUntil("holes; it shows \(terminal.shown)\n\(host.log)", within: 60) {
            most = try missing()
            return most > 0
        }
        // Thirty days.
        #expect(most <= 30 * 8640 + 6)
        terminal.type("\u{3}")
        _ = try terminal.waitForEnd()
        try waitUntil("no more holes", within: 30) { try missing() == 0 }
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        #expect(try store.query("SELECT count(*) AS n FROM slot").first?["n"] as? Int ?? 0 < most)
    }
}
