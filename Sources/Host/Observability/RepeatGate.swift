import Synchronization

/// Lets an event that repeats through once per interval and key, and counts the rest.
package final class RepeatGate: Sendable {
    private struct Passage {
        var next: Int64
        var suppressed: Int
    }

    /// Keys may come from outside; beyond this many, the ones that are due are forgotten, and a new one waits.
    private static let keyLimit = 1024

    private let interval: Int64
    private let passages = Mutex<[String: Passage]>([:])

    /// Nanoseconds.
    package init(interval: Int64) {
        self.interval = interval
    }

    /// How many were held back since the last that passed; nil = hold this one back too. `now`: monotonic ns.
    package func pass(_ key: String, now: Int64) -> Int? {
        passages.withLock { passages in
            if let passage = passages[key], now < passage.next {
                passages[key]?.suppressed += 1
                return nil
            }
            let suppressed = passages[key]?.suppressed ?? 0
            if passages[key] == nil, passages.count >= Self.keyLimit {
                passages = passages.filter { $0.value.next > now }
                guard passages.count < Self.keyLimit else { return nil }
            }
            passages[key] = Passage(next: now + interval, suppressed: 0)
            return suppressed
        }
    }
}
