import AdapterABI
import FakeHost
import TestSupport
import Testing

/// All that talks to the one simulator, one after another.
@Suite(.serialized) enum EmporiaTests {}

/// The adapter as it ships, through its library, before a simulated Emporia; between them the host's own HTTP client and
/// a clock that the test moves.
final class Rig {
    let cloud: EmporiaSimulator
    let host: FakeHost
    let instance: InstanceUnderTest
    private(set) var time: Int

    /// A Monday, 12:00 UTC; the devices live five hours behind.
    static let noon = 1_767_614_400
    static let second: Int64 = 1_000_000_000

    /// One process for all tests, which run one after another.
    private static let shared = Result { try EmporiaSimulator() }

    /// - Parameter goesOn: before the same Emporia as the rig before, with its logins.
    init(
        _ account: EmporiaAccount = .home, settings: [String: String] = [:], state: [String: [UInt8]] = [:],
        at time: Int = noon + 5, goesOn: Bool = false
    ) throws {
        self.time = time
        cloud = try Self.shared.get()
        if !goesOn { try cloud.reset(account) }
        let own = [
            "email": "Owner@Example.com", "password": account.password, "api_url": self.cloud.url,
            "auth_url": self.cloud.url,
        ]
        host = FakeHost(settings: own.merging(settings) { $1 }, respond: Network.perform)
        host.values = state
        instance = try Self.adapter().create(host)
        try go(to: time)
    }

    static func adapter() throws -> AdapterUnderTest {
        try AdapterUnderTest(path: Checkout.product("libsmartmeter-emporia.so"))
    }

    /// Sets everybody's clock.
    func go(to time: Int) throws {
        host.advanceMonotonic(Int64(time - self.time) * Self.second)
        self.time = time
        host.wall = Int64(time) * Self.second
        try cloud.set(now: Double(time))
    }

    /// Goes on by so much, reads, and answers all readings that the adapter emitted.
    @discardableResult
    func read(after seconds: Int = 0) throws -> [EmittedReading] {
        try go(to: time + seconds)
        let before = host.emissions.count
        try instance.read(withinSeconds: 15)
        return Array(host.emissions[before...])
    }

    func fault(_ path: String, _ status: Int, count: Int = 1, _ more: [String: Any] = [:]) throws {
        let fault: [String: Any] = ["path": path, "status": status, "count": count]
        try cloud.control(["faults": [fault.merging(more) { $1 }]])
    }
}

/// How `body` fails.
func failure(_ body: () throws -> Void) throws -> AdapterFailure {
    do {
        try body()
    } catch let failure as AdapterFailure {
        return failure
    }
    throw FixtureError("it did not fail")
}
