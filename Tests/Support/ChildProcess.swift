public import Foundation
import Glibc
import Synchronization

/// A program started by a test. It is killed when the last reference goes, and by the kernel when the test process
/// dies. What it prints goes to two files, which are read as they grow.
public final class ChildProcess: Sendable {
    public let processID: pid_t
    private let outputFile: URL
    private let errorFile: URL
    /// The wait status, once it has been reaped.
    private let ended = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - environment: all of it; nothing is inherited.
    ///   - logs: where `<name>.out` and `<name>.err` are made anew.
    public init(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:], logs: TemporaryDirectory,
        name: String, directory: String? = nil
    ) throws {
        outputFile = logs.file("\(name).out")
        errorFile = logs.file("\(name).err")
        var words = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"]
        if let directory { words += ["/usr/bin/env", "-C", directory] }
        words += [program] + arguments
        let plan = SpawnPlan(
            words: words, environment: environment.map { "\($0)=\($1)" }, output: outputFile.path,
            error: errorFile.path)
        guard let result = SpawningThread.run({ plan.spawn() }) else { throw FixtureError("no spawning thread") }
        switch result {
        case .started(let number): processID = number
        case .failed(let code): throw FixtureError("cannot start \(program): errno \(code)")
        }
    }

    deinit { kill() }

    public var output: String { Self.text(outputFile) }
    public var errors: String { Self.text(errorFile) }

    public var isRunning: Bool { reap(wait: false) == nil }

    /// As a shell says it: 128 + n for a signal n; nil while it runs.
    public var exitCode: Int32? {
        reap(wait: false).map { $0 & 0x7F == 0 ? ($0 >> 8) & 0xFF : 128 + ($0 & 0x7F) }
    }

    /// Nothing, if it has ended: the number may be another process's by then.
    public func signal(_ number: Int32) {
        if isRunning { _ = Glibc.kill(processID, number) }
    }

    /// SIGKILL, and it is gone when this returns.
    public func kill() {
        signal(SIGKILL)
        _ = reap(wait: true)
    }

    /// SIGTERM, and SIGKILL after `patience` seconds.
    /// - Returns: the seconds that it took to end; nil: it had to be killed.
    @discardableResult
    public func terminate(patience: Double = 10) -> Double? {
        let begin = ContinuousClock.now
        signal(SIGTERM)
        do {
            try waitUntil("the end of \(processID)", within: patience) { !isRunning }
            return (ContinuousClock.now - begin) / .seconds(1)
        } catch {
            kill()
            return nil
        }
    }

    /// - Returns: the exit code.
    @discardableResult
    public func waitForEnd(within seconds: Double = 10) throws -> Int32 {
        try waitFor("the end of process \(processID): \(errors.suffix(500))", within: seconds) { exitCode }
    }

    private func reap(wait: Bool) -> Int32? {
        ended.withLock { ended in
            if let ended { return ended }
            var status: Int32 = 0
            guard unsafe waitpid(processID, &status, wait ? 0 : WNOHANG) == processID else { return nil }
            ended = status
            return status
        }
    }

    private static func text(_ file: URL) -> String {
        (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
