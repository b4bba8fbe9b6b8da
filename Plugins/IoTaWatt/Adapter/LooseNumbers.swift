import AdapterKit

extension JSON {
    /// A finite number, in quotes and padded or not: the device writes both.
    var looseNumber: Double? {
        guard case .text(let text) = self else { return number }
        guard let (value, isWhole) = JSON.parseLoosely(Array(text.utf8)), isWhole else { return nil }
        return value.number
    }

    /// A whole number that an Int holds; what stands behind the point does not count.
    var looseInteger: Int? { looseNumber.flatMap { Int(exactly: $0.rounded(.down)) } }
}
