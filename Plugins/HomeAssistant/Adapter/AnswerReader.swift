import AdapterKit

/// Why an answer cannot be used.
enum AnswerFault: Error {
    case noList
    case tooMuch
    case cancelled

    func failure(of place: String) -> AdapterError {
        switch self {
        case .noList: AdapterError(.badData, "\(place) answered something that is no list of states")
        case .tooMuch: AdapterError(.tooLarge, "\(place) answered more states than can be of use")
        case .cancelled: AdapterError(.cancelled, "the host asked to stop")
        }
    }
}

/// Reads an answer element by element: no more of them than can be of use, and it ends where the call has to.
struct AnswerReader {
    private var cursor: JSONCursor
    private var left: Int
    private let isCancelled: () -> Bool

    /// An entity whose attributes have more values than this is none.
    private static let largestElement = 20_000
    private static let elementsBetweenLooks = 256

    /// - Parameter most: elements, of all lists together.
    init(_ body: [UInt8], most: Int, isCancelled: @escaping () -> Bool) {
        cursor = JSONCursor(body)
        left = most
        self.isCancelled = isCancelled
    }

    mutating func enterList() -> Bool { cursor.enterList() }

    mutating func hasNext() throws(AnswerFault) -> Bool {
        guard cursor.hasNext() else { return false }
        guard left > 0 else { throw .tooMuch }
        left -= 1
        if left.isMultiple(of: Self.elementsBetweenLooks), isCancelled() { throw .cancelled }
        return true
    }

    mutating func value() -> JSON? { cursor.value(most: Self.largestElement) }

    var isWhole: Bool {
        mutating get { cursor.isWhole }
    }
}
