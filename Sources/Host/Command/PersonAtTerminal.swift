import CLinux
import Glibc
import Platform

/// The person at this process's terminal, who is asked for credentials. While there is one, what would end the process
/// (Ctrl-C, a terminal that goes away) is a wish to give up, so that the terminal is never left without its echo.
final class PersonAtTerminal {
    enum Reply: Equatable {
        case answer([UInt8])
        case givenUp
        /// What was watched beside the terminal is readable: the question may be of no interest any more.
        case somethingElse
    }

    private let signals: FileDescriptor
    /// The terminal, opened anew where that may be done: what made it readable is gone when Ctrl-C comes before it was read,
    /// and a read that waits for more would not notice the signal.
    private let input: FileDescriptor
    private static let terminal = STDIN_FILENO
    /// More than a terminal takes in one line.
    private static let longest = 4096

    /// Nil where standard input is no terminal. Before any other thread: they inherit the mask.
    init?() {
        guard isatty(Self.terminal) == 1 else { return nil }
        var caught = sigset_t()
        unsafe sigemptyset(&caught)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { unsafe sigaddset(&caught, signal) }
        signals = FileDescriptor(owning: unsafe sm_signalfd(&caught))
        let own = unsafe sm_open("/proc/self/fd/\(Self.terminal)", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        input = FileDescriptor(owning: own >= 0 ? own : dup(Self.terminal))
        // Stopped in the middle of a secret, it would leave the terminal without echo to the shell.
        unsafe sigaddset(&caught, SIGTSTP)
        guard signals.number >= 0, unsafe pthread_sigmask(SIG_BLOCK, &caught, nil) == 0 else { return nil }
    }

    /// Waits until `descriptor` is readable; false where the person gives up.
    func wait(for descriptor: Int32) -> Bool {
        Poll.firstReadable(signals.number, descriptor, until: nil) == descriptor
    }

    /// Asks on standard error, and waits for a line.
    /// - Parameters:
    ///   - question: of an adapter, and as hostile as that.
    ///   - other: a descriptor that ends the wait when it is readable.
    func ask(_ question: String, isEchoed: Bool, or other: Int32) -> Reply {
        var before = termios()
        guard unsafe tcgetattr(Self.terminal, &before) == 0 else { return .givenUp }
        var during = before
        during.c_lflag |= tcflag_t(ICANON | ISIG | ECHO)
        if !isEchoed {
            during.c_lflag &= ~tcflag_t(ECHO)
            during.c_lflag |= tcflag_t(ECHONL)
        }
        // What was typed before the question is no answer to it.
        guard unsafe tcsetattr(Self.terminal, TCSAFLUSH, &during) == 0 else { return .givenUp }
        defer { _ = unsafe tcsetattr(Self.terminal, TCSADRAIN, &before) }
        Terminal().show(question: TerminalText.line(question))
        let reply = line(or: other)
        if case .answer = reply { return reply }
        Terminal().complain("")
        return reply
    }

    /// Says so, and answers the exit status.
    func hasGivenUp(_ console: Terminal) -> Int32 {
        console.complain("smart-meter: login cancelled")
        return SmartMeter.ExitStatus.interrupted
    }

    private func line(or other: Int32) -> Reply {
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.longest)
        while line.last != UInt8(ascii: "\n") {
            let ready = Poll.ready([signals.number, other, input.number], until: nil)
            if ready[0] { return .givenUp }
            if ready[1] { return .somethingElse }
            guard ready[2] else { continue }
            let count = unsafe read(input.number, &chunk, chunk.count)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0, line.count + count <= Self.longest else { return .givenUp }
            line += chunk.prefix(count)
        }
        return .answer(Array(line.dropLast()))
    }
}

/// Words of an adapter as they may go to a terminal: nothing in them moves the cursor, changes colours or runs anything.
enum TerminalText {
    private static let longest = 1024

    /// As one line.
    static func line(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longest) {
            shown.append(isHarmless(scalar) ? scalar : scalar == "\n" || scalar == "\t" ? " " : "\u{FFFD}")
        }
        return String(shown)
    }

    /// As some lines.
    static func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { line(String($0)) }.joined(separator: "\n")
    }

    /// No control character, nothing that turns the direction of writing.
    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
