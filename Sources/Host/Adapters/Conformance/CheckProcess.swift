import Glibc
import Platform
import Readings

/// A child that checks: the parent's side of it. One thread's; ends with the last reference.
final class CheckProcess {
    enum Event {
        case message(CheckMessage)
        case deadline
        /// It is gone, and everything that it had said has been given.
        case ended(RunnerEnd)
    }

    private let spawner: RunnerSpawner
    private let process: pid_t
    private let death: FileDescriptor
    private let line: FileDescriptor
    private let output: FileDescriptor
    private var frames = FrameBuffer()
    private var lines = OutputLines()
    private var outputIsOpen = true
    private var hasEnded = false
    private var reaped: RunnerEnd?
    private static let sendTime = 2 * Duration.second

    init(_ spawner: RunnerSpawner, name: String, setup: CheckSetup) throws(SystemError) {
        let child = try spawner.spawn(name, verb: "adapter-check")
        self.spawner = spawner
        process = child.process
        death = FileDescriptor(owning: child.end)
        line = FileDescriptor(owning: child.line)
        output = FileDescriptor(owning: child.output)
        let calls = FileDescriptor(owning: child.calls)
        _ = Stream.write(setup.encoded, to: calls.number, until: Clock.monotonic() + Self.sendTime)
    }

    deinit { kill(because: .exit(status: 0)) }

    /// - Parameter deadline: monotonic ns.
    func next(until deadline: Int64) -> Event {
        if let reaped { return .ended(reaped) }
        while true {
            do throws(Frame.Violation) {
                if let frame = try frames.next() {
                    guard let message = CheckMessage(frame) else { throw Frame.Violation(reason: "no message") }
                    return .message(message)
                }
            } catch {
                return .ended(kill(because: .violation("it wrote into the line to its host")))
            }
            if hasEnded { return .ended(reap(killing: nil)) }
            if Clock.monotonic() >= deadline { return .deadline }
            wait(until: deadline)
        }
    }

    /// Ends it and whatever it has started. Answers how it ended.
    @discardableResult
    func kill(because cause: RunnerEnd) -> RunnerEnd { reaped ?? reap(killing: cause) }

    private func wait(until deadline: Int64) {
        let ready = Poll.ready(
            [line.number, outputIsOpen ? output.number : -1, death.number], until: deadline)
        if ready[1] { readOutput() }
        if ready[0], case .ended = frames.receive(from: line.number) {
            _ = Poll.readable(death.number, until: Clock.monotonic() + Duration.second)
            drain()
        } else if ready[2] {
            drain()
        }
    }

    /// What it had sent before it died is still there.
    private func drain() {
        hasEnded = true
        for _ in 0..<64 { guard case .some = frames.receive(from: line.number) else { break } }
        for _ in 0..<64 where outputIsOpen && Poll.readable(output.number, until: 0) { readOutput() }
        _ = lines.finish()
    }

    /// What an adapter prints is looked at by a check in the child; here it is read so that nobody waits, and for the word
    /// about a crash.
    private func readOutput() {
        unsafe withUnsafeTemporaryAllocation(byteCount: 32 << 10, alignment: 8) { chunk in
            let count = unsafe read(output.number, chunk.baseAddress, chunk.count)
            guard count > 0 else {
                outputIsOpen = count < 0 && errno == EINTR
                return
            }
            _ = unsafe lines.take(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
    }

    private func reap(killing cause: RunnerEnd?) -> RunnerEnd {
        let status = RunnerSpawner.reap(process)
        let end = cause ?? RunnerEnd(waitStatus: status, report: lines.crash)
        reaped = end
        spawner.sweep()
        return end
    }
}
