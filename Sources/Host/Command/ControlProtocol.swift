import Platform

/// How a command reaches the running host through `DATA_DIR/control.sock`: the words of the command line in, text and
/// an exit status back. Frames are a kind (1 byte), a length (4 bytes, little-endian) and that many bytes.
enum ControlProtocol {
    enum Frame: UInt8 {
        /// The words, each ended by a NUL.
        case request = 1
        /// For standard output.
        case output = 2
        /// For standard error.
        case complaint = 3
        /// One byte: the exit status. The last frame.
        case exit = 4
        /// How far something is, in place of the one before.
        case progress = 5
        /// Of a login: one byte, 1 where the answer may be seen, and the question.
        case question = 6
        /// Of the person to the question before. One who goes away has given up.
        case answer = 7
    }

    static let longestFrame = 1 << 20

    static func send(_ frame: Frame, _ bytes: [UInt8], to descriptor: Int32, until deadline: Int64) -> Bool {
        let count = UInt32(bytes.count)
        let head = [frame.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }
        return Stream.write(head + bytes, to: descriptor, until: deadline)
    }

    /// Nil at the end of the stream, at the deadline, and on anything that is not a frame.
    static func receive(from descriptor: Int32, until deadline: Int64?) -> (frame: Frame, bytes: [UInt8])? {
        guard let head = Stream.read(5, from: descriptor, until: deadline), let frame = Frame(rawValue: head[0]) else {
            return nil
        }
        let count = (0..<4).reduce(0) { $0 | Int(head[1 + $1]) << ($1 * 8) }
        guard count <= longestFrame, let bytes = Stream.read(count, from: descriptor, until: deadline) else {
            return nil
        }
        return (frame, bytes)
    }

    static func encode(_ words: [String]) -> [UInt8] { words.flatMap { Array($0.utf8) + [0] } }

    static func decode(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
