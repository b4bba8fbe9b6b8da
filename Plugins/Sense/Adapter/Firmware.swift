/// A monitor's firmware, such as `1.64.3451-8d2a17`: compared number by number, so that 1.100 is newer than 1.64.
struct Firmware: Comparable, Sendable {
    let text: String
    private let numbers: [UInt64]

    /// The first that answers realtime_update.
    static let oldest = Firmware("1.64")

    init(_ text: String) {
        self.text = String(text.unicodeScalars.prefix(64).filter { $0.value > 0x20 }.map(Character.init))
        var numbers: [UInt64] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            let digits = part.prefix { $0.isASCII && $0.isNumber }
            guard let number = UInt64(digits) else { break }
            numbers.append(number)
            // What follows is a name, not a number.
            guard digits.endIndex == part.endIndex, numbers.count < 8 else { break }
        }
        self.numbers = numbers
    }

    /// Whether there is a number in it at all.
    var isKnown: Bool { !numbers.isEmpty }

    static func == (first: Firmware, second: Firmware) -> Bool { !(first < second) && !(second < first) }

    static func < (first: Firmware, second: Firmware) -> Bool {
        for index in 0..<max(first.numbers.count, second.numbers.count) {
            let left = index < first.numbers.count ? first.numbers[index] : 0
            let right = index < second.numbers.count ? second.numbers[index] : 0
            if left != right { return left < right }
        }
        return false
    }
}
