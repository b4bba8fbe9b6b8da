import Foundation
import Glibc
import TestSupport
import Testing

@Suite("smart-meter login, on a real terminal", .serialized)
struct LoginTests {
    private static let password = "correct horse & battery=é"
    private static let code = "924613"

    /// Where the adapter runs.
    enum Place: CaseIterable {
        case host, child
    }

    /// A host with the adapter of `Tests/Adapters/cloud.c`.
    private struct Cloud {
        let host: HostProcess
        private let folder: TemporaryDirectory
        private let prefix: InstalledPrefix?

        init(_ place: Place, mode: String = "") throws {
            prefix = place == .host ? try InstalledPrefix() : nil
            folder = try prefix?.adapters ?? TemporaryDirectory("dropped")
            try CAdapter.build("cloud.c", as: "cloud.so", in: folder)
            var settings = ["METER_TYPE": "cloud", "FALLBACK": "none", "CLOUD_MODE": mode]
            if place == .child { settings["ADAPTER_PATH"] = folder.path }
            host = try HostProcess(settings, program: prefix?.program)
        }

        func waitForNeed() throws {
            try host.waitForHealth("the need of a login") { health in
                let faults = health["problems"] as? [[String: Any]] ?? []
                return faults.contains { ($0["todo"] as? String ?? "").contains("smart-meter login cloud") }
            }
        }

        func waitForReading() throws {
            try host.waitForConsumption("a reading") { $0["total_power_w"] as? Double == 321 }
        }
    }

    /// Answers everything right.
    private func logIn(_ terminal: PseudoTerminal) throws {
        #expect(try terminal.answer("E-mail: ", "zoe@example.org"))
        #expect(try !terminal.answer("Password: ", Self.password))
        #expect(try terminal.answer("Code from the app: ", Self.code))
        #expect(try terminal.waitForEnd() == 0, "\(terminal.shown)")
        try terminal.waitFor("cloud: account zoe@example.org, 1 monitor")
        #expect(terminal.shown.contains("zoe@example.org\r\n"))
        #expect(!terminal.shown.contains(Self.password))
        #expect(terminal.echoes)
    }

    private func checkLogs(_ host: HostProcess) {
        #expect(host.allLogs.contains("heard name=zoe@example.org password=*** code=***"))
        #expect(!host.allLogs.contains(Self.password))
        #expect(!host.allLogs.contains(Self.code))
    }

    @Test("Through the running host: it says what to type, reads at once, and needs it once", arguments: Place.allCases)
    func throughHost(_ place: Place) throws {
        let cloud = try Cloud(place)
        try cloud.waitForNeed()
        #expect(try cloud.host.waitForLog("login required").contains("todo=\"smart-meter login cloud\""))
        try logIn(try cloud.host.terminal(["login", "cloud"]))
        try cloud.waitForReading()
        checkLogs(cloud.host)
        try cloud.host.waitForHealth("no fault") { ($0["status"] as? String) == "healthy" }

        cloud.host.kill9()
        try cloud.host.start()
        try cloud.waitForReading()
        #expect(!cloud.host.log.contains("login required"))
    }

    @Test("Where no host runs, for its next start", arguments: Place.allCases)
    func withoutHost(_ place: Place) throws {
        let cloud = try Cloud(place)
        try cloud.waitForNeed()
        cloud.host.terminate()
        let terminal = try cloud.host.terminal(["login", "cloud"])
        try logIn(terminal)
        // A reading that is only printed needs no login of its own.
        let reading = try cloud.host.terminal(["read", "cloud"])
        #expect(try reading.waitForEnd() == 0)
        try reading.waitFor("321")
        try cloud.host.start()
        try cloud.waitForReading()
        #expect(!cloud.host.log.contains("login required"))

        // A pause is the host's: a person who types a command is not held up by it, and does not end it.
        #expect(try HTTP.post(cloud.host.port, "/api/v1/adapters/cloud/pause").status / 100 == 2)
        try cloud.host.waitForLog("adapter paused")
        cloud.host.terminate()
        try logIn(try cloud.host.terminal(["login", "cloud"]))
        #expect(try cloud.host.terminal(["read"]).waitForEnd() == 0)
        try cloud.host.start()
        try cloud.host.waitForLog("adapter paused")
    }

