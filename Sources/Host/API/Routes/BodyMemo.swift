import Platform
import Readings
import Synchronization

/// Keeps an answer that many ask for: while no reading comes it is made ten times a second at most, whoever asks.
final class BodyMemo: Sendable {
    private struct Kept: Sendable {
        let readingCount: Int
        let madeAt: Int64
        let body: [UInt8]
    }

    private let kept = Mutex<Kept?>(nil)

    /// What becomes old by itself (a reading that is stale) is told so much later.
    private static let longest = Duration.second / 10

    /// - Parameter make: nil is not kept.
    func body(readingCount: Int, _ make: () -> [UInt8]?) -> [UInt8]? {
        let now = Clock.monotonic()
        if let kept = kept.withLock({ $0 }), kept.readingCount == readingCount, now - kept.madeAt < Self.longest {
            return kept.body
        }
        guard let body = make() else { return nil }
        kept.withLock { $0 = Kept(readingCount: readingCount, madeAt: now, body: body) }
        return body
    }
}
