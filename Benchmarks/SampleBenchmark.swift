import Pipeline
import Platform
import Readings
import Storage

/// What a sample costs, from the queue to the disk, by the number of its circuits and of the instances beside it.
enum SampleBenchmark {
    private static let samples = 100_000

    static func run() throws -> [Measurement] {
        let byCircuits = try [10, 100, 1000].map { try cost(circuits: $0, instances: 1) }
        let byInstances = try [1, 10, 100].map { try cost(circuits: 20, instances: $0) }
        return byCircuits + byInstances
    }

    private static func cost(circuits: Int, instances: Int) throws -> Measurement {
        try BenchFolder.with("sample-\(circuits)-\(instances)") { directory in
            let pipeline = try PipelineBenchmark.pipeline(directory)
            let rounds = max(20, samples / instances / max(1, circuits / 100))
            let cpu = Clock.processCPU()
            try PipelineBenchmark.fill(
                pipeline, circuits: circuits, emissions: rounds, instances: instances,
                sampling: 30 * Duration.second)
            let used = Double(Clock.processCPU() - cpu)
            _ = pipeline.stop(until: Clock.monotonic() + 10 * Duration.second)
            let count = rounds * instances
            return Measurement(
                what: "A sample of \(circuits) circuits, \(instances) instance\(instances == 1 ? "" : "s")",
                figure: "\(Measurement.rounded(used / Double(count) / 1000)) µs of CPU",
                how: "\(count) samples every 30 s into slots of 5 min, queue to disk; "
                    + "\(Measurement.rounded(used / Double(count * circuits))) ns a circuit")
        }
    }
}
