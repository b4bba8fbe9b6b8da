import Analysis
import Delivery
import Glibc
import Observability
import Pipeline
import Platform
import Readings
import Storage

/// A backlog of a million lines, from the store to a server that answers at once.
enum DeliveryBenchmark {
    private static let circuits = 20
    private static let slots = 47_620

    static func run() throws -> [Measurement] {
        try BenchFolder.with("delivery") { directory in
            let pipeline = try PipelineBenchmark.pipeline(directory)
            try PipelineBenchmark.fill(pipeline, circuits: circuits, emissions: slots)
            let sink = try Sink()
            let target = InfluxTarget(
                url: "http://127.0.0.1:\(sink.port)", organisation: "", bucket: "bench", api: .v2, caFile: "")
            let loop = try DeliveryLoop(
                options: DeliveryLoop.Options(target: target, tags: []) {
                    InfluxCredentials(token: nil, username: nil, password: nil)
                },
                directory: directory, settle: { pipeline.settle($0, done: $1) }, log: try Log(level: .error))
            let reader = try Reader(directory: directory)
            let lines = try reader.backlog().points
            let before = Memory.residentKB
            var most = before
            let cpu = Clock.processCPU()
            let begin = Clock.monotonic()
            try loop.start()
            while loop.currentStatus.delivered < lines {
                usleep(2000)
                most = max(most, Memory.residentKB)
            }
            let time = Double(Clock.monotonic() - begin)
            let used = Double(Clock.processCPU() - cpu)
            loop.stop()
            _ = loop.join(until: .max)
            _ = pipeline.stop(until: Clock.monotonic() + 10 * Duration.second)
            let how =
                "\(lines) lines of \(sink.bytes / lines) bytes, read, written, sent and settled; "
                + "\(Measurement.rounded(used / Double(lines))) ns of CPU a line, the server's own included"
            return [
                Measurement(
                    what: "Deliver a backlog", figure: "\(Measurement.rounded(Double(lines) / time * 1e9)) lines/s",
                    how: how),
                Measurement(
                    what: "Memory that draining it takes",
                    figure: "\(Measurement.rounded(Double(most - before) / 1024)) MB",
                    how: "most of VmRSS while it drains, less what it was before"),
            ]
        }
    }
}

/// What the kernel says of this process.
enum Memory {
    static var residentKB: Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        let fields = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1024
    }
}
