import AdapterABI
import Glibc
import Platform
import Readings
import Synchronization

/// Calls come one at a time, but from any thread; readings of a push adapter, too.
enum ThreadChecks {
    static let table: [ConformanceCheck] = [
        ConformanceCheck("threads-moving", .threads, "Each call may come from another thread", body: moving),
        ConformanceCheck("threads-together", .threads, "Two instances are read at the same time", body: together),
        ConformanceCheck(
            "threads-push", .threads, "A push adapter emits from a thread of its own, by itself", body: push),
    ]

    /// Runs one body after the other, each on a thread of its own. All of them stay to the end: the number of a thread that
    /// has ended may be the next one's.
    private static func onThreads<Value: Sendable>(
        _ bodies: [@Sendable () -> Value], while goesOn: (Value) -> Bool
    ) throws(Finding) {
        do throws(SystemError) {
            let end = try Doorbell()
            var threads: [Thread] = []
            defer {
                end.ring()
                for thread in threads { thread.join() }
            }
            for body in bodies {
                let reply = try Reply<Value>()
                threads.append(
                    try Thread(name: "caller", stackBytes: RunningAdapter.stackBytes) {
                        reply.give(body())
                        _ = Poll.readable(end.number, until: nil)
                    })
                guard let value = reply.wait(until: nil), goesOn(value) else { return }
            }
        } catch {
            throw .skipped("\(error)")
        }
    }

    /// Where threads wait for each other.
    private final class Waiting: Sendable {
        private let arrived = Atomic<Int>(0)

        /// Until so many are there, or have left.
        func meet(_ count: Int) {
            arrived.add(1, ordering: .acquiringAndReleasing)
            while arrived.load(ordering: .acquiring) < count { CheckedInstance.pause(Duration.millisecond) }
        }

        func leave() { arrived.add(1, ordering: .acquiringAndReleasing) }
    }

    /// What went wrong on any of some threads.
    private final class Failures: Sendable {
        private let all = Mutex<[AdapterFailure]>([])
        func add(_ failure: AdapterFailure) { all.withLock { $0.append(failure) } }
        var first: AdapterFailure? { all.withLock { $0.first } }
    }

    private static func failure(_ body: () throws(AdapterFailure) -> Void) -> AdapterFailure? {
        do throws(AdapterFailure) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private static func moving(_ bench: CheckBench) throws(Finding) {
        try bench.needsMeter()
        let instance = try bench.instance()
        let steps: [@Sendable () -> AdapterFailure?] = [
            { failure { () throws(AdapterFailure) in try instance.create() } },
            { failure { () throws(AdapterFailure) in try instance.start() } },
            { failure { () throws(AdapterFailure) in try instance.read() } },
            { failure { () throws(AdapterFailure) in instance.stop() } },
            { failure { () throws(AdapterFailure) in instance.destroy() } },
        ]
        var found: AdapterFailure?
        try onThreads(steps) { failure in
            found = failure
            return failure == nil
        }
        if let found {
            instance.stop()
            instance.destroy()
            try bench.needsReading()
            throw .failed(
                "called from another thread, it says \(found.word): \(found.message)", expected: "what it does on one",
                advice: "keep nothing in thread-local storage from one call to the next")
        }
    }

    private static func together(_ bench: CheckBench) throws(Finding) {
        try bench.needsMeter()
        let instances = [try bench.instance(), try bench.instance()]
        let failures = Failures()
        let waiting = Waiting()
        do throws(SystemError) {
            var threads: [Thread] = []
            for instance in instances {
                threads.append(
                    try Thread(name: "caller", stackBytes: RunningAdapter.stackBytes) {
                        let failure = failure { () throws(AdapterFailure) in
                            try instance.create()
                            try instance.start()
                            waiting.meet(instances.count)
                            try instance.read()
                        }
                        waiting.leave()
                        if let failure { failures.add(failure) }
                    })
            }
            for thread in threads { thread.join() }
            for instance in instances {
                instance.stop()
                instance.destroy()
            }
        } catch {
            throw .skipped("\(error)")
        }
        guard let failure = failures.first else { return }
        try bench.needsReading()
        throw .failed(
            "beside another instance, one says \(failure.word): \(failure.message)", expected: "what it does alone",
            advice: "keep no global state that is not guarded")
    }

    private static func push(_ bench: CheckBench) throws(Finding) {
        guard try bench.adapter().description.delivery == .push else { throw .skipped("it is a pull adapter") }
        let instance = try bench.started()
        defer {
            instance.stop()
            instance.destroy()
        }
        try bench.orSkip("waiting for a reading") { () throws(AdapterFailure) in
            try instance.read(within: bench.setup.wait)
        }
        let own = UInt(pthread_self())
        guard instance.services.seen.emittingThreads.contains(own) else { return }
        throw .failed(
            "it called emit from within start", expected: "emit from a thread of its own",
            advice: "start a thread in start; the host waits for start to return")
    }
}
