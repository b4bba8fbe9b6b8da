import FakeHost
import Glibc
import Platform
import Synchronization
import TestSupport

/// What reading an IoTaWatt costs: through the adapter's library and the host's HTTP client, before a simulated device
/// that answers at once.
enum IoTaWattBenchmark {
    private static let polls = 300
    private static let second: Int64 = 1_000_000_000

    static func run() throws -> [Measurement] {
        try [poll(password: ""), poll(password: "secret"), week()]
    }

    /// A poll a minute: what the adapter's thread does for it.
    private static func poll(password: String) throws -> Measurement {
        let bench = try Bench(password: password)
        _ = try bench.instance.read()
        bench.device.forgetRequests()
        var times: [Int64] = []
        for _ in 0..<polls {
            bench.goOn(seconds: 60)
            let begin = threadTime()
            try bench.instance.read()
            times.append(threadTime() - begin)
        }
        times.sort()
        let requests = Double(bench.device.requests.count) / Double(polls)
        let bytes = bench.device.requests.map(\.answerBytes).max() ?? 0
        return Measurement(
            what: "A poll of an IoTaWatt of 14 circuits" + (password.isEmpty ? "" : ", with a password"),
            figure: "\(Measurement.rounded(Double(times[polls / 2]) / 1e6)) ms of CPU, "
                + "\(Measurement.rounded(requests)) requests",
            how:
                "CPU time of the adapter's thread, HTTP and parsing included; median of \(polls) polls a minute apart, "
                + "\(bytes) bytes at most; aim 3 ms, 2 requests")
    }

    /// A week of the device's log, call after call.
    private static func week() throws -> Measurement {
        let bench = try Bench(password: "")
        bench.device.forgetRequests()
        let end = Int64(Bench.noon) * second
        let begin = Clock.monotonic()
        let walk = try HistoryWalk(
            bench.instance, from: end - 7 * 86_400 * second, to: end, step: 300 * second)
        let seconds = Double(Clock.monotonic() - begin) / 1e9
        guard walk.violations.isEmpty, walk.records.count == 2016 else {
            throw Bench.Failure(walk.violations.description)
        }
        return Measurement(
            what: "A week of an IoTaWatt's history", figure: "\(Measurement.rounded(seconds)) s",
            how: "2,016 records of 5 min, 14 circuits, from rows of 1 min, in \(bench.device.requests.count) requests "
                + "one after another; the simulated device's work included")
    }

    private static func threadTime() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// A started adapter, its device, and the clock of both.
private final class Bench {
    struct Failure: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    static let noon = 1_767_139_200 + 46_800

    let device: IoTaWattSimulator
    let instance: InstanceUnderTest
    private let host: FakeHost
    private let time: BenchClock

    init(password: String) throws {
        let time = BenchClock()
        self.time = time
        device = try IoTaWattSimulator(
            .house(now: Self.noon), accounts: password.isEmpty ? [] : [("user", password)], clock: { time.seconds })
        host = FakeHost(settings: ["url": device.url, "password": password], respond: Network.perform)
        host.wall = time.wall
        let library = Checkout.product("libsmartmeter-iotawatt.so")
        instance = try AdapterUnderTest(path: library).create(host)
        try instance.start()
    }

    func goOn(seconds: Double) {
        time.goOn(seconds)
        host.wall = time.wall
        host.advanceMonotonic(Int64(seconds * 1e9))
    }
}

private final class BenchClock: Sendable {
    private let value = Mutex(Double(Bench.noon) + 2)

    var seconds: Double { value.withLock { $0 } }
    var wall: Int64 { Int64(seconds) * 1_000_000_000 }
    func goOn(_ seconds: Double) { value.withLock { $0 += seconds } }
}
