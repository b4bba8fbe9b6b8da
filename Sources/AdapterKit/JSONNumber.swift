/// Reads a number of JSON.
enum JSONNumber {
    /// Nil where the word is no number of JSON; loosely a leading plus, leading zeros, and a point without digits on
    /// one side will do.
    static func read(_ word: ArraySlice<UInt8>, isLoose: Bool) -> JSON? {
        guard let parts = Parts(word, isLoose: isLoose) else { return nil }
        if parts.isInteger {
            let magnitude = parts.isNegative ? 0 &- parts.mantissa : parts.mantissa
            let value = Int64(truncatingIfNeeded: magnitude)
            if parts.isExact, parts.mantissa == 0 || (value < 0) == parts.isNegative { return .integer(value) }
        }
        // Both are exact as a Double, so that their quotient is the nearest.
        if parts.isExact, !parts.hasExponent, parts.mantissa <= 1 << 53, parts.decimals < powersOfTen.count {
            let value = Double(parts.mantissa) / powersOfTen[parts.decimals]
            return .number(parts.isNegative ? -value : value)
        }
        let text = String(decoding: word, as: UTF8.self)
        return Double(text.hasSuffix(".") ? text + "0" : text).map(JSON.number)
    }

    private static let powersOfTen: [Double] = (0...22).map { power in
        (0..<power).reduce(1) { value, _ in value * 10 }
    }

    /// What the word is made of.
    private struct Parts {
        var isNegative = false
        /// The digits as one number; meaningless unless `isExact`.
        var mantissa: UInt64 = 0
        var isExact = true
        var decimals = 0
        var isInteger = true
        var hasExponent = false

        init?(_ word: ArraySlice<UInt8>, isLoose: Bool) {
            var place = word.startIndex
            isNegative = word.first == UInt8(ascii: "-")
            if isNegative || (isLoose && word.first == UInt8(ascii: "+")) { place += 1 }
            let first = place
            digits(word, &place)
            let whole = place - first
            guard isLoose || whole == 1 || (whole > 1 && word[first] != UInt8(ascii: "0")) else { return nil }
            if place < word.endIndex, word[place] == UInt8(ascii: ".") {
                place += 1
                isInteger = false
                let point = place
                digits(word, &place)
                decimals = place - point
                guard decimals > 0 || isLoose else { return nil }
            }
            guard whole + decimals > 0 else { return nil }
            if place < word.endIndex, word[place] | 0x20 == UInt8(ascii: "e") {
                guard exponent(word, &place) else { return nil }
            }
            guard place == word.endIndex else { return nil }
        }

        private mutating func digits(_ word: ArraySlice<UInt8>, _ place: inout Int) {
            while place < word.endIndex, case 0x30...0x39 = word[place] {
                let (tens, isTooLarge) = mantissa.multipliedReportingOverflow(by: 10)
                let (sum, isBeyond) = tens.addingReportingOverflow(UInt64(word[place] - 0x30))
                if isTooLarge || isBeyond { isExact = false }
                mantissa = sum
                place += 1
            }
        }

        /// False where no digit follows.
        private mutating func exponent(_ word: ArraySlice<UInt8>, _ place: inout Int) -> Bool {
            isInteger = false
            hasExponent = true
            place += 1
            if place < word.endIndex, word[place] == UInt8(ascii: "+") || word[place] == UInt8(ascii: "-") {
                place += 1
            }
            let first = place
            while place < word.endIndex, case 0x30...0x39 = word[place] { place += 1 }
            return place > first
        }
    }
}
