import AdapterABI
import Configuration
import Platform
import Readings

/// What a hundred lives in one process take; fewer where each takes long.
struct LeakMeasure: Sendable {
    var lives: Int
    var before: ProcessHoldings
    var after: ProcessHoldings

    private static let wanted = 100
    private static let warmUp = 30
    /// With fewer, an allocator's own ways cannot be told from a leak.
    static let leastForMemory = 50
    private static let time = (warmUp: 6 * Duration.second, lives: 20 * Duration.second)

    static func make(_ bench: CheckBench) throws(Finding) -> LeakMeasure {
        if let measure = bench.lives { return measure }
        // One host for them all, and no network: what grows is the adapter's.
        let instance = try bench.instance(.refused, services: try bench.services(keeps: false))
        _ = lead(warmUp, instance, within: time.warmUp)
        let before = settled()
        let lives = lead(wanted, instance, within: time.lives)
        let measure = LeakMeasure(lives: lives, before: before, after: settled())
        bench.lives = measure
        return measure
    }

    /// Answers how many there was time for.
    private static func lead(_ lives: Int, _ instance: CheckedInstance, within time: Int64) -> Int {
        let deadline = Clock.monotonic() + time
        for life in 0..<lives {
            guard Clock.monotonic() < deadline else { return life }
            instance.live(isLast: false, isBrief: true)
        }
        return lives
    }

    /// A thread that has been joined may still be counted for a moment.
    private static func settled() -> ProcessHoldings {
        CheckedInstance.pause(20 * Duration.millisecond)
        return .now()
    }
}

/// From create to destroy.
enum LifeChecks {
    /// Bytes a life that allocators' own bookkeeping may come to.
    private static let slack = 32

    static let table: [ConformanceCheck] = [
        ConformanceCheck("life-create", .life, "create makes an instance, from settings alone") {
            (bench) throws(Finding) in
            let instance = try bench.instance(.refused)
            do throws(AdapterFailure) {
                try instance.create()
                instance.live(isBrief: true)
            } catch {
                // What stands in for a setting cannot always be one.
                if !bench.hasMeter, error.code == METER_MISCONFIGURED { throw bench.noMeter("create", error) }
                throw .failed(
                    "create fails: \(error.word): \(error.message)",
                    expected: "an instance, where every required setting has a value",
                    advice: "declare what is required; give it with --setting NAME=VALUE")
            }
        },
        ConformanceCheck("life-unstarted", .life, "An instance that was never started can be destroyed") {
            (bench) throws(Finding) in
            let instance = try created(bench)
            instance.destroy()
        },
        ConformanceCheck(
            "life-unread", .life, "An instance that was started and never read can be stopped and destroyed"
        ) {
            (bench) throws(Finding) in
            let instance = try bench.started()
            instance.stop()
            instance.destroy()
        },
        ConformanceCheck(
            "life-pure-create", .life, "create starts no threads and calls nothing but settings, log, clocks"
        ) {
            (bench) throws(Finding) in
            try bench.instance(.refused).live(isBrief: true)
            let before = ProcessHoldings.now().threads
            let instance = try created(bench)
            let threads = ProcessHoldings.now().threads - before
            let early = instance.services.seen.early.sorted()
            instance.live(isBrief: true)
            guard threads <= 0, early.isEmpty else {
                throw .failed(
                    threads > 0 ? "create left \(threads) threads" : "create called \(early.joined(separator: ", "))",
                    expected: "no threads and no I/O before start", advice: "move it to start")
            }
        },
        ConformanceCheck(
            "life-required", .life, "Without a required setting create fails with a code and a message", body: required),
        ConformanceCheck("life-two", .life, "Of two instances, one goes on when the other is destroyed", body: two),
        ConformanceCheck(
            "life-after-stop", .life, "After stop nothing is emitted, and no thread is left", body: afterStop),
        ConformanceCheck("life-memory", .life, "A hundred lives leave no memory behind", limitSeconds: 40) {
            (bench) throws(Finding) in
            let measure = try LeakMeasure.make(bench)
            guard measure.after.threads <= measure.before.threads else {
                throw .skipped("threads that are left hold memory: see life-threads")
            }
            guard measure.lives >= LeakMeasure.leastForMemory else {
                throw .skipped("there was time for \(measure.lives) lives only: it takes long where nothing answers")
            }
            let grown = measure.after.bytes - measure.before.bytes
            guard grown > slack * measure.lives else { return }
            throw .failed(
                "\(measure.lives) lives left \(grown) bytes, \(grown / measure.lives) each", expected: "none",
                advice: "free in destroy what create allocated, in stop what start did; valgrind names the place")
        },
        ConformanceCheck("life-threads", .life, "A hundred lives leave no threads behind", limitSeconds: 40) {
            (bench) throws(Finding) in
            let measure = try LeakMeasure.make(bench)
            guard measure.after.threads > measure.before.threads else { return }
            throw .failed(
                "\(measure.lives) lives left \(measure.after.threads - measure.before.threads) threads",
                expected: "none",
                advice: "join in stop every thread that start has made")
        },
        ConformanceCheck(
            "life-descriptors", .life, "A hundred lives leave no file descriptors behind", limitSeconds: 40
        ) {
            (bench) throws(Finding) in
            let measure = try LeakMeasure.make(bench)
            guard measure.after.descriptors > measure.before.descriptors else { return }
            throw .failed(
                "\(measure.lives) lives left \(measure.after.descriptors - measure.before.descriptors) descriptors open",
                expected: "none", advice: "close in stop and destroy what start and create have opened")
        },
    ]

