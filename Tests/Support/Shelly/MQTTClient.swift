import Foundation
import Glibc
import Synchronization

/// A message of a topic.
public struct MQTTMessage: Sendable {
    public var topic: String
    public var payload: [UInt8]
    public var isRetained: Bool

    public init(_ topic: String, _ payload: String, isRetained: Bool = false) {
        self.init(topic, Array(payload.utf8), isRetained: isRetained)
    }

    public init(_ topic: String, _ payload: [UInt8], isRetained: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.isRetained = isRetained
    }

    public var text: String { String(decoding: payload, as: UTF8.self) }
}

/// A client of MQTT 3.1.1 with QoS 0, as a small device is one: written apart from the library that is under test.
public final class MQTTClient: Sendable {
    private let descriptor: Int32
    private let writing = Mutex(())
    private let state = State()

    /// Shared with the thread.
    private final class State: Sendable {
        let isOpen = Mutex(true)
        let subscriptions = Mutex(0)
    }

    /// - Parameters:
    ///   - will: what the broker says where this client goes without a goodbye.
    ///   - receive: called on a thread of the client's own.
    public init(
        port: UInt16, id: String, account: (user: String, password: String)? = nil, will: MQTTMessage? = nil,
        receive: (@Sendable (MQTTMessage) -> Void)? = nil
    ) throws {
        descriptor = try Loopback.connect(port: port, timeout: 20)
        var flags: UInt8 = 0x02
        var body = Self.text("MQTT") + [4]
        var tail = Self.text(id)
        if let will {
            flags |= 0x04 | (will.isRetained ? 0x20 : 0)
            tail += Self.text(will.topic) + Self.length16(will.payload.count) + will.payload
        }
        if let account {
            flags |= 0xC0
            tail += Self.text(account.user) + Self.text(account.password)
        }
        // No keepalive: these clients end with their test.
        body += [flags, 0, 0] + tail
        guard Loopback.send(Self.packet(0x10, body), to: descriptor),
            let (kind, answer) = Self.read(descriptor), kind == 0x20, answer.last == 0
        else {
            close(descriptor)
            throw FixtureError("the broker on port \(port) does not take \(id)")
        }
        let thread = Thread { [descriptor, state] in
            while let (kind, body) = Self.read(descriptor) {
                if kind == 0x90 { state.subscriptions.withLock { $0 += 1 } }
                guard kind & 0xF0 == 0x30, body.count >= 2 else { continue }
                let length = Int(body[0]) << 8 | Int(body[1])
                guard body.count >= 2 + length else { continue }
                let topic = String(decoding: body[2..<2 + length], as: UTF8.self)
                receive?(MQTTMessage(topic, Array(body[(2 + length)...]), isRetained: kind & 1 == 1))
            }
            state.isOpen.withLock { $0 = false }
        }
        thread.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        try? waitUntil("the client's thread", within: 5) { state.isOpen.withLock { !$0 } }
        close(descriptor)
    }

    public var isOpen: Bool { state.isOpen.withLock { $0 } }

    /// - Returns: false where the broker is gone.
    @discardableResult
    public func publish(_ message: MQTTMessage) -> Bool {
        let packet = Self.packet(message.isRetained ? 0x31 : 0x30, Self.text(message.topic) + message.payload)
        return writing.withLock { _ in Loopback.send(packet, to: descriptor) }
    }

    /// Returns once the broker has confirmed.
    public func subscribe(_ filters: String...) throws {
        let before = state.subscriptions.withLock { $0 }
        let body: [UInt8] = [0, 1] + filters.flatMap { filter -> [UInt8] in Self.text(filter) + [0] }
        _ = writing.withLock { _ in Loopback.send(Self.packet(0x82, body), to: descriptor) }
        try waitUntil("the subscription of \(filters)", within: 20) { state.subscriptions.withLock { $0 > before } }
    }

    /// Without a goodbye: the broker speaks the will.
    public func vanish() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    // MARK: Packets

    private static func text(_ text: String) -> [UInt8] { length16(text.utf8.count) + Array(text.utf8) }
    private static func length16(_ count: Int) -> [UInt8] { [UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)] }

    private static func packet(_ kind: UInt8, _ body: [UInt8]) -> [UInt8] {
        var length = body.count
        var bytes = [kind]
        repeat {
            bytes.append(UInt8(length & 0x7F) | (length > 0x7F ? 0x80 : 0))
            length >>= 7
        } while length > 0
        return bytes + body
    }

    /// The next packet; nil at the end.
    private static func read(_ descriptor: Int32) -> (kind: UInt8, body: [UInt8])? {
        guard let kind = read(1, descriptor)?[0] else { return nil }
        var length = 0
        for place in 0..<4 {
            guard let byte = read(1, descriptor)?[0] else { return nil }
            length |= Int(byte & 0x7F) << (7 * place)
            if byte & 0x80 == 0 { break }
        }
        return read(length, descriptor).map { (kind, $0) }
    }

    /// Silence is no end.
    private static func read(_ count: Int, _ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let got = unsafe bytes[have...].withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
            }
            if got < 0, errno == EAGAIN || errno == EINTR { continue }
            guard got > 0 else { return nil }
            have += got
        }
        return bytes
    }
}
