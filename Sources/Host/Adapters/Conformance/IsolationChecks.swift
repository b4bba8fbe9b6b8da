import AdapterABI
import Platform
import Readings

/// The adapter as the host has it where its file was dropped in. These run in the checker's own process, which is the host
/// here; what is foreign runs in the runner's.
enum IsolationChecks {
    private static let allowed = Duration.second
    /// Of a child that has to be killed after all.
    private static let margin = Duration.second / 2

    static let table: [ConformanceCheck] = [
        ConformanceCheck(
            isolated: "isolated-life",
            "From a copy, in a process of its own, it is created, and ends when it is told to"
        ) { (bench) throws(Finding) in
            let life = try bench.life()
            if let end = life.end {
                throw .failed(
                    end, expected: "a process that lives until destroy has returned",
                    advice: "read docs/adapter-runner.md: which rights it has, and which descriptors")
            }
            if let (call, said) = life.failure, [.create, .stop, .destroy].contains(call) {
                // What stands in for a setting cannot always be one.
                if said.code == METER_MISCONFIGURED { try bench.needsMeter() }
                throw .failed(
                    "\(call.rawValue) says \(said.word): \(said.message)", expected: "what it does where its file lies",
                    advice: "a copy has no neighbours, and the process no environment: bring along what is needed")
            }
            guard let time = life.stopTime else { return }
            guard time <= allowed + margin else {
                throw .failed(
                    "stop and destroy took \(time / Duration.millisecond) ms", expected: "at most 1,000 ms",
                    advice: "wake the threads that are to be joined; they watch cancel_fd")
            }
        },
        ConformanceCheck(
            isolated: "isolated-reading", "From a copy, in a process of its own, it is read as where its file lies"
        ) { (bench) throws(Finding) in
            let life = try bench.lifeWithMeter()
            guard !life.hasReading else { return }
            try bench.needsToHold("reading-accepted")
            let said = life.failure.map { "\($0.call.rawValue) says \($0.said.word): \($0.said.message)" }
            throw .failed(
                said ?? "no reading reached the host", expected: "the readings that it gives where its file lies",
                advice: "a copy has no neighbours, and the process no environment: bring along what is needed")
        },
        ConformanceCheck(
            isolated: "isolated-history",
            "From a copy, in a process of its own, its log is read as where its file lies"
        ) { (bench) throws(Finding) in
            guard bench.adapter.historyStep > 0 else { throw .skipped("it has no history") }
            let life = try bench.lifeWithMeter()
            guard let (call, said) = life.failure, [.start, .history].contains(call) else { return }
            try bench.needsToHold("history-order")
            throw .failed(
                "\(call.rawValue) says \(said.word): \(said.message)",
                expected: "the records that it gives where its file lies",
                advice: "a copy has no neighbours, and the process no environment: bring along what is needed")
        },
    ]
}

/// What a check of this kind has at hand. Used by one thread.
final class IsolationBench {
    let adapter: AdapterDescription
    private let load: () throws(LibraryObjection) -> [LoadedAdapter]
    private let plan: Conformance.Plan
    /// Runs a check where the file lies, and answers what came of it.
    private let outcome: (String) -> CheckResult.Outcome?
    private var known: Result<IsolatedLife, Finding>?

    init(
        _ adapter: AdapterDescription, _ plan: Conformance.Plan,
        load: @escaping () throws(LibraryObjection) -> [LoadedAdapter],
        outcome: @escaping (String) -> CheckResult.Outcome?
    ) {
        self.adapter = adapter
        self.plan = plan
        self.load = load
        self.outcome = outcome
    }

    /// Skipped where no meter was given.
    func needsMeter() throws(Finding) {
        let missing = adapter.missing(in: plan.settings)
        guard missing.isEmpty else { throw .noMeterGiven(missing: missing) }
    }

    /// Skipped where that check does not hold either.
    func needsToHold(_ check: String) throws(Finding) {
        guard outcome(check) == .passed else { throw .skipped("nor is it where its file lies: see \(check)") }
    }

    /// Skipped where it could not be started at all.
    func lifeWithMeter() throws(Finding) -> IsolatedLife {
        try needsMeter()
        let life = try life()
        guard life.end == nil, life.failure?.call != .create else { throw .skipped("see isolated-life") }
        return life
    }

    /// Led once.
    func life() throws(Finding) -> IsolatedLife {
        if let known { return try known.get() }
        let result = Result { () throws(Finding) in try lead() }
        known = result
        return try result.get()
    }

    private func lead() throws(Finding) -> IsolatedLife {
        let loaded: [LoadedAdapter]
        do throws(LibraryObjection) {
            loaded = try load()
        } catch {
            guard error.shortage == nil else { throw .skipped("the machine cannot: \(error.reason)") }
            throw .failed(
                "the host refuses a file like this: \(error.reason)",
                expected: "a library that may be used where it was dropped in", advice: "mend what the reason names")
        }
        let wanted = loaded.first { $0.description.meterType == adapter.meterType }
        guard let wanted, case .child(let launch, _) = wanted.place else {
            throw .failed(
                "its copy has no adapter of type \(adapter.meterType)", expected: "the same as where its file lies",
                advice: "make the descriptor static const")
        }
        do throws(SystemError) {
            return try IsolatedLife.lead(
                launch, wanted.description, settings: adapter.values(plan.settings),
                isStarted: adapter.missing(in: plan.settings).isEmpty, wait: plan.wait)
        } catch {
            throw .skipped("the machine cannot: \(error)")
        }
    }
}
