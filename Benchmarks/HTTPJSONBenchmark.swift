import FakeHost
import Glibc
import TestSupport

/// What reading a JSON answer costs: through the adapter's library and the host's HTTP client, before a server that
/// answers at once.
enum HTTPJSONBenchmark {
    private static let polls = 300
    private static let circuits = 14

    static func run() throws -> [Measurement] {
        let channels = (0..<circuits).map { "{\"id\": \"c\($0)\", \"name\": \"Circuit \($0)\", \"w\": \($0 * 10).5}" }
        let body = "{\"grid\": 412.5, \"total\": 1000500, \"channels\": [\(channels.joined(separator: ","))]}"
        let device = try FaultServer { _ in .reply(.json(200, body)) }
        let host = FakeHost(
            settings: [
                "url": device.url, "grid": "grid", "import_total": "total Wh", "circuit_list": "channels",
                "circuit_name": "name", "circuit_power": "w",
            ], respond: Network.perform)
        let meter = try AdapterUnderTest(path: Checkout.product("libsmartmeter-httpjson.so")).create(host)
        try meter.start()
        try meter.read()
        var times: [Int64] = []
        for _ in 0..<polls {
            let begin = threadTime()
            try meter.read()
            times.append(threadTime() - begin)
        }
        times.sort()
        return [
            Measurement(
                what: "A poll of a JSON meter of \(circuits) circuits",
                figure: "\(Measurement.rounded(Double(times[polls / 2]) / 1e6)) ms of CPU",
                how: "CPU time of the adapter's thread, HTTP and parsing included; median of \(polls) polls, "
                    + "\(body.utf8.count) bytes each; aim 3 ms")
        ]
    }

    private static func threadTime() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
