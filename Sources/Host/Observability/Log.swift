import Glibc
package import Platform
import Readings
import Synchronization

/// One line an event, to standard error. Callers never wait for the descriptor once the log's thread runs: lines go
/// into a ring, and what does not fit is counted and said. Before that, lines are written at once.
package final class Log: Sendable {
    /// Bytes that wait for the thread at most.
    static let capacity = 256 * 1024

    private struct State {
        var level: LogLevel
        var format: LogFormat
        var redactor = Redactor()
        var waiting: [UInt8] = []
        var dropped = 0
        /// Between taking lines and having written them.
        var isWriting = false
        var isThreaded = false
        var isStopping = false
    }

    private let descriptor: Int32
    private let clock: @Sendable () -> Int64
    private let state: Mutex<State>
    private let work: Doorbell
    private let idle: Doorbell
    private let thread = Mutex<Thread?>(nil)

    /// `descriptor` stays the caller's; `clock` gives wall nanoseconds.
    package init(
        level: LogLevel = .info, format: LogFormat = .text, descriptor: Int32 = STDERR_FILENO,
        clock: @escaping @Sendable () -> Int64 = Clock.wall
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.clock = clock
        state = Mutex(State(level: level, format: format))
        work = try Doorbell()
        idle = try Doorbell()
    }

    package func configure(level: LogLevel, format: LogFormat) {
        state.withLock { state in
            state.level = level
            state.format = format
        }
    }

    /// From now on these are masked. Values shorter than four bytes are not: they would mask half of every line.
    package func register(secrets: [String]) {
        state.withLock { $0.redactor.add(secrets) }
    }

    /// What was registered for a while, such as a code that is valid once.
    package func forget(secrets: [String]) {
        state.withLock { $0.redactor.remove(secrets) }
    }

    package func error(_ event: String, _ fields: LogField...) { write(.error, event, fields) }
    package func warning(_ event: String, _ fields: LogField...) { write(.warning, event, fields) }
    package func info(_ event: String, _ fields: LogField...) { write(.info, event, fields) }
    package func debug(_ event: @autoclosure () -> String, _ fields: @autoclosure () -> [LogField] = []) {
        if isEnabled(.debug) { write(.debug, event(), fields()) }
    }

    package func isEnabled(_ level: LogLevel) -> Bool {
        state.withLock { level <= $0.level }
    }

    /// Any thread.
    package func write(_ level: LogLevel, _ event: String, _ fields: [LogField] = []) {
        let (format, redactor, isWanted) = state.withLock { ($0.format, $0.redactor, level <= $0.level) }
        guard isWanted else { return }
        let instant = Instant(nanoseconds: clock())
        let line = LogLine.bytes(format, level, at: instant, event, fields, redactor)
        let isThreaded = state.withLock { state in
            guard state.isThreaded else { return false }
            if state.waiting.count + line.count <= Self.capacity {
                state.waiting += line
            } else {
                state.dropped += 1
            }
            return true
        }
        if isThreaded { work.ring() } else { put(line) }
    }

    /// `text` as masked as a line would be: for messages that go elsewhere, such as /health.
    package func redacted(_ text: String) -> String {
        let redactor = state.withLock { $0.redactor }
        return String(decoding: redactor.redacted(text), as: UTF8.self)
    }

    /// Hands writing over to a thread of its own.
    package func start() throws(SystemError) {
        state.withLock { $0.isThreaded = true }
        do {
            let started = try Thread(name: "log") { [self] in run() }
            thread.withLock { $0 = started }
        } catch {
            state.withLock { $0.isThreaded = false }
            throw error
        }
    }

    /// Waits until everything logged so far is written, at most until `deadline` (monotonic ns). False where it is not.
    @discardableResult
    package func flush(until deadline: Int64) -> Bool {
        while true {
            let isDone = state.withLock { !$0.isThreaded || $0.waiting.isEmpty && $0.dropped == 0 && !$0.isWriting }
            if isDone { return true }
            guard idle.wait(until: deadline) else { return false }
        }
    }

    /// Writes what waits, ends the thread, and from then on writes at once again. False where `deadline` came first.
    @discardableResult
    package func stop(until deadline: Int64) -> Bool {
        state.withLock { $0.isStopping = true }
        work.ring()
        guard thread.withLock({ $0 })?.join(until: deadline) ?? true else { return false }
        // A line may have come in after the thread looked for the last time.
        let rest = state.withLock { state in
            defer { state.waiting = [] }
            state.isThreaded = false
            state.isStopping = false
            return state.waiting
        }
        put(rest)
        return true
    }

    private func run() {
        while true {
            let (lines, dropped, isStopping) = state.withLock { state in
                state.isWriting = !state.waiting.isEmpty || state.dropped > 0
                defer {
                    state.waiting = []
                    state.dropped = 0
                }
                return (state.waiting, state.dropped, state.isStopping)
            }
            if !lines.isEmpty { put(lines) }
            if dropped > 0 { put(notice(of: dropped)) }
            if lines.isEmpty, dropped == 0 {
                idle.ring()
                if isStopping { return }
                work.wait(until: nil)
            }
        }
    }

    private func notice(of dropped: Int) -> [UInt8] {
        let format = state.withLock { $0.format }
        return LogLine.bytes(
            format, .warning, at: Instant(nanoseconds: clock()), "\(dropped) log lines dropped",
            [LogField("reason", "the log's reader is too slow")], Redactor())
    }

    private func put(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                waitWritable()
            } else if errno != EINTR {
                // Nobody left to tell.
                return
            }
        }
    }

    private func waitWritable() {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
    }
}
