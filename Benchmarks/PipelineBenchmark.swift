import Analysis
import Glibc
import Observability
import Pipeline
import Platform
import Readings
import Storage

/// The whole way of emissions to the disk: queue, fold, journal, slot, commit with `synchronous=FULL`.
enum PipelineBenchmark {
    private static let interval = 300 * Duration.second

    static func run() throws -> [Measurement] {
        try [(20, 3000), (500, 1000)].map(throughput)
    }

    private static func throughput(circuits count: Int, emissions: Int) throws -> Measurement {
        try BenchFolder.with("\(count)") { directory in
            let pipeline = try pipeline(directory)
            let beginCPU = Clock.processCPU()
            let begin = Clock.monotonic()
            try fill(pipeline, circuits: count, emissions: emissions)
            let time = Double(Clock.monotonic() - begin)
            let cpu = Double(Clock.processCPU() - beginCPU)
            let stored = try Reader(directory: directory).backlog()
            _ = pipeline.stop(until: Clock.monotonic() + 10 * Duration.second)
            // First light, and a slot from each emission but the last one's.
            guard stored.slots >= emissions - 1 else { throw Shortfall(slots: stored.slots) }
            let points = Double(emissions * count)
            return Measurement(
                what: "Emission to committed, \(count) circuits",
                figure: "\(Measurement.rounded(points / time * 1e9)) circuit points/s",
                how: "\(emissions) emissions, each closing a slot, queue to commit with synchronous=FULL; "
                    + "\(Measurement.rounded(cpu / points)) ns of CPU a point")
        }
    }

    struct Shortfall: Error {
        let slots: Int
    }

    // MARK: For other benchmarks

    static func pipeline(_ directory: DataDirectory) throws -> Pipeline {
        let pipeline = try Pipeline(
            options: PipelineOptions(
                directory: directory, zone: .utc, deliveryIsOn: true, history: 3650 * Duration.day,
                undelivered: 3650 * Duration.day,
                high: HighConsumption.Rules(thresholdW: 1e6, hold: Duration.minute, clear: Duration.minute),
                phantomThresholdW: 1e6, phantomExclude: [], log: try Log(level: .error)), committed: {})
        try pipeline.start()
        return pipeline
    }

    /// Emits and returns once all of it is durable. Slot by slot, so that the pipeline seldom finds one in the middle: it
    /// would fold and store it now and again with its rest, as it does with what comes late.
    ///
    /// - Parameter sampling: time between the emissions of an instance; a slot is five minutes.
    static func fill(
        _ pipeline: Pipeline, circuits count: Int, emissions: Int, instances: Int = 1,
        sampling: Int64 = PipelineBenchmark.interval
    ) throws {
        let numbers = try (0..<instances).map { number in
            try pipeline.register(
                InstanceRegistration(
                    identity: InstanceIdentity(meterType: "benchmark", label: number == 0 ? "" : "\(number)"),
                    sampling: sampling, interval: interval, late: Duration.minute, isHouse: number == 0,
                    maximumPowerW: 100_000)
            ).number
        }
        let house = Household(circuits: count)
        let start = (Instant(nanoseconds: Clock.wall()) - Int64(emissions + 10) * sampling).slotEnd(interval: interval)
        let lanes = numbers.map { _ in pipeline.intake.makeLane() }
        let perSlot = Int(interval / sampling)
        // A lane has room for a whole slot.
        let weight = min(count, Pipeline.laneSamples / perSlot)
        for slot in 0..<(emissions / perSlot) {
            for (number, lane) in zip(numbers, lanes) {
                for index in (slot * perSlot)..<((slot + 1) * perSlot) {
                    let emission = house.emission(
                        instance: number, at: start + Int64(index + 1) * sampling, index: index, sampling: sampling)
                    while lane.post(emission, weight: weight) == .full { usleep(1000) }
                }
            }
        }
        // What is stored now is stored behind everything that was emitted before.
        let state = StateRecord(instance: numbers[0], key: "benchmark", value: [1])
        guard pipeline.setState(state, until: nil) else { throw Shortfall(slots: 0) }
    }
}