    private static func created(_ bench: CheckBench) throws(Finding) -> CheckedInstance {
        let instance = try bench.instance()
        try bench.orSkip("create") { () throws(AdapterFailure) in try instance.create() }
        return instance
    }

    private static func required(_ bench: CheckBench) throws(Finding) {
        let adapter = try bench.adapter()
        let names = adapter.description.settings.filter { $0.isRequired && $0.defaultValue == nil }.map(\.name)
        guard !names.isEmpty else { throw .skipped("it has no required settings") }
        for name in names {
            var settings = bench.settings(adapter)
            settings[name] = nil
            let instance = try bench.instance(.refused, settings: settings)
            do throws(AdapterFailure) {
                try instance.create()
            } catch {
                guard error.hasMessage else {
                    throw .failed(
                        "without '\(name)' create answers code \(error.code) and no message",
                        expected: "METER_MISCONFIGURED, and a message that names the setting",
                        advice: "return meter_fail(error, METER_MISCONFIGURED, \"...\")")
                }
                continue
            }
            instance.live()
            throw .failed(
                "without '\(name)' create succeeds",
                expected: "METER_MISCONFIGURED, and a message that names the setting",
                advice: "check in create what setting() answers")
        }
    }

    private static func two(_ bench: CheckBench) throws(Finding) {
        let first = try bench.started()
        let second = try bench.started()
        defer { second.destroy() }
        do throws(Finding) {
            try bench.orSkip("read") { () throws(AdapterFailure) in
                try first.read()
                try second.read()
            }
        } catch {
            first.stop()
            first.destroy()
            second.stop()
            throw error
        }
        first.stop()
        first.destroy()
        defer { second.stop() }
        do throws(AdapterFailure) {
            try second.read()
        } catch {
            if error.code == METER_NO_DATA { throw .skipped("the meter has nothing new: \(error.message)") }
            throw .failed(
                "once the first was destroyed, read of the second says \(error.word): \(error.message)",
                expected: "instances that know nothing of each other",
                advice: "keep state in the instance, not in globals")
        }
    }

    private static func afterStop(_ bench: CheckBench) throws(Finding) {
        try bench.instance(.refused).live()
        let before = ProcessHoldings.now().threads
        let instance = try bench.started()
        for _ in 0..<2 { try? instance.read() }
        instance.stop()
        let emits = instance.services.seen.emits
        CheckedInstance.pause(150 * Duration.millisecond)
        let late = max(instance.services.seen.late, instance.services.seen.emits - emits)
        let threads = ProcessHoldings.now().threads - before
        instance.destroy()
        guard late == 0, threads <= 0 else {
            throw .failed(
                late > 0 ? "it called emit \(late) times after stop had returned" : "stop left \(threads) threads",
                expected: "stop ends what start began", advice: "join the instance's threads in stop")
        }
    }
}

extension AdapterFailure {
    /// Whether the adapter itself has said why.
    var hasMessage: Bool { !message.isEmpty && !message.hasPrefix("the adapter gave no reason") }
}
