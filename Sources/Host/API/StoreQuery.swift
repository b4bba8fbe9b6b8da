/// What a route wants from the store: runs on the query thread, and may take a while.
package typealias StoreQuery = @Sendable () throws(Problem) -> StoreAnswer

/// What the query thread hands to the http thread.
package enum StoreAnswer {
    case whole(Response)
    /// A body that is made piece by piece, each when the one before is on its way: it is never in memory as a whole.
    case pieces(contentType: String, headers: [(name: String, value: String)], any PieceSource)
}

/// Makes a long body. Confined to the query thread.
package protocol PieceSource {
    /// What comes next: about 64 KB, or as much as a tenth of a second gives, so that other queries have their turn; may
    /// be empty.
    mutating func next() throws(Problem) -> Piece
}

package struct Piece: Sendable {
    package var bytes: [UInt8]
    package var isLast: Bool

    package init(_ bytes: [UInt8], isLast: Bool) {
        self.bytes = bytes
        self.isLast = isLast
    }
}
