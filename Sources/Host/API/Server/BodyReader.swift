/// A body that goes out as it is made. Lives on the http thread.
class BodyReader {
    enum Outcome {
        /// So many bytes were copied.
        case bytes(Int)
        /// There is nothing now: `wake` says when there is.
        case wait
        case end
        /// The rest will not come: the connection is to be closed, so that the client notices.
        case broken
    }

    /// The connection that waits for something to read.
    private(set) var suspended: Connection?
    private var isClosed = false

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome { .end }

    /// As `read`; where there is nothing, the connection is suspended until `wake`.
    final func next(into buffer: UnsafeMutableRawBufferPointer, for connection: Connection) -> Outcome {
        guard !isClosed else { return .broken }
        let outcome = unsafe read(into: buffer)
        if case .wait = outcome {
            suspended = connection
            connection.suspend()
            didSuspend(connection)
        }
        return outcome
    }

    func didSuspend(_ connection: Connection) {}

    /// There is something to read now.
    final func wake() {
        suspended?.resume()
        suspended = nil
    }

    /// The connection goes on, to be closed.
    final func close() {
        isClosed = true
        wake()
    }
}

/// The pieces of a long answer. A piece is asked for when the one before begins to go out, so that two are in memory.
final class PieceReader: BodyReader {
    private var pieces: [Piece] = []
    /// Bytes of the first piece that are gone.
    private var position = 0
    private var hasAsked = false
    private var isBroken = false
    private let goOn: () -> Void

    init(first: [UInt8], goOn: @escaping () -> Void) {
        self.goOn = goOn
        pieces = [Piece(first, isLast: false)]
    }

    func take(_ piece: Piece) {
        hasAsked = false
        pieces.append(piece)
        wake()
    }

    func fail() {
        isBroken = true
        wake()
    }

    override func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        while let piece = pieces.first {
            if !hasAsked, !isBroken, pieces.count == 1, !piece.isLast {
                hasAsked = true
                goOn()
            }
            let count = min(buffer.count, piece.bytes.count - position)
            guard count == 0 else {
                unsafe piece.bytes[position..<(position + count)].withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
                position += count
                return .bytes(count)
            }
            if piece.isLast { return .end }
            pieces.removeFirst()
            position = 0
        }
        return isBroken ? .broken : .wait
    }
}