    @Test("Without a host, Ctrl-C gives the terminal and DATA_DIR back")
    func cancelledAlone() throws {
        let cloud = try Cloud(.child)
        try cloud.waitForNeed()
        cloud.host.terminate()
        let terminal = try cloud.host.terminal(["login", "cloud"])
        try terminal.answer("E-mail: ", "zoe@example.org")
        try terminal.waitFor("Password: ")
        #expect(!terminal.echoes)
        terminal.type("correct h\u{3}")
        #expect(try terminal.waitForEnd() == 130)
        #expect(terminal.echoes)
        #expect(terminal.shown.contains("login cancelled"))
        try cloud.host.start()
        try cloud.waitForNeed()
    }

    @Test("A wrong password is said, without a secret")
    func refused() throws {
        let cloud = try Cloud(.child)
        try cloud.waitForNeed()
        let terminal = try cloud.host.terminal(["login"])
        try terminal.answer("E-mail: ", "zoe@example.org")
        try terminal.answer("Password: ", "hunter2hunter2")
        try terminal.answer("Code from the app: ", "000111")
        #expect(try terminal.waitForEnd() == 78)
        try terminal.waitFor("login of cloud: credentials refused: the account does not know *** with ***")
        #expect(!cloud.host.allLogs.contains("hunter2hunter2"))
        #expect(!cloud.host.allLogs.contains("000111"))
        try logIn(try cloud.host.terminal(["login"]))
        try cloud.waitForReading()
    }

    @Test(
        "Ctrl-C, Ctrl-D, and a client that is killed end the login; reads wait for it and go on",
        arguments: Place.allCases)
    func cancelled(_ place: Place) throws {
        let cloud = try Cloud(place, mode: "reads")
        let host = cloud.host
        try cloud.waitForReading()
        for end in ["\u{3}", "\u{4}", "kill"] {
            let ended = host.allLogs.components(separatedBy: "login failed").count
            let terminal = try host.terminal(["login", "cloud"])
            try terminal.answer("E-mail: ", "zoe@example.org")
            try terminal.waitFor("Password: ")
            #expect(!terminal.echoes)
            // Calls to one instance never overlap.
            let during = try attempts(host)
            try waitUntil("the API to go on") { try HTTP.get(host.port, "/live", timeout: 2).status == 200 }
            let second = try host.terminal(["login", "cloud"])
            #expect(try second.waitForEnd() == 69)
            #expect(second.shown.contains("somebody else is logging in"))
            #expect(try attempts(host) == during)
            if end == "kill" {
                terminal.program.kill()
            } else {
                terminal.type(end)
                #expect(try terminal.waitForEnd() == 130)
                #expect(terminal.echoes)
            }
            try waitUntil("the end of the login; the log:\n\(host.log)") {
                host.allLogs.components(separatedBy: "login failed").count > ended
            }
            try waitUntil("reads to go on") { try attempts(host) > during }
        }
        #expect(!host.allLogs.contains("adapter crashed"))
        #expect(try host.health()["status"] as? String == "healthy")
    }

    private func attempts(_ host: HostProcess) throws -> Int {
        let adapters = try host.health()["adapters"] as? [[String: Any]]
        return try #require(adapters?.first?["attempts"] as? Int)
    }

