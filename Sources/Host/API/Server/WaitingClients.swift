import Glibc

/// The clients of the event stream that have read everything. What is new is sent past the library: with hundreds of them
/// that is most of the cost of an event, and so is, after the kernel's share, to look at an object of each. Hence the
/// sockets stand side by side. Lives on the http thread.
struct WaitingClients {
    private var sockets: [Int32] = []
    /// At the same place as their sockets.
    private var readers: [EventReader] = []

    mutating func add(_ reader: EventReader, at socket: Int32) {
        sockets.append(socket)
        readers.append(reader)
    }

    mutating func remove(_ reader: EventReader) {
        guard let place = readers.firstIndex(where: { $0 === reader }) else { return }
        sockets.remove(at: place)
        readers.remove(at: place)
    }

    /// Sends what the sockets take at once. Those that did not take all are no longer among the waiting: they are answered,
    /// with how much they took.
    mutating func send(_ bytes: [UInt8]) -> [(client: EventReader, sent: Int)] {
        var behind: [(place: Int, sent: Int)] = []
        for place in sockets.indices {
            let sent = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    sockets[place], bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if sent < bytes.count { behind.append((place, max(0, sent))) }
        }
        let slow = behind.map { (readers[$0.place], $0.sent) }
        for (place, _) in behind.reversed() {
            sockets.remove(at: place)
            readers.remove(at: place)
        }
        return slow
    }
}
