import Glibc
import Platform

/// Hands a command to the running host.
enum ControlClient {
    /// Nil where no host runs on this data directory; else the exit status that it answered.
    /// - Parameter person: who answers questions.
    static func run(
        _ words: [String], socketPath: String, console: Terminal, person: PersonAtTerminal? = nil
    ) -> Int32? {
        guard let connection = try? UnixSocket.connect(to: socketPath) else { return nil }
        let sent = ControlProtocol.send(
            .request, ControlProtocol.encode(words), to: connection.number,
            until: Clock.monotonic() + 5_000_000_000)
        guard sent else { return nil }
        var isShowing = false
        while true {
            if let person, !person.wait(for: connection.number) { return person.hasGivenUp(console) }
            guard let (frame, bytes) = ControlProtocol.receive(from: connection.number, until: nil) else { break }
            let text = String(decoding: bytes, as: UTF8.self)
            if frame != .progress, isShowing { console.show(progress: "") }
            isShowing = frame == .progress
            switch frame {
            case .progress: console.show(progress: text)
            case .output: console.print(String(text.dropLast()))
            case .complaint: console.complain(String(text.dropLast()))
            case .exit: return bytes.first.map(Int32.init) ?? 1
            case .question:
                let question = String(decoding: bytes.dropFirst(), as: UTF8.self)
                switch person?.ask(question, isEchoed: bytes.first == 1, or: connection.number) {
                case .answer(let answer):
                    let deadline = Clock.monotonic() + 5_000_000_000
                    _ = ControlProtocol.send(.answer, answer, to: connection.number, until: deadline)
                case .somethingElse: break
                case .givenUp, nil: return person?.hasGivenUp(console) ?? 1
                }
            case .request, .answer: return 1
            }
        }
        console.complain("the host went away before it had answered")
        return 1
    }
}
