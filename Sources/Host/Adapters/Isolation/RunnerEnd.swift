import CLinux
import Glibc
import Platform

/// How a runner ended.
enum RunnerEnd: Hashable, Sendable {
    /// By a signal; and what it could still say about it: the signal that it caught, and where.
    case signal(Int32, report: String?)
    case exit(status: Int32)
    /// A call did not return within some time: it was killed.
    case deadline(within: String)
    /// It said something that makes no sense: it was killed.
    case violation(String)
    /// It was not even started: what the host's own system said.
    case notStarted(call: String, code: Int32)

    /// - Parameters:
    ///   - status: as `waitpid` gives it.
    ///   - report: what the runner itself wrote about a crash.
    init(waitStatus status: Int32, report: String?) {
        let signal = status & 0x7F
        self = signal == 0 ? .exit(status: status >> 8 & 0xFF) : .signal(signal, report: report)
    }

    /// In one line.
    /// - Parameter call: the one that ran; nil = none.
    func words(in call: String?) -> String {
        let during = call.map { " in \($0)" } ?? " between calls"
        switch self {
        case .signal(let number, let report): return Self.words(number, report, during)
        case .exit(let status): return "exit with status \(status)\(during)"
        case .deadline(let time): return "\(call ?? "it") did not return within \(time)"
        case .violation(let what): return "it broke the runner's protocol\(during): \(what)"
        case .notStarted(let call, let code): return "it could not be started: \(SystemError(call, code))"
        }
    }

    /// What the host had too little of, where it ended for want of that.
    /// - Parameter isPrepared: whether anything foreign had begun to run.
    func shortage(isPrepared: Bool) -> HostShortage? {
        switch self {
        case .notStarted(_, let code): HostShortage(code: code) ?? .other
        // Nobody has asked for that but the kernel, or somebody who spares memory.
        case .signal(SIGKILL, nil): .memory
        case .deadline: isPrepared ? .time : .speed
        case .signal, .exit, .violation: isPrepared ? nil : .other
        }
    }

    private static func words(_ signal: Int32, _ report: String?, _ during: String) -> String {
        let name = name(of: signal)
        guard let report else { return name + during }
        // The report names the signal that was caught; what ended it in the end may be another.
        let caught = report.prefix { $0 != " " }
        let rest = report.dropFirst(caught.count)
        guard rest.hasPrefix(SM_CRASH_MEMORY) else { return caught + during + rest }
        let limit = AdapterRunner.memoryLimit >> 20
        return caught + during + rest.dropFirst(SM_CRASH_MEMORY.utf8.count)
            + ", after memory was refused: it has \(limit) MB at most"
    }

    private static func name(of signal: Int32) -> String {
        guard let name = unsafe sm_signal_abbreviation(signal) else { return "signal \(signal)" }
        return unsafe "SIG" + String(cString: name)
    }
}
