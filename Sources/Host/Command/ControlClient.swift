import Glibc
import Platform

/// Hands a command to the running host.
enum ControlClient {
    /// Nil where no host runs on this data directory; else the exit status that it answered.
    static func run(_ words: [String], socketPath: String, console: Terminal) -> Int32? {
        guard let connection = try? UnixSocket.connect(to: socketPath) else { return nil }
        let sent = ControlProtocol.send(
            .request, ControlProtocol.encode(words), to: connection.number,
            until: Clock.monotonic() + 5_000_000_000)
        guard sent else { return nil }
        var isShowing = false
        while let (frame, bytes) = ControlProtocol.receive(from: connection.number, until: nil) {
            let text = String(decoding: bytes, as: UTF8.self)
            if frame != .progress, isShowing { console.show(progress: "") }
            isShowing = frame == .progress
            switch frame {
            case .progress: console.show(progress: text)
            case .output: console.print(String(text.dropLast()))
            case .complaint: console.complain(String(text.dropLast()))
            case .exit: return bytes.first.map(Int32.init) ?? 1
            case .request: return 1
            }
        }
        console.complain("the host went away before it had answered")
        return 1
    }
}
