import API
import Readings

/// Times as operators write them: as the API has them.
enum TimeText {
    static let forms = "2026-11-23T07:00:00Z, 2026-11-23 (midnight of the house), or seconds since 1970"

    /// What was asked for; a bound that was not given is nil.
    struct Span {
        var from: Instant?
        var to: Instant?

        /// (from, to]; everything where nothing was said.
        var range: Range<Instant> {
            let end = to ?? Instant(nanoseconds: .max)
            return (from ?? min(end, Instant(nanoseconds: 0)))..<end
        }
    }

    /// Nil = it was complained about.
    static func span(_ from: String?, _ to: String?, in zone: Zone, _ console: some Console) -> Span? {
        var span = Span()
        for (text, bound) in [(from, \Span.from), (to, \Span.to)] {
            guard let text else { continue }
            guard let instant = TimeParameter.parse(text, in: zone) else {
                console.complain("smart-meter: '\(text)' is not a time: \(forms)")
                return nil
            }
            span[keyPath: bound] = instant
        }
        if let from = span.from, let to = span.to, from >= to {
            console.complain("smart-meter: --from must be before --to")
            return nil
        }
        return span
    }
}
