import FakeHost
import Synchronization
import TestSupport

/// The adapter as it ships, through its library, before a simulated device; between them the host's own HTTP client
/// and a clock that the test moves.
final class Rig {
    let device: IoTaWattSimulator
    let host: FakeHost
    let instance: InstanceUnderTest
    private let clock: SimulatedClock

    /// Of a day on which clouds pass.
    static let noon = 1_767_139_200 + 46_800
    static let second: Int64 = 1_000_000_000

    /// - Parameter kept: what another run has left.
    init(
        _ model: IoTaWattModel = .house(now: noon), settings: [String: String] = [:],
        accounts: [(user: String, password: String)] = [], at time: Double = Double(noon) + 2, deviceAhead: Double = 0,
        kept: [String: [UInt8]] = [:]
    ) throws {
        let clock = SimulatedClock(time)
        self.clock = clock
        device = try IoTaWattSimulator(model, accounts: accounts, clock: { clock.time + deviceAhead })
        host = FakeHost(settings: ["url": device.url].merging(settings) { $1 }, respond: Network.perform)
        host.wall = clock.wall
        host.values = kept
        instance = try Self.adapter().create(host)
    }

    static func adapter() throws -> AdapterUnderTest {
        try AdapterUnderTest(path: Checkout.product("libsmartmeter-iotawatt.so"))
    }

    /// Seconds since the epoch.
    var time: Double {
        get { clock.time }
        set {
            clock.time = newValue
            host.wall = clock.wall
        }
    }

    /// Goes on by so much, reads, and answers all readings that the adapter emitted.
    func read(after seconds: Double = 0) throws -> [EmittedReading] {
        time += seconds
        let before = host.emissions.count
        try instance.read()
        return Array(host.emissions[before...])
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