    @Test(
        "A host that goes away ends the login, and is not held up by one", arguments: [SIGKILL, SIGTERM], Place.allCases
    )
    func hostGoes(_ signal: Int32, _ place: Place) throws {
        let cloud = try Cloud(place)
        try cloud.waitForNeed()
        let terminal = try cloud.host.terminal(["login", "cloud"])
        try terminal.answer("E-mail: ", "zoe@example.org")
        try terminal.waitFor("Password: ")
        if signal == SIGKILL {
            cloud.host.kill9()
        } else {
            #expect(try #require(cloud.host.terminate()) < 2)
        }
        let status = try terminal.waitForEnd()
        #expect([1, 69].contains(status), "\(terminal.shown)")
        #expect(terminal.echoes)
    }

    @Test("Nothing that an adapter says does anything to the terminal")
    func rude() throws {
        let cloud = try Cloud(.child, mode: "rude")
        try cloud.waitForNeed()
        let terminal = try cloud.host.terminal(["login", "cloud"])
        try terminal.answer("RLO: ", "zoe@example.org")
        try terminal.answer("Password: ", Self.password)
        try terminal.answer("Code from the app: ", Self.code)
        #expect(try terminal.waitForEnd() == 0)
        try terminal.waitFor("1 monitor")
        let hostile = terminal.shown.unicodeScalars.filter { scalar in
            (scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format)
                && scalar != "\r" && scalar != "\n"
        }
        #expect(hostile.isEmpty, "\(hostile.map { String($0.value, radix: 16) })")
        try cloud.waitForReading()
    }

    @Test("An adapter that asks for ever is asked no more when the person has enough")
    func forEver() throws {
        // Ctrl-C may come between the moment at which an answer can be read and its being read, and takes it away.
        for _ in 0..<Checkout.rounds {
            let cloud = try Cloud(.child, mode: "asks for ever")
            try cloud.waitForNeed()
            let terminal = try cloud.host.terminal(["login", "cloud"])
            for _ in 0..<3 { try terminal.answer("And now?", "yes") }
            terminal.type("\u{3}")
            #expect(try terminal.waitForEnd() == 130)
            #expect(try #require(cloud.host.terminate()) < 2)
            #expect(cloud.host.exitCode == 0)
        }
    }

    @Test("An adapter that crashes over an answer costs itself a restart")
    func crashes() throws {
        let cloud = try Cloud(.child, mode: "crashes")
        try cloud.waitForNeed()
        let terminal = try cloud.host.terminal(["login", "cloud"])
        try terminal.answer("E-mail: ", "zoe@example.org")
        try terminal.answer("Password: ", Self.password)
        try terminal.answer("Code from the app: ", Self.code)
        #expect(try terminal.waitForEnd() == 69)
        try terminal.waitFor("SIGABRT in login()")
        try cloud.host.waitForLog("adapter restarted")
    }

    @Test("Without a terminal, and where there is nothing to log in to, one line says what to do")
    func oneLine() throws {
        let cloud = try Cloud(.child)
        try cloud.waitForNeed()
        let blind = try cloud.host.command(["login", "cloud"])
        #expect(blind.status == 64)
        #expect(blind.errors.contains("CLOUD_PASSWORD, CLOUD_CODE"))
        #expect(blind.errors.split(separator: "\n").count == 1)
        let mock = try cloud.host.command(["login", "mock"])
        #expect(mock.status == 64)
        #expect(mock.errors == "smart-meter: 'mock' does not run here; these are configured: cloud\n")
        #expect(try cloud.host.command(["login", "cloud@attic", "now"]).status == 64)

        let stranger = try cloud.host.terminal(["login", "mock"])
        #expect(try stranger.waitForEnd() == 64)
        try stranger.waitFor("'mock' does not run here; these are configured: cloud")
        cloud.host.terminate()
        #expect(try cloud.host.command(["login", "mock"]).errors.hasPrefix("smart-meter: mock has no login"))
        let alone = try cloud.host.terminal(["login", "mock"])
        #expect(try alone.waitForEnd() == 64)
        try alone.waitFor("mock has no login")
    }
}
