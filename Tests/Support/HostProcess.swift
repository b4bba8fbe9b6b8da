public import Foundation
import Synchronization

/// The built `smart-meter`, run with a data directory and a port of its own.
public final class HostProcess: Sendable {
    public let port: UInt16
    public let dataDirectory: TemporaryDirectory

    /// Starts it.
    /// - Parameters:
    ///   - settings: the environment, nothing else is set but DATA_DIR, SERVICE_PORT and TZ.
    ///   - dataDirectory: to run on one that another host left.
    ///   - dotEnv: the `.env` of its working directory.
    ///   - wrapper: a program with its words that starts the host in surroundings of its own.
    ///   - program: nil = the one that was built.
    public init(
        _ settings: [String: String], dataDirectory: TemporaryDirectory? = nil, dotEnv: String? = nil,
        wrapper: [String] = [], program: URL? = nil
    ) throws {
        self.program = program ?? Checkout.products.appendingPathComponent("smart-meter")
        port = try Loopback.freePort()
        self.wrapper = wrapper
        self.dataDirectory = try dataDirectory ?? TemporaryDirectory("smart-meter-data")
        logs = try TemporaryDirectory("smart-meter-run")
        environment = Self.environment(settings, data: self.dataDirectory, port: port)
        if let dotEnv { try logs.write(".env", dotEnv) }
        try start()
    }

    /// Again, on the same data, after `kill9` or `terminate`.
    public func start() throws {
        let name = runs.withLock { runs in
            runs += 1
            return "host-\(runs)"
        }
        let words = wrapper + [program.path, "run"]
        let child = try ChildProcess(
            words[0], Array(words.dropFirst()), environment: environment, logs: logs, name: name, directory: logs.path)
        process.withLock { $0 = child }
    }

    public func kill9() { process.withLock { $0 }?.kill() }

    /// - Returns: the seconds from SIGTERM to the end; nil where it had to be killed after 10 s.
    @discardableResult
    public func terminate() -> Double? { process.withLock { $0 }?.terminate() }

    public func signal(_ number: Int32) { process.withLock { $0 }?.signal(number) }

    public var isRunning: Bool { process.withLock { $0 }?.isRunning ?? false }
    public var exitCode: Int32? { process.withLock { $0 }?.exitCode }
    public var processID: Int32 { process.withLock { $0 }?.processID ?? 0 }

    /// What this run has printed, both streams.
    public var log: String {
        guard let child = process.withLock({ $0 }) else { return "" }
        return child.errors + child.output
    }

    /// Whatever any of its runs has printed.
    public var allLogs: String {
        let files = (try? FileManager.default.contentsOfDirectory(at: logs.url, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.lastPathComponent.hasPrefix("host-") }.compactMap { try? Data(contentsOf: $0) }.map {
            String(decoding: $0, as: UTF8.self)
        }.joined()
    }

    /// The first line of this run's log that has the text.
    @discardableResult
    public func waitForLog(_ text: String, within seconds: Double = 10) throws -> String {
        do {
            return try waitFor("'\(text)' in the log", within: seconds) {
                log.split(separator: "\n").first { $0.contains(text) }.map(String.init)
            }
        } catch {
            throw FixtureError("\(error); the log:\n\(log.suffix(3000))")
        }
    }

    /// `GET /health`.
    public func health() throws -> [String: Any] { try HTTP.get(port, "/health", timeout: 2).object() }

    /// `GET /consumption`; nil before the first reading.
    public func consumption() throws -> [String: Any]? {
        let answer = try HTTP.get(port, "/consumption", timeout: 2)
        return answer.status == 200 ? try answer.object() : nil
    }

    /// Waits for an answer of `/consumption` that fits; while the host cannot be reached it goes on waiting.
    public func waitForConsumption(
        _ what: String, within seconds: Double = 15, _ condition: ([String: Any]) -> Bool
    ) throws {
        var last = "none"
        do {
            try waitUntil(what, within: seconds) {
                guard let consumption = try? consumption() else { return false }
                last = "\(consumption)"
                return condition(consumption)
            }
        } catch {
            throw FixtureError("\(error); /consumption: \(last); the log:\n\(log.suffix(3000))")
        }
    }

    /// As `waitForConsumption`, for `/health`.
    public func waitForHealth(
        _ what: String, within seconds: Double = 15, _ condition: ([String: Any]) -> Bool
    ) throws {
        var last = "none"
        do {
            try waitUntil(what, within: seconds) {
                guard let health = try? health() else { return false }
                last = "\(health)"
                return condition(health)
            }
        } catch {
            throw FixtureError("\(error); /health: \(last); the log:\n\(log.suffix(3000))")
        }
    }

    /// Runs another command of the program with the same environment, to its end.
    public func command(_ arguments: [String], within seconds: Double = 10) throws -> CommandResult {
        try Self.command(arguments, environment: environment, within: seconds)
    }

    /// Starts another command of the program, on a terminal.
    public func terminal(_ arguments: [String]) throws -> PseudoTerminal {
        try PseudoTerminal([program.path] + arguments, environment: environment, logs: logs)
    }

    public struct CommandResult: Sendable {
        public let status: Int32
        public let output: String
        public let errors: String
    }

    /// A command where no host runs.
    public static func command(
        _ arguments: [String], settings: [String: String], dotEnv: String? = nil
    ) throws -> CommandResult {
        let data = try TemporaryDirectory("smart-meter-data")
        return try command(
            arguments, environment: environment(settings, data: data, port: 0), dotEnv: dotEnv, within: 10)
    }

    /// Its working directory, and that of what it prints.
    public let logs: TemporaryDirectory
    private let wrapper: [String]
    private let program: URL
    private let environment: [String: String]
    private let process = Mutex<ChildProcess?>(nil)
    private let runs = Mutex(0)

    private static func environment(
        _ settings: [String: String], data: TemporaryDirectory, port: UInt16
    ) -> [String: String] {
        let own = [
            "PATH": "/usr/bin:/bin", "DATA_DIR": data.path, "SERVICE_PORT": "\(port)", "TZ": "UTC",
            "SWIFT_BACKTRACE": "enable=no",
        ]
        return own.merging(settings) { $1 }
    }

    private static func command(
        _ arguments: [String], environment: [String: String], dotEnv: String? = nil, within seconds: Double
    ) throws -> CommandResult {
        let folder = try TemporaryDirectory("smart-meter-command")
        if let dotEnv { try folder.write(".env", dotEnv) }
        let child = try ChildProcess(
            Checkout.products.appendingPathComponent("smart-meter").path, arguments, environment: environment,
            logs: folder, name: "command", directory: folder.path)
        let status = try child.waitForEnd(within: seconds)
        return CommandResult(status: status, output: child.output, errors: child.errors)
    }
}
