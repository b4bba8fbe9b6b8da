/// Reads lists of JSON element by element, so that a long one is never in memory as a whole:
///
/// ```swift
/// var cursor = JSONCursor(bytes)
/// guard cursor.enterList() else { return nil }
/// while cursor.hasNext() {
///     guard let element = cursor.value(most: 1000) else { break }
/// }
/// guard cursor.isWhole else { return nil }
/// ```
public struct JSONCursor: Sendable {
    private var parser: JSONParser
    /// Of each list that was entered: whether its next element is the first.
    private var isFirst: [Bool] = []

    public init(_ bytes: [UInt8]) {
        parser = JSONParser(bytes, isLoose: false)
    }

    /// Goes into the list that comes next; false where something else does.
    public mutating func enterList() -> Bool {
        guard parser.enterList() else { return false }
        isFirst.append(true)
        return true
    }

    /// Whether the list has a further element, which then is to be read or entered; where it has none it is left.
    public mutating func hasNext() -> Bool {
        guard let isFirst = isFirst.popLast() else { return false }
        guard parser.goToElement(isFirst: isFirst) else { return false }
        self.isFirst.append(false)
        return true
    }

    /// The value that comes next.
    ///
    /// Nil, and the end of everything, where it makes no sense.
    /// - Parameter most: how many values it may be made of; one of more makes no sense.
    public mutating func value(most: Int) -> JSON? { parser.value(most: most) }

    /// Whether all lists are read to their ends, and everything that was read made sense.
    public var isWhole: Bool {
        mutating get { parser.isWhole && isFirst.isEmpty && parser.isAtEnd }
    }
}
