import Glibc
import Platform
import Readings

/// A child process that runs an adapter, with the lines to it and its output. One thread's; ends with the last reference.
final class RunnerProcess {
    enum Event {
        case message(RunnerMessage)
        /// One of `wake` is readable.
        case woken
        case deadline
        /// It is gone, with everything that it had started, and everything that it had said has been given.
        case ended(RunnerEnd)
    }

    private let spawner: RunnerSpawner
    private let process: pid_t
    private let death: FileDescriptor
    private let calls: FileDescriptor
    private let line: FileDescriptor
    private let output: FileDescriptor
    /// Takes what it writes to its standard output and error, line by line.
    private let say: (String) -> Void

    private var frames = FrameBuffer()
    private var lines = OutputLines()
    private var frameBudget: RunnerBudget
    private var outputBudget: RunnerBudget
    /// Whether the process has ended; what it has sent may still be unread.
    private var hasEnded = false
    private var outputIsOpen = true
    /// Whether what it says is taken however much it is: it has little time left.
    private var isHurried = false
    private var reaped: RunnerEnd?

    private static let outputChunk = 32 << 10
    /// How long the bytes of a message may take on their way: it has to read what it is told.
    private static let sendTime = 2 * Duration.second

    /// Starts it. `name` is seen in lists of processes.
    init(_ spawner: RunnerSpawner, name: String, say: @escaping (String) -> Void) throws(SystemError) {
        let child = try spawner.spawn(name)
        self.spawner = spawner
        self.say = say
        process = child.process
        death = FileDescriptor(owning: child.end)
        calls = FileDescriptor(owning: child.calls)
        line = FileDescriptor(owning: child.line)
        output = FileDescriptor(owning: child.output)
        let now = Clock.monotonic()
        frameBudget = .frames(now: now)
        outputBudget = .output(now: now)
    }

    deinit {
        end()
    }

    /// False where it does not take it: it is gone, or does not read.
    func send(_ message: HostMessage) -> Bool {
        let socket = message.isCall ? calls.number : line.number
        return Stream.write(message.encoded, to: socket, until: Clock.monotonic() + Self.sendTime)
    }

    /// It is to end soon: what it says is not held back any more.
    func hurry() { isHurried = true }

    /// Waits for what comes next.
    /// - Parameters:
    ///   - wake: descriptors that end the wait when one is readable; -1 = none.
    ///   - deadline: monotonic ns; nil = none.
    func next(until deadline: Int64?, wake: [Int32]) -> Event {
        if let reaped { return .ended(reaped) }
        while true {
            do throws(Frame.Violation) {
                // What has been sent before a death costs nothing more.
                let now = Clock.monotonic()
                let pause = hasEnded || isHurried ? nil : frameBudget.wait(now: now)
                if pause == nil, let frame = try frames.next() {
                    let message = try RunnerMessage(frame)
                    // Records have been asked for, and as many as may come.
                    if case .record = message {} else { frameBudget.spend(Int64(frame.cost)) }
                    return .message(message)
                }
                if hasEnded { return .ended(reap(killing: nil)) }
                if let deadline, now >= deadline { return .deadline }
                if try wait(until: deadline, pause: pause, wake, now) { return .woken }
            } catch {
                return .ended(kill(because: .violation(error.reason)))
            }
        }
    }

    /// It is not needed any more.
    func end() { kill(because: .exit(status: 0)) }

    /// Ends it and whatever it has started. Answers how it ended.
    @discardableResult
    func kill(because cause: RunnerEnd) -> RunnerEnd { reaped ?? reap(killing: cause) }

    // MARK: Waiting

    /// True where one of `wake` is readable.
    private func wait(until deadline: Int64?, pause: Int64?, _ wake: [Int32], _ now: Int64) throws(Frame.Violation)
        -> Bool
    {
        let outputPause = outputBudget.wait(now: now)
        let readsLine = pause == nil
        let readsOutput = outputIsOpen && outputPause == nil
        let until = [deadline, pause, outputPause].compactMap { $0 }.min()
        let ready = Poll.ready(
            [readsLine ? line.number : -1, readsOutput ? output.number : -1, death.number] + wake, until: until)
        if ready[1] { readOutput() }
        var isOver = ready[2]
        if ready[0], case .ended = frames.receive(from: line.number) {
            // It is on its way out; or it has broken off, and cannot be spoken to.
            isOver = Poll.readable(death.number, until: Clock.monotonic() + Duration.second)
            guard isOver else { throw Frame.Violation(reason: "it closed its socket") }
        }
        if isOver { drain() }
        return ready[3...].contains(true)
    }

    /// It is dead: what it had sent before is still there.
    private func drain() {
        hasEnded = true
        var left = 2 * Frame.longestPayload
        while left > 0, case .some = frames.receive(from: line.number) { left -= 1 << 15 }
        for _ in 0..<8 where outputIsOpen && Poll.readable(output.number, until: 0) { readOutput() }
        for line in lines.finish() { say(line) }
    }

    private func readOutput() {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.outputChunk, alignment: 8) { chunk in
            let count = unsafe read(output.number, chunk.baseAddress, chunk.count)
            guard count > 0 else {
                outputIsOpen = count < 0 && errno == EINTR
                return
            }
            outputBudget.spend(Int64(count))
            for line in unsafe lines.take(UnsafeRawBufferPointer(rebasing: chunk[..<count])) { say(line) }
        }
    }

    // MARK: The end

    /// - Parameter cause: why it is killed; nil = it has died.
    private func reap(killing cause: RunnerEnd?) -> RunnerEnd {
        let status = RunnerSpawner.reap(process)
        let end = cause ?? RunnerEnd(waitStatus: status, report: lines.crash)
        reaped = end
        spawner.sweep()
        return end
    }
}
