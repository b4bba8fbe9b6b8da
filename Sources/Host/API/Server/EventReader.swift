/// One client of the event stream: the snapshot, and then the feed's messages from there on. Lives on the http thread.
final class EventReader: BodyReader {
    private unowned let feed: EventFeed
    /// The client's address.
    let peer: [UInt8]
    private var snapshot: ArraySlice<UInt8>
    /// Of the next message, and how much of it is gone; not kept up while the feed sends to it.
    private var next: Int
    private var position = 0

    init(feed: EventFeed, peer: [UInt8], snapshot: [UInt8], next: Int) {
        self.feed = feed
        self.peer = peer
        self.snapshot = snapshot[...]
        self.next = next
    }

    override func didSuspend(_ connection: Connection) { feed.wait(self, at: connection.descriptor) }

    /// The feed sent it everything before `first`, and so many bytes from there on. The rest follows once the socket takes
    /// it; or the client has gone, which the library finds out.
    func goOn(from first: Int, sent: Int) {
        next = first
        position = sent
        while let message = feed.message(next), position >= message.count {
            position -= message.count
            next += 1
        }
        wake()
    }

    /// As many messages as fit. One that the feed has forgotten means that this client is too slow: it is dropped.
    override func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        var filled = 0
        if !snapshot.isEmpty {
            filled = min(buffer.count, snapshot.count)
            unsafe snapshot.prefix(filled).withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
            snapshot = snapshot.dropFirst(filled)
            if snapshot.isEmpty { snapshot = [] }
        }
        while filled < buffer.count {
            guard next < feed.end else { break }
            guard let message = feed.message(next) else { return .broken }
            let count = min(buffer.count - filled, message.count - position)
            unsafe message.withUnsafeBytes { bytes in
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: part)
            }
            filled += count
            position += count
            guard position == message.count else { break }
            next += 1
            position = 0
        }
        return filled == 0 ? .wait : .bytes(filled)
    }
}
