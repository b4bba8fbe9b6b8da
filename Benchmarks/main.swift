import Glibc

// Measures the stages of an emission's way, each alone, and prints one table (Markdown). Words on the command line
// choose benchmarks by a part of their name.

let benchmarks: [(name: String, run: () throws -> [Measurement])] = [
    ("port", PortBenchmark.run),
    ("runner", RunnerBenchmark.run),
    ("fold", FoldBenchmark.run),
    ("analysis", AnalysisBenchmark.run),
    ("pipeline", PipelineBenchmark.run),
    ("lines", LineBenchmark.run),
]

let wanted = CommandLine.arguments.dropFirst()
print("| What | Figure | How it was taken |\n| --- | ---: | --- |")
for benchmark in benchmarks where wanted.isEmpty || wanted.contains(where: { benchmark.name.contains($0) }) {
    do {
        for measurement in try benchmark.run() { print(measurement.row) }
    } catch {
        print("| \(benchmark.name) | failed | \(error) |")
        exit(1)
    }
}
