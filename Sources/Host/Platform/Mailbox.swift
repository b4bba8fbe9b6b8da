import Synchronization

/// A queue into a thread: any thread posts, its owner takes everything at once. The doorbell may be shared with other
/// mailboxes of the same owner.
package final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let doorbell: Doorbell

    package init(doorbell: Doorbell) {
        self.doorbell = doorbell
    }

    package func post(_ message: Message) {
        let wasEmpty = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if wasEmpty { doorbell.ring() }
    }

    /// Everything posted so far, in order.
    package func take() -> [Message] {
        messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}
