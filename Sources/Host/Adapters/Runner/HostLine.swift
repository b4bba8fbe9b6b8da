import AdapterABI
import Glibc
import Platform
import Readings
import Synchronization

/// The runner's end of the line to its host. Any thread of the adapter sends; one thread receives.
final class HostLine: Sendable {
    let socket: Int32
    /// Held while a message is written, so that messages stay whole.
    private let writing = Mutex(())
    private let waiting = Mutex<[UInt32: Reply<HostAnswer>]>([:])
    private let serial = Atomic<UInt32>(0)
    /// How long a reading may wait for the host to take what came before.
    private static let emitTime = 20 * Duration.millisecond

    struct HostAnswer: Sendable {
        var code: Int32
        var bytes: [UInt8] = []
    }

    /// - Parameter socket: stays open for as long as the process lives.
    init(socket: Int32) {
        self.socket = socket
    }

    /// Waits until the message is on its way. Ends the process where there is no host any more.
    func send(_ message: RunnerMessage) { send(message.encoded) }

    /// False where too much is on its way already: nothing was sent.
    func send(reading: UnsafePointer<meter_reading>) -> Bool {
        let bytes = unsafe RunnerMessage.encoded(reading, isRecord: false)
        return writing.withLock { _ in
            guard Poll.writable(socket, until: Clock.monotonic() + Self.emitTime) else { return false }
            write(bytes)
            return true
        }
    }

    /// Waits for as long as it takes: the host has asked for it.
    func send(record: UnsafePointer<meter_reading>) { send(unsafe RunnerMessage.encoded(record, isRecord: true)) }

    /// Asks the host and waits for its answer.
    func ask(_ question: RunnerQuestion) -> HostAnswer {
        guard let reply = try? Reply<HostAnswer>() else { return HostAnswer(code: METER_FAILED) }
        let number = serial.add(1, ordering: .relaxed).newValue
        waiting.withLock { $0[number] = reply }
        send(.ask(serial: number, question))
        return reply.wait(until: nil) ?? HostAnswer(code: METER_FAILED)
    }

    func take(_ answer: HostAnswer, to serial: UInt32) {
        waiting.withLock { $0.removeValue(forKey: serial) }?.give(answer)
    }

    private func send(_ bytes: [UInt8]) {
        writing.withLock { _ in write(bytes) }
    }

    private func write(_ bytes: [UInt8]) {
        guard Stream.write(bytes, to: socket, until: Clock.monotonic() + Duration.day) else { Self.hangUp() }
    }

    /// Ends this process and everything that the adapter has started in its group.
    static func hangUp() -> Never {
        kill(0, SIGKILL)
        _exit(1)
    }
}
