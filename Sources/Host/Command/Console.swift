import Adapters
import Glibc
import Platform

/// Where a command's words go: the terminal, or the operator at the other end of the control socket.
protocol Console {
    /// Standard output, a newline added.
    func print(_ text: String)
    /// Standard error, a newline added.
    func complain(_ text: String)
}

/// This process's own standard output and error.
struct Terminal: Console {
    func print(_ text: String) { write(text + "\n", to: 1) }
    func complain(_ text: String) { write(text + "\n", to: 2) }

    /// On a terminal, in the line of what was shown before; elsewhere nothing. An empty text clears the line.
    func show(progress text: String) {
        guard isatty(2) == 1 else { return }
        write("\r\(text)\u{1B}[K", to: 2)
    }

    /// The cursor stays behind it.
    func show(question text: String) {
        write(text.hasSuffix(":") || text.hasSuffix("?") ? text + " " : text + ": ", to: 2)
    }

    private func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + offset }, bytes.count - offset)
            }
            // A closed pipe is the reader's choice.
            guard count > 0 || errno == EINTR else { return }
            offset += max(0, count)
        }
    }
}

/// An operator at the other end of the control socket.
struct ControlConsole: Console {
    let descriptor: Int32
    /// How long a slow reader is waited for.
    private static let patience: Int64 = 10_000_000_000

    func print(_ text: String) { send(.output, text + "\n") }
    func complain(_ text: String) { send(.complaint, text + "\n") }

    /// How far something is, in place of what was said of it before. False where nobody is there any more.
    func progress(_ text: String) -> Bool {
        ControlProtocol.send(.progress, Array(text.utf8), to: descriptor, until: Clock.monotonic() + Self.patience)
    }

    /// Asks the person there; the answer comes as a frame.
    func ask(_ prompt: LoginPrompt) {
        let bytes = [prompt.isEchoed ? 1 : 0] + Array(prompt.question.utf8)
        _ = ControlProtocol.send(.question, bytes, to: descriptor, until: Clock.monotonic() + Self.patience)
    }

    func finish(status: UInt8) {
        _ = ControlProtocol.send(.exit, [status], to: descriptor, until: Clock.monotonic() + Self.patience)
    }

    private func send(_ frame: ControlProtocol.Frame, _ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let part = Array(bytes.prefix(ControlProtocol.longestFrame))
            guard ControlProtocol.send(frame, part, to: descriptor, until: Clock.monotonic() + Self.patience) else {
                return
            }
            bytes = bytes.dropFirst(part.count)
        }
    }
}
