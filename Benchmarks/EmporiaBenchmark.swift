import FakeHost
import Glibc
import TestSupport

/// What reading an Emporia account costs: through the adapter's library and the host's HTTP client, before a simulated
/// cloud.
enum EmporiaBenchmark {
    private static let polls = 300
    private static let second: Int64 = 1_000_000_000
    /// Of a Monday.
    private static let noon = 1_767_614_405

    /// A monitor with all its clamps in use, and four plugs.
    private static var account: EmporiaAccount {
        let mains = EmporiaAccount.Channel("1,2,3", nil, type: "Main")
        let circuits = (1...16).map { EmporiaAccount.Channel("\($0)", "Circuit \($0)", base: 0.001 * Double($0)) }
        let plugs = (1...4).map { number in
            EmporiaAccount.Device(
                9000 + number, "Plug \(number)", model: "SSO001", parent: .init(gid: 2345, channel: "\(number)"),
                channels: [EmporiaAccount.Channel("1,2,3", nil, base: 0.0005, type: "Main")])
        }
        return EmporiaAccount(
            devices: [EmporiaAccount.Device(2345, "Home", channels: [mains] + circuits, balance: 0.004)] + plugs)
    }

    static func run() throws -> [Measurement] {
        let cloud = try EmporiaSimulator(account)
        let host = FakeHost(
            settings: [
                "email": cloud.account.email, "password": cloud.account.password, "api_url": cloud.url,
                "auth_url": cloud.url,
            ], respond: Network.perform)
        var time = noon
        host.wall = Int64(time) * second
        try cloud.set(now: Double(time))
        let instance = try AdapterUnderTest(path: Checkout.product("libsmartmeter-emporia.so")).create(host)
        let login = threadTime()
        try instance.start()
        let loginMilliseconds = Double(threadTime() - login) / 1e6
        _ = try cloud.takeRequests()
        var times: [Int64] = []
        var circuits = 0
        for _ in 0..<polls {
            time += 60
            host.wall = Int64(time) * second
            host.advanceMonotonic(60 * second)
            try cloud.set(now: Double(time))
            let begin = threadTime()
            circuits = try instance.read().circuits.count
            times.append(threadTime() - begin)
        }
        times.sort()
        let requests = try cloud.takeRequests()
        let usages = requests.filter { $0.contains("scale=1MIN") }.count
        return [
            Measurement(
                what: "A poll of an Emporia account of \(circuits) circuits",
                figure: "\(Measurement.rounded(Double(times[polls / 2]) / 1e6)) ms of CPU, "
                    + "\((Double(requests.count) / Double(polls) * 100).rounded() / 100) requests",
                how: "CPU time of the adapter's thread, HTTP and parsing included; median of \(polls) polls a minute "
                    + "apart; \(usages) requests of minutes, \(requests.count - usages) of the day's figure, tokens and "
                    + "names; the login before took \(Measurement.rounded(loginMilliseconds)) ms; aim 3 ms, 1 request")
        ]
    }

    private static func threadTime() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * second + Int64(time.tv_nsec)
    }
}
