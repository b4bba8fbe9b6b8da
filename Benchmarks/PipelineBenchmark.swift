import Analysis
import Glibc
import Observability
import Pipeline
import Platform
import Readings
import Storage

/// The whole way of emissions to the disk: queue, fold, journal, slot, commit with `synchronous=FULL`.
enum PipelineBenchmark {
    static func run() throws -> [Measurement] {
        try [(20, 3000), (500, 1000)].map(run)
    }

    private static func run(circuits count: Int, emissions: Int) throws -> Measurement {
        let folder = "\(Environment.text("BENCH_DIR") ?? ".build")/benchmark-\(getpid())-\(count)"
        defer { remove(folder) }
        let directory = try DataDirectory(locking: folder)
        let pipeline = try Pipeline(options: options(directory), committed: {})
        try pipeline.start()
        let interval = 300 * Duration.second
        let seed = try pipeline.register(
            InstanceRegistration(
                identity: InstanceIdentity(meterType: "benchmark"), sampling: interval, interval: interval,
                late: Duration.minute, isHouse: true, maximumPowerW: 100_000))

        let house = Household(circuits: count)
        let start = Instant(nanoseconds: Clock.wall()) - Int64(emissions + 10) * interval
        let lane = pipeline.intake.makeLane()
        let beginCPU = Clock.processCPU()
        let begin = Clock.monotonic()
        for index in 0..<emissions {
            let emission = house.emission(
                instance: seed.number, at: start.slotEnd(interval: interval) + Int64(index) * interval, index: index)
            while lane.post(emission, weight: count) == .full { usleep(1000) }
        }
        // What is stored now is stored behind everything that was emitted before.
        let isDurable = pipeline.setState(
            StateRecord(instance: seed.number, key: "benchmark", value: [1]), until: nil)
        let time = Double(Clock.monotonic() - begin)
        let cpu = Double(Clock.processCPU() - beginCPU)
        let stored = try Reader(directory: directory).backlog()
        _ = pipeline.stop(until: Clock.monotonic() + 10 * Duration.second)
        // First light, and a slot from each emission but the last one's.
        guard isDurable, stored.slots >= emissions - 1 else { throw Shortfall(slots: stored.slots) }
        let points = Double(emissions * count)
        return Measurement(
            what: "Emission to committed, \(count) circuits",
            figure: "\(Measurement.rounded(points / time * 1e9)) circuit points/s",
            how: "\(emissions) emissions, each closing a slot, queue to commit with synchronous=FULL; "
                + "\(Measurement.rounded(cpu / points)) ns of CPU a point")
    }

    struct Shortfall: Error {
        let slots: Int
    }

    private static func options(_ directory: DataDirectory) throws -> PipelineOptions {
        PipelineOptions(
            directory: directory, zone: .utc, deliveryIsOn: true, history: 30 * Duration.day,
            undelivered: 365 * Duration.day,
            high: HighConsumption.Rules(thresholdW: 1e6, hold: Duration.minute, clear: Duration.minute),
            phantomThresholdW: 1e6, phantomExclude: [], log: try Log(level: .error))
    }

    private static func remove(_ folder: String) {
        for file in ["smart-meter.db", "smart-meter.db-wal", "smart-meter.db-shm", "lock", Reserve.fileName] {
            _ = unsafe unlink("\(folder)/\(file)")
        }
        _ = unsafe rmdir(folder)
    }
}
