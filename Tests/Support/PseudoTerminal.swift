import Glibc
import Synchronization

/// A program on a terminal of its own, with somebody who types.
public final class PseudoTerminal: Sendable {
    public let program: ChildProcess
    private let keyboard: Int32
    private let screen = Mutex<[UInt8]>([])

    /// - Parameter words: program and arguments.
    public init(_ words: [String], environment: [String: String], logs: TemporaryDirectory) throws {
        var (master, slave): (Int32, Int32) = (-1, -1)
        guard unsafe openpty(&master, &slave, nil, nil, nil) == 0 else {
            throw FixtureError("no pseudo-terminal: errno \(errno)")
        }
        keyboard = master
        var name = [CChar](repeating: 0, count: 128)
        let code = unsafe ttyname_r(slave, &name, name.count)
        close(slave)
        guard code == 0, fcntl(keyboard, F_SETFL, O_NONBLOCK) == 0, fcntl(keyboard, F_SETFD, FD_CLOEXEC) == 0 else {
            close(keyboard)
            throw FixtureError("no pseudo-terminal: errno \(errno)")
        }
        let path = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        // A session of its own, whose controlling terminal it is: Ctrl-C becomes a signal.
        program = try ChildProcess(
            "/bin/sh", ["-c", "exec /usr/bin/setsid --ctty \"$@\" <\(path) >\(path) 2>&1", "sh"] + words,
            environment: environment, logs: logs, name: "terminal-\(keyboard)", directory: logs.path)
    }

    deinit {
        program.kill()
        close(keyboard)
    }

    /// Everything that the terminal has shown so far.
    public var shown: String {
        let bytes = screen.withLock { screen in
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = unsafe read(keyboard, &chunk, chunk.count)
                guard count > 0 else { break }
                screen += chunk.prefix(count)
            }
            return screen
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether what is typed now would be shown.
    public var echoes: Bool {
        var attributes = termios()
        return unsafe tcgetattr(keyboard, &attributes) == 0 && attributes.c_lflag & tcflag_t(ECHO) != 0
    }

    public func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe write(keyboard, bytes, bytes.count)
    }

    /// Waits until the text is on the screen.
    public func waitFor(_ text: String, within seconds: Double = 15) throws {
        do {
            try waitUntil("'\(text)' on the terminal", within: seconds) { shown.contains(text) }
        } catch {
            throw FixtureError("\(error); it shows:\n\(shown)")
        }
    }

    /// Waits for the question, and answers it.
    /// - Returns: whether the answer was to be seen while it was typed.
    @discardableResult
    public func answer(_ question: String, _ answer: String) throws -> Bool {
        try waitFor(question)
        let isSeen = echoes
        type(answer + "\n")
        return isSeen
    }

    /// - Returns: the exit status.
    public func waitForEnd(within seconds: Double = 15) throws -> Int32 {
        do {
            return try program.waitForEnd(within: seconds)
        } catch {
            throw FixtureError("\(error); it shows:\n\(shown)")
        }
    }
}
