import Platform
import Storage
import Synchronization
import TestSupport

@testable import Delivery

/// The pipeline's part in a delivery: keeps what was answered until the test's thread settles it.
final class TestPipeline {
    private let store: Store
    private let answers = Answers()

    private final class Answers: Sendable {
        typealias Entry = (settlement: Settlement, done: @Sendable () -> Void)
        let waiting = Mutex<[Entry]>([])
    }

    init(store: Store) {
        self.store = store
    }

    /// What a loop is to tell of its answers.
    var intake: @Sendable (Settlement, @escaping @Sendable () -> Void) -> Void {
        { [answers] settlement, done in answers.waiting.withLock { $0.append((settlement, done)) } }
    }

    /// As kill -9 does with what was answered and is not settled.
    func forget() { answers.waiting.withLock { $0 = [] } }

    func settle() throws {
        let entries = answers.waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for entry in entries {
            var plan = CommitPlan()
            plan.settlements = [entry.settlement]
            try store.commit(plan)
            entry.done()
        }
    }

    func wait(_ what: String, within seconds: Double = 10, _ condition: () throws -> Bool) throws {
        try waitUntil(what, within: seconds) {
            try settle()
            return try condition()
        }
    }
}
