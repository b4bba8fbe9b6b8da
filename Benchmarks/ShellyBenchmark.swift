import Foundation
import Synchronization
import TestSupport

/// What a hundred Shelly meters cost that say something every second: the shipped host with the adapter in its process,
/// at a real broker. The devices' and the broker's own work is not in it.
enum ShellyBenchmark {
    private static let devices = 100
    private static let seconds = 20

    static func run() throws -> [Measurement] {
        let broker = try MosquittoBroker()
        let fleet = try Fleet(devices, broker.port)
        let host = try HostProcess([
            "METER_TYPE": "shelly", "SHELLY_MQTT_URL": broker.url, "SHELLY_MAINS": "shellyproem50-0/em1:0",
        ])
        try host.waitForConsumption("all devices", within: 60) { consumption in
            fleet.say()
            usleep(500_000)
            return (consumption["circuits"] as? [Any])?.count == devices
        }
        guard let child = ProcessFacts(host.processID).runner(of: "shelly") else {
            throw FixtureError("the adapter has no process")
        }
        let readingsBefore = try host.health()["total_fetches"] as? Int ?? 0
        let before = (try used(child), try used(host.processID))
        let begin = ContinuousClock.now
        var messages = 0
        for second in 1...seconds {
            // Over the whole second, as they would.
            for part in 0..<10 {
                messages += fleet.say(part: part, of: 10)
                let next = begin + .milliseconds(1000 * (second - 1) + 100 * (part + 1))
                let left = (next - ContinuousClock.now) / .microseconds(1)
                if left > 0 { usleep(UInt32(left)) }
            }
        }
        let elapsed = (ContinuousClock.now - begin) / .seconds(1)
        let adapter = (try used(child) - before.0) / elapsed * 100
        let whole = adapter + (try used(host.processID) - before.1) / elapsed * 100
        let readings = (try host.health()["total_fetches"] as? Int ?? 0) - readingsBefore
        guard messages == devices * seconds, readings >= seconds - 2 else {
            throw FixtureError("\(messages) notifications became \(readings) readings")
        }
        return [
            Measurement(
                what: "\(devices) Shelly meters, a message a second each",
                figure: "\(Measurement.rounded(adapter)) % of one core",
                how:
                    "schedstat of the adapter's process, \(messages) notifications in \(seconds) s through mosquitto "
                    + "became \(readings) readings of \(devices) circuits; with the host's own work "
                    + "\(Measurement.rounded(whole)) %; aim 3 %")
        ]
    }

    /// Seconds of CPU of all threads.
    private static func used(_ process: Int32) throws -> Double {
        let folder = "/proc/\(process)/task"
        return try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) { sum, task in
            let words = (try? String(contentsOfFile: "\(folder)/\(task)/schedstat", encoding: .utf8))?.split(
                separator: " ")
            return sum + (words?.first.flatMap { Double($0) } ?? 0) / 1e9
        }
    }
}

/// Many simulated meters behind one connection.
private final class Fleet: Sendable {
    private final class State: Sendable {
        let meters: Mutex<[ShellyGen2]>
        let client = Mutex<MQTTClient?>(nil)
        init(_ meters: [ShellyGen2]) { self.meters = Mutex(meters) }
    }

    private let state: State

    init(_ count: Int, _ port: UInt16) throws {
        let now = Int(Date().timeIntervalSince1970)
        let meters = (0..<count).map { number in
            ShellyGen2(
                "shellyproem50-\(number)", .single,
                [ShellyLoad { second in 200 + 10 * Double((second * 7 + number) % 100) }], at: now)
        }
        state = State(meters)
        let client = try MQTTClient(port: port, id: "fleet") { [state] message in
            let prefix = message.topic.prefix { $0 != "/" }
            let answer = state.meters.withLock { meters in
                meters.firstIndex { $0.prefix == prefix }.flatMap { meters[$0].answer(message) }
            }
            if let answer { state.client.withLock { $0 }?.publish(answer) }
        }
        state.client.withLock { $0 = client }
        try client.subscribe("+/rpc")
        for meter in meters { client.publish(meter.online(true)) }
    }

    /// One notification each, of all or of a part.
    @discardableResult
    func say(part: Int = 0, of parts: Int = 1) -> Int {
        let now = Int(Date().timeIntervalSince1970)
        let messages = state.meters.withLock { meters in
            meters.indices.filter { $0 % parts == part }.compactMap { index -> MQTTMessage? in
                meters[index].advance(to: now)
                return meters[index].powerNotification(isWhole: true)
            }
        }
        let client = state.client.withLock { $0 }
        for message in messages { client?.publish(message) }
        return messages.count
    }
}
