import AdapterKit
import TestSupport

@testable import ShellyAdapter

/// A household that hears simulated devices on a clock that the test moves: no broker is between them.
struct Village {
    var household: Household
    var gen1: [ShellyGen1] = []
    var gen2: [ShellyGen2] = []
    private(set) var readings: [Reading] = []
    /// What was said to the log.
    private(set) var news: [String] = []
    private(set) var now: Moment
    /// Devices that do not answer questions.
    var isMute = false

    /// 2026-06-01T12:00:00Z.
    static let noon = 1_780_315_200

    init(
        _ settings: [String: String] = [:], gen1: [ShellyGen1] = [], gen2: [ShellyGen2] = [],
        rememberedMains: String? = nil
    ) throws {
        let preferences = try Preferences(settings: settings)
        household = Household(
            preferences, own: "smart-meter-test", rememberedMains: rememberedMains, logKeepers: [])
        self.gen1 = gen1
        self.gen2 = gen2
        now = Moment(wall: Int64(Self.noon) * Moment.second, monotonic: 1000 * Moment.second)
        connect()
    }

    var second: Int { Int(now.wall / Moment.second) }

    mutating func connect() {
        household.connect(at: now)
        settle()
    }

    mutating func disconnect() { household.disconnect() }

    mutating func receive(_ message: MQTTMessage, isRetained: Bool = false) {
        household.take(
            BrokerConnection.Message(topic: message.topic, payload: message.payload, isRetained: isRetained), at: now)
    }

    mutating func receive(_ messages: [MQTTMessage]) {
        for message in messages { receive(message) }
    }

    mutating func receive(_ topic: String, _ payload: String, isRetained: Bool = false) {
        receive(MQTTMessage(topic, payload), isRetained: isRetained)
    }

    /// Goes on by so much, as the adapter's thread does.
    mutating func pass(seconds: Double) {
        let end = now.monotonic + Int64(seconds * 1e9)
        while now.monotonic < end {
            let step = min(end - now.monotonic, Moment.second / 10)
            now.monotonic += step
            now.wall += step
            settle()
        }
    }

    /// Carries questions to the devices and answers back, and takes what is due.
    private mutating func settle() {
        household.tick(at: now)
        while !household.outgoing.isEmpty {
            let outgoing = household.outgoing
            household.outgoing = []
            for case .publish(let topic, let payload) in outgoing { deliver(MQTTMessage(topic, payload)) }
        }
        if let due = household.readingDue, due <= now.monotonic, let reading = household.takeReading(at: now) {
            readings.append(reading)
        }
        news += household.news
        household.news = []
    }

    private mutating func deliver(_ message: MQTTMessage) {
        guard !isMute else { return }
        if message.topic == "shellies/command" {
            for index in gen1.indices {
                receive(message.text == "announce" ? [gen1[index].announcement] : gen1[index].state())
            }
        }
        for index in gen2.indices where message.topic == "\(gen2[index].prefix)/rpc" {
            if let answer = gen2[index].answer(message) { receive(answer) }
        }
    }
}

extension Preferences {
    /// As the host would hand them over.
    init(settings: [String: String]) throws {
        var settings = settings
        settings["mqtt_url"] = settings["mqtt_url"] ?? "mqtt://broker.local"
        self = try PreferenceProbe.preferences(settings)
    }
}
