import Platform

/// One line of the table.
struct Measurement {
    var what: String
    var figure: String
    /// What was done how often, so that the figure can be taken again.
    var how: String

    var row: String { "| \(what) | \(figure) | \(how) |" }

    /// Nanoseconds that `body` takes: the median of some runs.
    static func median(runs: Int = 5, _ body: () throws -> Void) rethrows -> Double {
        var times: [Int64] = []
        for _ in 0..<runs {
            let begin = Clock.monotonic()
            try body()
            times.append(Clock.monotonic() - begin)
        }
        return Double(times.sorted()[runs / 2])
    }

    /// Three digits are what a run on a shared machine is good for.
    static func rounded(_ value: Double) -> String {
        var unit = 1.0
        while abs(value) / unit >= 1000 { unit *= 10 }
        let whole = Int64((value / unit).rounded() * unit)
        guard abs(value) < 100 else { return grouped(whole) }
        return "\((value * 10).rounded() / 10)"
    }

    private static func grouped(_ value: Int64) -> String {
        let digits = Array("\(value)")
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return text
    }
}
