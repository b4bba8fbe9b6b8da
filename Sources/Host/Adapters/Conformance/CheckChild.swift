import AdapterABI
import CLinux
import Glibc
import Platform
import Readings
import Synchronization

/// The program of a child process that checks an adapter: a crash or a hang costs the check that was running, and no other.
package enum CheckChild {
    private static let given: (setup: Int32, line: Int32) = (3, 4)
    private static let firstOwn: Int32 = 100
    private static let descriptorLimit: UInt64 = 1024

    /// Answers an exit status.
    /// - Parameter parent: the checker's process.
    package static func run(parent: Int32) -> Int32 {
        // With no more rights than a runner has: what is found here holds there.
        guard sm_confine(parent, AdapterRunner.memoryLimit, descriptorLimit) == 0,
            let setup = readSetup()
        else { return CheckLine.brokenExit }
        let number = sm_duplicate(given.line, firstOwn)
        close(given.line)
        guard number >= 0 else { return CheckLine.brokenExit }
        let line = CheckLine(socket: number)
        // The copy lives for good, as the handlers do.
        unsafe sm_report_crashes(strdup(setup.library))
        for path in setup.needed { _ = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) }
        let named = setup.settings.values.filter { $0.hasPrefix("/") }
        _ = Sandbox.enter(library: setup.library, named: named, secret: [])
        let bench = CheckBench(setup, line)
        if setup.checks.isEmpty { describe(setup, line) }
        for name in setup.checks {
            guard let check = ConformanceCheck.all.first(where: { $0.name == name }) else { continue }
            line.say(.begin(name))
            line.say(result(of: check, bench))
        }
        line.say(.done)
        return 0
    }

    private static func readSetup() -> CheckSetup? {
        var frames = FrameBuffer()
        defer { close(given.setup) }
        while true {
            if let frame = try? frames.next() { return CheckSetup(frame) }
            _ = Poll.readable(given.setup, until: nil)
            if case .ended = frames.receive(from: given.setup) { return nil }
        }
    }

    private static func describe(_ setup: CheckSetup, _ line: CheckLine) {
        do throws(LibraryObjection) {
            for adapter in try CheckBench.adapters(setup) {
                line.say(.described(adapter.description))
            }
        } catch {
            line.say(.refused(error.reason))
        }
    }

    private static func result(of check: ConformanceCheck, _ bench: CheckBench) -> CheckMessage {
        do throws(Finding) {
            if case .child(let body) = check.body { try body(bench) }
            return .result(outcome: CheckResult.Outcome.passed.rawValue, seen: "", expected: "", advice: "")
        } catch {
            return .result(
                outcome: error.outcome.rawValue, seen: error.seen, expected: error.expected, advice: error.advice)
        }
    }
}

/// The child's end of the line to its checker.
final class CheckLine: Sendable {
    private let socket: Int32
    private let writing = Mutex(())
    /// The exit status of a child that could not even begin.
    static let brokenExit: Int32 = 70

    /// - Parameter socket: stays open for as long as the process lives.
    init(socket: Int32) {
        self.socket = socket
    }

    /// Ends the process where there is no checker any more.
    func say(_ message: CheckMessage) {
        let bytes = message.encoded
        let isSent = writing.withLock { _ in
            Stream.write(bytes, to: socket, until: Clock.monotonic() + Duration.minute)
        }
        if !isSent { HostLine.hangUp() }
    }
}
