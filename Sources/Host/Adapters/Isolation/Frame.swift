import Glibc
import Readings

/// The unit of what host and runner say to each other: `docs/adapter-runner.md` has the protocol. The bytes of one come
/// from another process, which may be hostile.
struct Frame: Hashable, Sendable {
    /// Which message it is; `HostMessage` and `RunnerMessage` have them.
    var kind: UInt8
    var payload: [UInt8]

    static let headerSize = 8
    /// Room for a reading of 4096 circuits with the longest texts.
    static let longestPayload = 4 << 20

    /// What the other side said makes no sense.
    struct Violation: Error, Hashable {
        let reason: String
    }

    /// Length, kind, three zeros, payload.
    static func encode(_ kind: UInt8, capacity: Int = 64, _ body: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter(capacity: headerSize + capacity)
        writer.write(UInt64(0))
        body(&writer)
        var bytes = writer.bytes
        let count = UInt32(bytes.count - headerSize)
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: count >> (index * 8)) }
        bytes[4] = kind
        return bytes
    }

    /// What it costs the host, whatever is in it, in units of their own: what budgets count in.
    var cost: Int { 64 + payload.count / 64 }
}

/// Bytes of a socket, cut into frames.
struct FrameBuffer {
    private var bytes: [UInt8] = []
    private var start = 0
    private static let chunk = 32 << 10

    enum Receipt {
        case some, nothing, ended
    }

    /// Takes what is there without waiting.
    mutating func receive(from socket: Int32) -> Receipt {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 8) { chunk in
            while true {
                let count = unsafe recv(socket, chunk.baseAddress, chunk.count, Int32(MSG_DONTWAIT))
                if count > 0 {
                    compact()
                    unsafe bytes.append(contentsOf: chunk.prefix(count))
                    return .some
                }
                if count == 0 { return .ended }
                if errno != EINTR { return errno == EAGAIN ? .nothing : .ended }
            }
        }
    }

    /// The next whole frame.
    mutating func next() throws(Frame.Violation) -> Frame? {
        guard bytes.count - start >= Frame.headerSize else { return nil }
        let length = (0..<4).reduce(0) { $0 | Int(bytes[start + $1]) << ($1 * 8) }
        guard length <= Frame.longestPayload else {
            throw Frame.Violation(reason: "a frame of \(length) bytes")
        }
        guard bytes[(start + 5)..<(start + 8)].allSatisfy({ $0 == 0 }) else {
            throw Frame.Violation(reason: "a frame with a header that is none")
        }
        guard bytes.count - start >= Frame.headerSize + length else { return nil }
        let body = start + Frame.headerSize
        defer { start = body + length }
        return Frame(kind: bytes[start + 4], payload: Array(bytes[body..<(body + length)]))
    }

    /// Forgets what was taken, and memory that one large frame needed.
    private mutating func compact() {
        guard start > 0 else { return }
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 2 * Self.chunk)
        } else {
            bytes.removeSubrange(..<start)
        }
        start = 0
    }
}

extension ByteWriter {
    /// Length and bytes.
    mutating func write(text: some StringProtocol) { write(block: Array(text.utf8)) }

    /// Length and bytes.
    mutating func write(block: [UInt8]) {
        write(UInt32(clamping: block.count))
        write(bytes: block)
    }
}

extension ByteReader {
    /// What `write(block:)` wrote; nil where there are not as many bytes, or more than `limit`.
    mutating func readBlock(limit: Int) -> [UInt8]? {
        guard let count = read(UInt32.self), count <= limit else { return nil }
        return readBytes(Int(count))
    }

    /// As `readBlock`, where it is UTF-8.
    mutating func readText(limit: Int) -> String? {
        readBlock(limit: limit).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
