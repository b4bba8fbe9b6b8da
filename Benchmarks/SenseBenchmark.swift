import FakeHost
import Glibc
import Synchronization
import TestSupport

/// What reading a Sense monitor costs: through the adapter's library and the host's HTTP client, before a simulated cloud
/// that answers at once.
enum SenseBenchmark {
    /// A day of them.
    private static let polls = 1440
    private static let devices = 40
    private static let second: Int64 = 1_000_000_000
    /// 2026-01-05 13:07 in New York.
    private static let begin = 1_767_636_420.0

    static func run() throws -> [Measurement] {
        var model = SenseModel.house()
        for number in 0..<devices {
            model.devices.append(
                SenseModel.Device("device\(number)", "Device \(number)") { $0 / 900 % 3 == number % 3 ? 55.5 : 0 })
        }
        let clock = SimulatedTime(begin)
        let cloud = try SenseSimulator([model], clock: { clock.seconds })
        let host = FakeHost(
            settings: ["email": cloud.account.email, "password": cloud.account.password, "api_url": cloud.url],
            respond: Network.perform)
        host.wall = clock.wall
        let library = Checkout.product("libsmartmeter-sense.so")
        let instance = try AdapterUnderTest(path: library).create(host)
        try instance.start()
        cloud.forgetRequests()
        var times: [Int64] = []
        var circuits = 0
        for _ in 0..<polls {
            clock.goOn(60)
            host.wall = clock.wall
            host.advanceMonotonic(60 * second)
            let begin = threadTime()
            circuits = try instance.read().circuits.count
            times.append(threadTime() - begin)
        }
        let whole = Double(times.reduce(0, +)) / Double(polls)
        times.sort()
        let paths = cloud.paths
        let readings = paths.filter { $0.hasSuffix("realtime_update") }.count
        return [
            Measurement(
                what: "A poll of a Sense monitor of \(circuits) circuits",
                figure: "\(Measurement.rounded(Double(times[polls / 2]) / 1e6)) ms of CPU, "
                    + "\((Double(paths.count) / Double(polls) * 100).rounded() / 100) requests",
                how: "CPU time of the adapter's thread, HTTP and parsing included; median of \(polls) polls a minute "
                    + "apart, mean \(Measurement.rounded(whole / 1e6)) ms; a simulated day: \(readings) requests of "
                    + "readings, \(paths.count - readings) of all else; aim 3 ms, 1 request")
        ]
    }

    private static func threadTime() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * second + Int64(time.tv_nsec)
    }

    private final class SimulatedTime: Sendable {
        private let value: Mutex<Double>

        init(_ seconds: Double) { value = Mutex(seconds) }

        var seconds: Double { value.withLock { $0 } }
        var wall: Int64 { Int64(seconds) * SenseBenchmark.second }
        func goOn(_ seconds: Double) { value.withLock { $0 += seconds } }
    }
}
