import FakeHost
import Foundation
import TestSupport

/// The adapter as it ships, through its library, at a real broker; its wall clock is the machine's.
final class Rig {
    let broker: MosquittoBroker
    let host: FakeHost
    let instance: InstanceUnderTest
    private var isStarted = false

    /// - Parameter kept: what another run has left.
    init(
        _ settings: [String: String] = [:], broker: MosquittoBroker? = nil, at wall: Int64? = nil,
        kept: [String: String] = [:]
    ) throws {
        let broker = try broker ?? MosquittoBroker()
        self.broker = broker
        host = FakeHost(settings: ["mqtt_url": broker.url].merging(settings) { $1 })
        host.wall = wall ?? Self.now
        host.setValues(kept.mapValues { Array($0.utf8) })
        instance = try Self.adapter().create(host)
    }

    deinit { stop() }

    static func adapter() throws -> AdapterUnderTest {
        try AdapterUnderTest(path: Checkout.product("libsmartmeter-shelly.so"))
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) * 1_000_000 }
    static var second: Int { Int(Date().timeIntervalSince1970) }

    func start() throws {
        try instance.start()
        isStarted = true
    }

    func stop() {
        guard isStarted else { return }
        instance.stop()
        isStarted = false
    }

    /// The first reading from now on that fits, while the devices say what they measure every 100 ms.
    @discardableResult
    func waitForReading(
        _ what: String, of devices: [ShellyDevice] = [], within seconds: Double = 30,
        _ condition: (EmittedReading) -> Bool = { _ in true }
    ) throws -> EmittedReading {
        let before = host.emissions.count
        func facts() -> String {
            let last = host.emissions.last.map { "\($0)" } ?? "none"
            return "conditions: \(host.conditions.map(\.message)); log: \(host.logs); last reading: \(last)"
        }
        return try waitFor("\(what); \(facts())", within: seconds) {
            host.wall = Self.now
            for device in devices { device.say(at: Self.second) }
            usleep(90_000)
            return host.emissions.dropFirst(before).first(where: condition)
        }
    }

    func waitForCondition(_ what: String, within seconds: Double = 30, _ fits: (FakeHost.Condition) -> Bool) throws {
        try waitUntil("\(what); conditions: \(host.conditions); log: \(host.logs)", within: seconds) {
            host.conditions.last.map(fits) ?? false
        }
    }
}

extension FakeHost {
    /// Says "return" to the running call after so long, from another thread.
    func cancel(afterSeconds seconds: Double) {
        Thread.detachNewThread { [self] in
            usleep(UInt32(seconds * 1e6))
            isCancelled = true
        }
    }
}
