import AdapterABI
import FakeHost
import Synchronization
import TestSupport

/// The adapter as it ships, through its library, before a simulated cloud; between them the host's own HTTP client and a
/// clock that the test moves.
final class Rig {
    let cloud: SenseSimulator
    let host: FakeHost
    let instance: InstanceUnderTest
    private let clock: SimulatedClock

    static let second: Int64 = 1_000_000_000
    static let hour: Int64 = 3600 * second
    /// 2026-01-05 13:07 in New York: a quarter of an hour in which the sun shines.
    static let afternoon = 1_767_636_420.0

    /// - Parameters:
    ///   - cloud: one that is there already.
    ///   - kept: what another run has left.
    init(
        _ monitors: [SenseModel] = [.house()], settings: [String: String] = [:],
        account: SenseSimulator.Account = .init(), cloud: SenseSimulator? = nil, kept: [String: [UInt8]] = [:],
        clock: SimulatedClock = SimulatedClock(afternoon)
    ) throws {
        self.clock = clock
        let cloud = try cloud ?? SenseSimulator(monitors, account: account, clock: { clock.time })
        self.cloud = cloud
        let own = ["email": cloud.account.email, "password": cloud.account.password, "api_url": cloud.url]
        host = FakeHost(
            settings: own.merging(settings) { $1 }.filter { !$0.value.isEmpty }, respond: Network.perform)
        host.wall = clock.wall
        host.values = kept
        instance = try Self.adapter().create(host)
    }

    /// Another run against the same cloud, with what this one has kept.
    func restarted(settings: [String: String] = [:]) throws -> Rig {
        try Rig(settings: settings, cloud: cloud, kept: host.values, clock: clock)
    }

    static func adapter() throws -> AdapterUnderTest {
        try AdapterUnderTest(path: Checkout.product("libsmartmeter-sense.so"))
    }

    /// Seconds since the epoch.
    var time: Double { clock.time }

    func goOn(_ seconds: Double) {
        clock.time += seconds
        host.wall = clock.wall
        host.advanceMonotonic(Int64(seconds) * Rig.second)
    }

    @discardableResult
    func read(after seconds: Double = 0) throws -> EmittedReading {
        goOn(seconds)
        return try instance.read(withinSeconds: 15)
    }

    /// Everything that the adapter said to people, and must have no secret in it.
    func secretsIn(_ words: [String]) -> [String] {
        let secrets = cloud.tokens + [cloud.account.password, "mfa."]
        return words.filter { word in secrets.contains { word.contains($0) } }
    }
}

/// A wall clock that a test moves.
final class SimulatedClock: Sendable {
    private let seconds: Mutex<Double>

    init(_ seconds: Double) { self.seconds = Mutex(seconds) }

    var time: Double {
        get { seconds.withLock { $0 } }
        set { seconds.withLock { $0 = newValue } }
    }
    var wall: Int64 { Int64(time * 1000) * 1_000_000 }
}
