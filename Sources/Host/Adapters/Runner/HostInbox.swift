import Platform

/// Messages of the host from one of the two lines, for one thread that waits for them.
struct HostInbox {
    private let socket: Int32
    private var frames = FrameBuffer()

    init(socket: Int32) {
        self.socket = socket
    }

    /// The next one; nil at the end of the line, and where it makes no sense.
    mutating func next() -> HostMessage? {
        do throws(Frame.Violation) {
            while true {
                if let frame = try frames.next() { return try HostMessage(frame) }
                // Not in recv itself: that would wake up whenever the host has taken what another thread had sent.
                _ = Poll.readable(socket, until: nil)
                if case .ended = frames.receive(from: socket) { return nil }
            }
        } catch {
            return nil
        }
    }
}
