package import Platform
import Readings
import Synchronization

/// Checks one adapter library, each check in a child process.
package final class Conformance: Sendable {
    package struct Plan: Sendable {
        /// The adapter; nil = the host does not use the library.
        package var adapter: AdapterDescription?
        /// By bare name.
        package var settings: [String: String] = [:]
        package var seed: UInt64
        /// Nanoseconds that a push adapter's readings are waited for.
        package var wait: Int64
        /// Children at a time.
        package var jobs = 2
        package var checks: [ConformanceCheck]

        package init(seed: UInt64, wait: Int64, checks: [ConformanceCheck]) {
            self.seed = seed
            self.wait = wait
            self.checks = checks
        }
    }

    private let file: String
    private let spawner: RunnerSpawner
    private let isRelease: Bool
    private let needed: [String]
    private let loader: AdapterLoader
    private static let describeTime = 10 * Duration.second
    /// What a child needs for its own start.
    private static let startTime = 10 * Duration.second
    /// The check that answers for the ends that are no crashes.
    static let exitCheck = "manners-exit"

    /// - Parameters:
    ///   - file: the library, by its absolute path.
    ///   - isRelease: it is the host's own, and may use the runtime that the host has.
    ///   - loader: as the host has it; it runs everything in processes of their own.
    package init(_ file: String, spawner: RunnerSpawner, loader: AdapterLoader, isRelease: Bool) {
        self.file = file
        self.spawner = spawner
        self.isRelease = isRelease
        self.loader = loader
        needed = isRelease ? AdapterLoader.runtime(of: file) : []
    }

    /// The adapters of the library; a reason where the host would not use it.
    package func describe() -> Result<[AdapterDescription], AdapterRefusal> {
        var descriptions: [AdapterDescription] = []
        func refusal(_ reason: String) -> Result<[AdapterDescription], AdapterRefusal> {
            .failure(AdapterRefusal(path: file, reason: reason))
        }
        do throws(SystemError) {
            let child = try CheckProcess(spawner, name: "describe", setup: setup)
            while true {
                switch child.next(until: Clock.monotonic() + Self.describeTime) {
                case .message(.described(let description)):
                    if let objection = description.objection { return refusal(objection.reason) }
                    descriptions.append(description)
                case .message(.refused(let reason)): return refusal(reason)
                case .message(.done): return .success(descriptions)
                case .message: break
                case .deadline: return refusal("it does not come to an end while it is loaded")
                case .ended(let end): return refusal(end.words(in: "meter_adapter_entry, or what runs before it"))
                }
            }
        } catch {
            return refusal("it could not be looked at: \(error)")
        }
    }

    private var setup: CheckSetup {
        var setup = CheckSetup(library: file)
        setup.needed = needed
        setup.isRelease = isRelease
        return setup
    }

    /// Runs the plan's checks and answers their results in the plan's order.
    /// - Parameter report: takes each result in that order, as soon as it and those before it are there.
    package func run(_ plan: Plan, report: (CheckResult) -> Void) throws(SystemError) -> [CheckResult] {
        let batches = Self.batches(plan.checks)
        let queue = Mutex(batches[...])
        let results = Mutex<[String: CheckResult]>([:])
        let bell = try Doorbell()
        let left = Mutex(min(plan.jobs, batches.count))
        var threads: [Thread] = []
        for number in 0..<min(max(1, plan.jobs), batches.count) {
            threads.append(
                try Thread(name: "check-\(number)") { [self] in
                    while let batch = queue.withLock({ $0.popFirst() }) {
                        let give: (CheckResult) -> Void = { result in
                            results.withLock { Self.take(result, into: &$0) }
                            bell.ring()
                        }
                        if batch[0].group == .isolation {
                            runHere(batch, plan, give: give)
                        } else {
                            run(batch, plan, give: give)
                        }
                    }
                    left.withLock { $0 -= 1 }
                    bell.ring()
                })
        }
        var reported: [CheckResult] = []
        while reported.count < plan.checks.count {
            bell.wait(until: nil)
            let isOver = left.withLock { $0 == 0 }
            while reported.count < plan.checks.count {
                let name = plan.checks[reported.count].name
                // Any check may turn out to be one that an adapter ended its process in.
                guard name != Self.exitCheck || isOver, let result = results.withLock({ $0[name] }) else { break }
                reported.append(result)
                report(result)
            }
            if isOver, reported.count < plan.checks.count, results.withLock({ $0.count }) < plan.checks.count { break }
        }
        for thread in threads { thread.join() }
        return reported
    }

    /// The first failure of a check stands.
    private static func take(_ result: CheckResult, into results: inout [String: CheckResult]) {
        let name = result.check.name
        if let old = results[name], old.outcome == .failed { return }
        results[name] = result
    }

    /// Checks that share a child, the longest lanes first.
    private static func batches(_ checks: [ConformanceCheck]) -> [[ConformanceCheck]] {
        var batches: [[ConformanceCheck]] = []
        for check in checks {
            if let index = batches.firstIndex(where: { $0[0].group == check.group && $0[0].lane == check.lane }) {
                batches[index].append(check)
            } else {
                batches.append([check])
            }
        }
        return batches.sorted { $0[0].lane > $1[0].lane }
    }

    // MARK: A batch

    /// A child, and after each that has died or was ended another one for what is left.
    private func run(_ batch: [ConformanceCheck], _ plan: Plan, give: (CheckResult) -> Void) {
        var rest = batch[...]
        while let first = rest.first {
            let before = rest.count
            do throws(SystemError) {
                try runChild(&rest, plan, give)
            } catch {
                for check in rest { give(CheckResult(check: check, outcome: .skipped, seen: "\(error)")) }
                return
            }
            if rest.count == before {
                give(CheckResult(check: first, outcome: .skipped, seen: "its child process did not begin"))
                rest = rest.dropFirst()
            }
        }
    }

    private func runChild(
        _ rest: inout ArraySlice<ConformanceCheck>, _ plan: Plan, _ give: (CheckResult) -> Void
    ) throws(SystemError) {
        var setup = setup
        setup.meterType = plan.adapter?.meterType ?? ""
        setup.settings = plan.settings
        setup.seed = plan.seed
        setup.wait = plan.wait
        setup.checks = rest.map(\.name)
        let child = try CheckProcess(spawner, name: rest.first?.group.rawValue ?? "", setup: setup)
        var deadline = Clock.monotonic() + Self.startTime
        var begun = Clock.monotonic()
        var running: ConformanceCheck?
        var call: String?
        while true {
            switch child.next(until: deadline) {
            case .message(.begin(let name)):
                running = rest.first { $0.name == name }
                call = nil
                begun = Clock.monotonic()
                deadline = begun + (running?.limit ?? Self.startTime)
            case .message(.call(let name)): call = name
            case .message(.result(let outcome, let seen, let expected, let advice)):
                guard let check = running else { return }
                give(
                    CheckResult(
                        check: check, outcome: CheckResult.Outcome(rawValue: outcome) ?? .failed, seen: seen,
                        expected: expected, advice: advice, seconds: Self.seconds(since: begun)))
                rest = rest.dropFirst()
                running = nil
            case .message(.done): return
            case .message: break
            case .deadline, .ended:
                // Nothing of the adapter has run before a check has begun.
                guard let check = running else { return }
                let end = child.kill(because: .deadline(within: "\(check.limit / Duration.second) s"))
                for result in Self.results(of: end, in: check, call, plan) {
                    var result = result
                    result.seconds = Self.seconds(since: begun)
                    give(result)
                }
                rest = rest.dropFirst()
                return
            }
        }
    }

    /// Checks that need no child of the checker: what is foreign runs in the runner's.
    private func runHere(_ batch: [ConformanceCheck], _ plan: Plan, give: (CheckResult) -> Void) {
        let bench = plan.adapter.map { IsolationBench($0, plan, load: copy) { [self] in outcome(of: $0, plan) } }
        for check in batch {
            guard case .host(let body) = check.body else { continue }
            let begin = Clock.monotonic()
            var result = CheckResult(check: check, outcome: .passed)
            do throws(Finding) {
                guard let bench else { throw .skipped("the host does not use the library") }
                try body(bench)
            } catch {
                result = CheckResult(
                    check: check, outcome: error.outcome, seen: error.seen, expected: error.expected,
                    advice: error.advice)
            }
            result.seconds = Self.seconds(since: begin)
            give(result)
        }
    }

    private func outcome(of check: String, _ plan: Plan) -> CheckResult.Outcome? {
        var outcome: CheckResult.Outcome?
        run(ConformanceCheck.all.filter { $0.name == check }, plan) { outcome = $0.outcome }
        return outcome
    }

    /// The adapters as the host has them where the file was dropped in.
    private func copy() throws(LibraryObjection) -> [LoadedAdapter] {
        let name = String(file.split(separator: "/").last ?? "")
        // Whose it is where it is built does not matter.
        return try loader.load(
            name, in: AdapterLoader.directory(of: file), isRelease: isRelease, isTrusted: true, isQuiet: true
        ).adapters
    }

    private static func seconds(since begin: Int64) -> Double {
        Double(Clock.monotonic() - begin) / Double(Duration.second)
    }

    /// What the end of its process says about a check.
    private static func results(
        of end: RunnerEnd, in check: ConformanceCheck, _ call: String?, _ plan: Plan
    ) -> [CheckResult] {
        let words = end.words(in: call)
        switch end {
        case .deadline:
            return [
                CheckResult(
                    check: check, outcome: .failed, seen: words, expected: check.meaning,
                    advice: "give every wait a deadline, and watch cancel_fd")
            ]
        case .exit(let status):
            var result = CheckResult(
                check: check, outcome: .failed, seen: "the process ended with exit status \(status), in \(check.name)",
                expected: "an adapter never ends the process",
                advice: "return a code and a message instead of calling exit")
            guard check.name != exitCheck, let exit = plan.checks.first(where: { $0.name == exitCheck }) else {
                return [result]
            }
            result = CheckResult(
                check: exit, outcome: .failed, seen: result.seen, expected: result.expected, advice: result.advice)
            return [
                result,
                CheckResult(
                    check: check, outcome: .skipped, seen: "the adapter ended the process: see \(exitCheck)"),
            ]
        case .signal, .violation, .notStarted:
            return [
                CheckResult(
                    check: check, outcome: .crashed, seen: words, expected: check.meaning,
                    advice: "run the adapter's own tests under a debugger or with -fsanitize=address")
            ]
        }
    }
}
