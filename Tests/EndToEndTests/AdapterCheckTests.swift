import Foundation
import Synchronization
import TestSupport
import Testing

/// `smart-meter check`, against adapters that break one rule each, and against those of the release.
@Suite(.serialized) struct AdapterCheckTests {
    private struct Run: Sendable {
        let status: Int32
        let output: String
        /// Names of the checks by what came of them.
        let results: [String: [String]]
        let seconds: [String: Double]

        func names(_ result: String) -> [String] { results[result] ?? [] }
        /// What is wrong with the adapter, in the order of the checks.
        var complaints: [String] { names("failed") + names("crashed") + names("warning") }
    }

    private static func check(_ file: String, _ options: [String] = [], within seconds: Double = 60) throws -> Run {
        let folder = try TemporaryDirectory("check")
        let child = try ChildProcess(
            Checkout.product("smart-meter"), ["check", file, "--json"] + options,
            environment: ["PATH": "/usr/bin:/bin", "TZ": "UTC", "SWIFT_BACKTRACE": "enable=no"], logs: folder,
            name: "check", directory: folder.path)
        let status = try child.waitForEnd(within: seconds)
        let output = child.output
        guard let object = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any],
            let checks = object["checks"] as? [[String: Any]]
        else { throw FixtureError("no JSON: \(output.prefix(500)) \(child.errors)") }
        var results: [String: [String]] = [:]
        for check in checks {
            guard let name = check["name"] as? String, let result = check["result"] as? String else { continue }
            results[result, default: []].append(name)
        }
        let seconds = checks.map { ($0["name"] as? String ?? "", $0["seconds"] as? Double ?? 0) }
        return Run(
            status: status, output: output, results: results, seconds: Dictionary(seconds) { first, _ in first })
    }

    private static func allChecks() throws -> [String] {
        try HostProcess.command(["check", "--list"], settings: [:]).output.split(separator: "\n")
            .compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    /// Of Package.swift, by the name of their products.
    private static func releaseLibraries() throws -> [String] {
        let folder = try TemporaryDirectory("adapters")
        let script = try ChildProcess(
            Checkout.root.appendingPathComponent("tools/adapters.sh").path, environment: ["PATH": "/usr/bin:/bin"],
            logs: folder, name: "adapters")
        guard try script.waitForEnd() == 0 else { throw FixtureError("tools/adapters.sh: \(script.errors)") }
        return script.output.split(separator: "\n").map(String.init)
    }

    /// A meter whose whole answer is a number, as misbehaving.c wants it.
    private static func meter() throws -> FaultServer { try FaultServer { _ in .reply(.init(200, "750\n")) } }

    /// The sound adapter under the names of its faults, and the three faults that are no behaviour.
    private static func adapters(_ checks: [String], in folder: TemporaryDirectory) throws {
        let sound = try CAdapter.build("misbehaving.c", as: "misbehaving-sound.so", in: folder)
        for name in checks + ["hangs", "push"] {
            try FileManager.default.linkItem(at: sound, to: folder.file("misbehaving-\(name).so"))
        }
        try FileManager.default.removeItem(at: folder.file("misbehaving-load-file.so"))
        try Data(contentsOf: sound).prefix(9000).write(to: folder.file("misbehaving-load-file.so"))
        // What is a fault of a copy only, and the sound one that pushes in a copy, too.
        let inCopies = [
            "isolated-life": "copy-life", "isolated-reading": "copy-reading", "isolated-history": "copy-history",
            "push": "push",
        ]
        for name in ["load-exports", "load-needs"] + inCopies.keys {
            try FileManager.default.removeItem(at: folder.file("misbehaving-\(name).so"))
        }
        for (name, fault) in inCopies {
            try CAdapter.build(
                "misbehaving.c", as: "misbehaving-\(name).so", in: folder, macros: ["IN_COPY=\"\(fault)\""])
        }
        try CAdapter.build("misbehaving.c", as: "misbehaving-load-exports.so", in: folder, macros: ["EXPORTS"])
        try CAdapter.build("constant.c", as: "libneighbour.so", in: folder)
        try CAdapter.build(
            "misbehaving.c", as: "misbehaving-load-needs.so", in: folder,
            options: ["-Wl,--no-as-needed", "-L\(folder.path)", "-lneighbour", "-Wl,-rpath,$ORIGIN"])
    }

    /// A run, and the check that is to fail in it; nil = none.
    private struct Case: Sendable {
        let file: String
        let options: [String]
        var expected: String?
        var isRead = true
    }

    private static func options(_ settings: [String]) -> [String] { settings.flatMap { ["--setting", $0] } }

    /// The cases whose findings are others, as lines. They run beside each other: most of the time each only waits.
    private static func surprises(of cases: [Case]) -> (good: [String], bad: [String]) {
        let found = Mutex<(good: [String], bad: [String])>(([], []))
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 6
        for one in cases {
            queue.addOperation {
                guard let words = surprise(of: one) else { return }
                found.withLock { if one.expected == nil { $0.good.append(words) } else { $0.bad.append(words) } }
            }
        }
        queue.waitUntilAllOperationsAreFinished()
        return found.withLock { $0 }
    }

    private static func surprise(of one: Case) -> String? {
        do {
            let run = try check(one.file, one.options, within: 120)
            let status: Int32 = one.expected == nil ? 0 : 1
            // Who has a meter is read.
            let isRead =
                one.expected != nil || !one.isRead || one.options.isEmpty
                || run.names("passed").contains("reading-accepted")
            let isRight = run.complaints == [one.expected].compactMap(\.self) && run.status == status && isRead
            return isRight ? nil : "\(one.file): \(run.complaints), status \(run.status)"
        } catch {
            return "\(one.file): \(error)"
        }
    }

    private struct Findings {
        let checks: [String]
        let release: [String]
        let surprises: (good: [String], bad: [String])
    }

    private static let homeSensors: [HomeAssistantServer.Sensor] = [
        .init("Total Power", "2450.5", unit: "W", deviceClass: "power"),
        .init("Daily Energy", "12.25", unit: "kWh", deviceClass: "energy"),
        .init("Power Kitchen", "0.35", unit: "kW", deviceClass: "power"),
        .init("Power Office", "120", unit: "W", deviceClass: "power"),
    ]

    /// Of all adapters, made once for both tests.
    private static let findings = Result {
        let checks = try allChecks()
        let folder = try TemporaryDirectory("misbehaving")
        try adapters(checks, in: folder)
        let meter = try Self.meter()
        let device = try IoTaWattSimulator(.house(now: Int(Date().timeIntervalSince1970)))
        let ofMeter = ["--setting", "url=\(meter.url)/"]
        func misbehaving(_ name: String) -> String { folder.file("misbehaving-\(name).so").path }
        let release = try releaseLibraries().map { Checkout.product("lib\($0).so") }
        let watts = try folder.write("watts", "412.5\n")
        let home = try HomeAssistantServer(homeSensors)
        let emporia = try EmporiaSimulator()
        let sense = try SenseSimulator([.house()])
        let json = try FaultServer { _ in .reply(.json(200, #"{"power": 750}"#)) }
        var cases = [
            Case(
                file: Checkout.product("libsmartmeter-homeassistant.so"),
                options: ["--setting", "url=\(home.url)", "--setting", "token=\(home.token)"]),
            Case(
                file: Checkout.product("libsmartmeter-iotawatt.so"), options: ["--setting", "url=\(device.url)"]),
            Case(
                file: Checkout.product("libsmartmeter-emporia.so"),
                options: options([
                    "email=\(emporia.account.email)", "password=\(emporia.account.password)", "api_url=\(emporia.url)",
                    "auth_url=\(emporia.url)",
                ])),
            Case(
                file: Checkout.product("libsmartmeter-sense.so"),
                options: options([
                    "email=\(sense.account.email)", "password=\(sense.account.password)", "api_url=\(sense.url)",
                ])),
            Case(
                file: Checkout.product("libsmartmeter-httpjson.so"),
                options: options(["url=\(json.url)/", "grid=power"])),
            // Without a meter; it speaks past the host's network.
            Case(
                file: Checkout.product("libsmartmeter-shelly.so"), options: options(["mqtt_url=mqtt://127.0.0.1:1"]),
                isRead: false),
            Case(file: try example(in: folder), options: ["--setting", "path=\(watts.path)"]),
        ]
        cases += ["sound", "push"].map { Case(file: misbehaving($0), options: ofMeter) }
        cases += release.map { Case(file: $0, options: []) }
        cases += ([("hangs", "cancel-start")] + checks.map { ($0, $0) }).map { name, check in
            Case(file: misbehaving(name), options: ["--jobs", "8"] + ofMeter, expected: check)
        }
        return Findings(checks: checks, release: release, surprises: surprises(of: cases))
    }

    /// The adapter in C that authors begin with, built by its own Makefile.
    private static func example(in folder: TemporaryDirectory) throws -> String {
        let library = folder.file("libsmartmeter-file.so").path
        let make = try ChildProcess(
            "/usr/bin/make", ["-C", Checkout.root.appendingPathComponent("Examples/c").path, "OUT=\(library)"],
            environment: ["PATH": "/usr/bin:/bin"], logs: folder, name: "make")
        guard try make.waitForEnd(within: 60) == 0 else { throw FixtureError("make: \(make.errors)") }
        return library
    }

    @Test("For every check there is an adapter that fails it and no other")
    func everyCheckFinds() throws {
        let findings = try Self.findings.get()
        #expect(findings.checks.count >= 40 && Set(findings.checks).count == findings.checks.count)
        #expect(findings.surprises.bad == [])
    }

    @Test("Adapters that keep the rules pass: one made for it, asked or pushing, those of the release, the example")
    func soundAdapters() throws {
        let findings = try Self.findings.get()
        #expect(findings.release.count >= 3)
        #expect(findings.surprises.good == [])
    }

    @Test("A sound adapter with a meter has every check but that of the other delivery")
    func nothingIsSkipped() throws {
        let folder = try TemporaryDirectory("sound")
        let sound = try CAdapter.build("misbehaving.c", as: "misbehaving-sound.so", in: folder)
        let meter = try Self.meter()
        let run = try Self.check(sound.path, ["--jobs", "8", "--setting", "url=\(meter.url)/"])
        #expect(run.names("skipped") == ["threads-push"])
    }

    @Test("The demonstration is checked in less than 20 s")
    func time() throws {
        let begin = ContinuousClock.now
        _ = try Self.check(Checkout.product("libsmartmeter-mock.so"))
        #expect(ContinuousClock.now - begin < .seconds(20))
    }

    @Test("A pushing adapter with a transport of its own is read from its broker, and waits for no other trouble")
    func broker() throws {
        let broker = try MosquittoBroker()
        let now = Int(Date().timeIntervalSince1970)
        let id = "shellyproem50-a0dd6c"
        // Its log has the last 20 minutes, which are asked for.
        var meter = ShellyGen2(id, .single, [.constant(2000), .constant(40)], at: now - 1500)
        meter.advance(to: now)
        let device = try ShellyDevice(.gen2(meter), at: broker.port)
        device.speak(everySeconds: 0.2)
        let run = try Self.check(
            Checkout.product("libsmartmeter-shelly.so"),
            ["--jobs", "8"] + Self.options(["mqtt_url=\(broker.url)", "devices=\(id)", "mains=em1:0"]))
        #expect(run.complaints == [], "\(run.output)")
        #expect(run.names("passed").contains("reading-accepted"))
        #expect(
            Set(run.names("passed")).isSuperset(of: [
                "threads-together", "history-span", "history-again", "history-empty", "isolated-life",
                "isolated-reading", "isolated-history",
            ]), "\(run.names("skipped"))")
        // A second each in the three children that find it out, and nothing after that.
        let trouble = run.seconds.filter { $0.key.hasPrefix("trouble-") }
        #expect(trouble.count == 11 && Set(trouble.keys).isSubset(of: run.names("skipped")))
        #expect(trouble.values.reduce(0, +) < 6, "\(trouble)")
        #expect(try #require(run.seconds["robust-answers"]) < 4)
    }

    @Test("No secret is printed, and the seed that is printed is the one that was given")
    func secrets() throws {
        let folder = try TemporaryDirectory("misbehaving")
        try CAdapter.build("misbehaving.c", as: "misbehaving-manners-secrets.so", in: folder)
        let file = folder.file("misbehaving-manners-secrets.so").path
        let meter = try Self.meter()
        try folder.write("token", "hunter2hunter2\n")
        let options = [
            "--setting", "url=\(meter.url)/", "--setting", "token_file=\(folder.file("token").path)", "--seed", "42",
            "--only", "manners,robust-settings",
        ]
        let run = try Self.check(file, options)
        #expect(run.complaints == ["manners-secrets"])
        #expect(!run.output.contains("hunter2") && run.output.contains("\"seed\":42"))
    }

    @Test("What is asked for in vain is said in one line")
    func usage() throws {
        let mock = Checkout.product("libsmartmeter-mock.so")
        for (arguments, words) in [
            (["check"], "wants a file"), (["check", "/nowhere.so"], "No such file"),
            (["check", mock, "--only", "life-of-brian"], "no check 'life-of-brian'"),
            (["check", mock, "--setting", "colour=red"], "no setting 'colour'"),
            (["check", mock, "--type", "other"], "no adapter of type 'other'"),
            (["check", mock, "--seed", "x"], "not a whole number"),
        ] {
            let result = try HostProcess.command(arguments, settings: [:])
            #expect(result.status == 64 && result.errors.contains(words), "\(arguments): \(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
        }
    }
}
