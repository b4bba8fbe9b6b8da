import Adapters
import Configuration
import Glibc
import Observability
import Platform
import Readings

/// What an adapter in a process of its own costs beside one in the host's: CPU of both sides, a reading.
/// `BENCH_ADAPTERS` names the folder with `Benchmarks/Adapters`, compiled.
enum RunnerBenchmark {
    private static let readings = 5000

    static func run() throws -> [Measurement] {
        guard let folder = Environment.text("BENCH_ADAPTERS") else { throw Shortfall(what: "no BENCH_ADAPTERS") }
        return try [
            row(
                "An emitted reading of 20 circuits through the runner", "bursty", 100, "50 a read, 100 ms apart", folder
            ),
            row("A read of 20 circuits through the runner", "steady", 4, "one a read, 4 ms apart", folder),
        ]
    }

    private static func row(
        _ what: String, _ type: String, _ milliseconds: Int64, _ how: String, _ folder: String
    ) throws -> Measurement {
        let sampling = milliseconds * Duration.millisecond
        let inHost = try run(type, sampling, folder, isolated: false)
        let isolated = try run(type, sampling, folder, isolated: true)
        return Measurement(
            what: what, figure: "\(Measurement.rounded(isolated / 1000)) µs of CPU",
            how: "a C adapter, from the schedule to the queue, host and child together; \(readings) readings, \(how); "
                + "\(Measurement.rounded(inHost / 1000)) µs where it runs in the host's process")
    }

    /// Nanoseconds of CPU a reading.
    private static func run(
        _ type: String, _ sampling: Int64, _ folder: String, isolated: Bool
    ) throws -> Double {
        let log = try Log(level: .warning)
        let staging = "\(folder)/staging"
        let area = try StagingArea(staging)
        defer { area.remove() }
        let loader = AdapterLoader(
            staging: area,
            spawner: try RunnerSpawner(program: "\(Environment.programDirectory)/smart-meter", environment: [:]),
            isolation: isolated ? .always : .auto, secret: [], log: log)
        let shelf = try AdapterShelf(release: folder, directories: [], loader: loader, watches: false)
        let catalog = shelf.complete(until: Clock.monotonic() + 20 * Duration.second)
        guard let adapter = catalog.adapter(ofType: type), adapter.isIsolated == isolated else {
            throw Shortfall(what: "\(catalog.refused)")
        }
        let intake = Intake<Emission>(laneLimit: 4096, totalLimit: 32_768, doorbell: try Doorbell())
        let running = try RunningAdapter(
            RunningAdapter.Plan(
                adapter: adapter, identity: InstanceIdentity(meterType: type), number: 1, sampling: sampling,
                settings: [:], requestsPerDay: nil, circuits: [], state: [:], maximumPowerW: 1e6, uncleanEnd: false),
            board: LiveBoard(), lane: intake.makeLane(), memory: Forgetful(), log: log)
        try running.start()
        defer {
            running.stop()
            _ = running.join(until: Clock.monotonic() + 2 * Duration.second)
        }
        drain(intake, running, to: 200)
        let (first, begin) = (running.status.counts.accepted, cpu())
        drain(intake, running, to: first + readings)
        let used = cpu() - begin
        let status = running.status
        guard status.failures == 0, status.counts.accepted >= first + readings else {
            throw Shortfall(what: status.lastError ?? "too few readings")
        }
        return Double(used) / Double(status.counts.accepted - first)
    }

    private static func drain(_ intake: Intake<Emission>, _ running: RunningAdapter, to count: Int) {
        let deadline = Clock.monotonic() + 60 * Duration.second
        while running.status.counts.accepted < count, Clock.monotonic() < deadline {
            usleep(20_000)
            _ = intake.take()
        }
    }

    /// Of this process and of its children, ns.
    private static func cpu() -> Int64 {
        let tasks = DirectoryNames.of("/proc/self/task") ?? []
        let children = tasks.flatMap { task in
            Environment.read("/proc/self/task/\(task)/children").split(separator: " ").map(String.init)
        }
        return Clock.processCPU()
            + children.flatMap { child in
                (DirectoryNames.of("/proc/\(child)/task") ?? []).map { task in
                    let words = Environment.read("/proc/\(child)/task/\(task)/schedstat").split(separator: " ")
                    return words.first.flatMap { Int64($0) } ?? 0
                }
            }.reduce(0, +)
    }

    struct Shortfall: Error {
        let what: String
    }

    private struct Forgetful: AdapterMemory {
        func store(_ key: String, _ value: [UInt8]?) -> Bool { true }
        func note(_ key: String, _ value: [UInt8]) {}
        func secure(_ key: String, _ value: [UInt8]) {}
    }
}
