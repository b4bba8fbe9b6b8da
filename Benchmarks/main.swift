import Glibc

// Measures the stages of an emission's way, each alone, and prints one table (Markdown). Words on the command line
// choose benchmarks by a part of their name; `make-store FOLDER` makes a store with a year in it for tools/bench.py.

let benchmarks: [(name: String, run: () throws -> [Measurement])] = [
    ("port", PortBenchmark.run),
    ("runner", RunnerBenchmark.run),
    ("fold", FoldBenchmark.run),
    ("analysis", AnalysisBenchmark.run),
    ("pipeline", PipelineBenchmark.run),
    ("sample", SampleBenchmark.run),
    ("lines", LineBenchmark.run),
    ("delivery", DeliveryBenchmark.run),
    ("iotawatt", IoTaWattBenchmark.run),
    ("shelly", ShellyBenchmark.run),
    ("sense", SenseBenchmark.run),
    ("emporia", EmporiaBenchmark.run),
    ("http-json", HTTPJSONBenchmark.run),
    ("backfill", BackfillBenchmark.run),
    ("memory", MemoryBenchmark.run),
]

let wanted = CommandLine.arguments.dropFirst()
if wanted.first == "make-store", let folder = wanted.last {
    try YearStore.make(in: folder)
    exit(0)
}
print("| What | Figure | How it was taken |\n| --- | ---: | --- |")
for benchmark in benchmarks where wanted.isEmpty || wanted.contains(where: { benchmark.name.contains($0) }) {
    do {
        for measurement in try benchmark.run() { print(measurement.row) }
    } catch {
        print("| \(benchmark.name) | failed | \(error) |")
        exit(1)
    }
}
