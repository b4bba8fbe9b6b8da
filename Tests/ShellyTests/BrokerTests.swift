import AdapterABI
import FakeHost
import TestSupport
import Testing

@Suite("The Shelly adapter at a real broker", .serialized)
struct BrokerTests {
    private static func gen1(_ watts: Double = 500) -> ShellyDevice.Model {
        .gen1(ShellyGen1("shellyem-B1E6D2", [.constant(watts), .constant(80)], at: Rig.second))
    }
    private static func gen2(_ watts: Double = 2000) -> ShellyDevice.Model {
        .gen2(ShellyGen2("shellyproem50-a0dd6c", .single, [.constant(watts)], at: Rig.second))
    }

    @Test(
        "Two devices of both dialects are found by themselves and are one reading, among strangers and huge payloads"
    )
    func both() throws {
        let rig = try Rig(["mains": "shellyem-B1E6D2/emeter/0"])
        let devices = [
            try ShellyDevice(Self.gen1(), at: rig.broker.port), try ShellyDevice(Self.gen2(), at: rig.broker.port),
        ]
        let stranger = try MQTTClient(port: rig.broker.port, id: "stranger")
        for number in 0..<10_000 {
            stranger.publish(MQTTMessage("zigbee2mqtt/lamp\(number)", "{\"state\":\"ON\"}", isRetained: true))
        }
        // Kept since yesterday.
        stranger.publish(MQTTMessage("shellies/shellyem-B1E6D2/emeter/0/power", "9999", isRetained: true))
        try rig.start()
        let huge = [UInt8](repeating: UInt8(ascii: "1"), count: 1 << 20)
        for topic in ["shellies/shellyem-B1E6D2/emeter/0/power", "huge/events/rpc", "shellyproem50-a0dd6c/events/rpc"] {
            stranger.publish(MQTTMessage(topic, huge))
        }
        let reading = try rig.waitForReading("both devices", of: devices) { $0.circuits.count == 3 }
        #expect(reading.gridPowerW == 500)
        #expect(reading.circuits.map(\.powerW) == [500, 80, 2000])
        #expect(rig.host.emissions.allSatisfy { $0.gridPowerW == nil || $0.gridPowerW == 500 })
        #expect(rig.host.conditions.allSatisfy { $0.code == METER_OK })
        #expect(abs(reading.timestamp - Rig.now) < 5_000_000_000)
        // Stopping is quick, and nothing is said after it.
        let begin = ContinuousClock.now
        rig.stop()
        #expect(ContinuousClock.now - begin < .milliseconds(500))
        let count = rig.host.emissions.count
        for device in devices { device.say(at: Rig.second) }
        #expect(rig.host.emissions.count == count)
    }

    @Test("A broker that welcomes and closes is left alone for longer and longer, and told of once")
    func closing() throws {
        let broker = try ClosingBroker()
        let host = FakeHost(settings: ["mqtt_url": broker.url])
        let instance = try Rig.adapter().create(host)
        try instance.start()
        try waitUntil("three connections; \(host.conditions)", within: 30) { broker.count >= 3 }
        // By then 2.25 s have gone, and the next one comes 3 s later at the soonest.
        let begin = ContinuousClock.now
        try waitUntil("a fourth connection; \(host.conditions)", within: 30) { broker.count >= 4 }
        #expect(ContinuousClock.now - begin > .seconds(2.5))
        instance.stop()
        #expect(host.logs.filter { $0.contains("connected to the broker") }.count == 1, "\(host.logs)")
        #expect(host.conditions.last?.code == METER_UNREACHABLE)
    }

    @Test("A broker that is killed and comes back costs nothing beyond the outage")
    func restart() throws {
        let rig = try Rig(["mains": "shellyem-B1E6D2/emeter/0", "devices": "shellyem-B1E6D2"])
        let device = try ShellyDevice(Self.gen1(), at: rig.broker.port)
        try rig.start()
        try rig.waitForReading("a first reading", of: [device])
        rig.broker.kill()
        try rig.waitForCondition("the broker away") { $0.code == METER_UNREACHABLE }
        try rig.broker.start()
        try device.connect()
        try rig.waitForReading("a reading after the outage", of: [device]) { $0.gridPowerW == 500 }
        #expect(rig.host.conditions.last?.code == METER_OK)
    }

    @Test("A broker that is not there yet is waited for")
    func late() throws {
        let broker = try MosquittoBroker()
        broker.stop()
        let rig = try Rig(["mains": "emeter/0", "devices": "shellyem-B1E6D2"], broker: broker)
        try rig.start()
        try rig.waitForCondition("no broker") {
            $0.code == METER_UNREACHABLE && $0.message.contains("mqtt://127.0.0.1:\(broker.port)")
        }
        try broker.start()
        let device = try ShellyDevice(Self.gen1(), at: broker.port)
        try rig.waitForReading("a reading", of: [device])
    }

    @Test("A device without power is said to be offline by the broker's word, and left out")
    func will() throws {
        let rig = try Rig(["mains": "emeter/0", "devices": "shellyem-B1E6D2, shellyproem50-a0dd6c"])
        let devices = [
            try ShellyDevice(Self.gen1(), at: rig.broker.port), try ShellyDevice(Self.gen2(), at: rig.broker.port),
        ]
        try rig.start()
        try rig.waitForReading("both", of: devices) { $0.circuits.count == 3 }
        devices[1].vanish()
        try rig.waitForReading("one of them", of: [devices[0]]) { $0.circuits.count == 2 }
        try rig.waitForCondition("the other offline") { $0.message == "shellyproem50-a0dd6c is offline" }
        try devices[1].connect()
        try rig.waitForReading("both again", of: devices) { $0.circuits.count == 3 }
        try rig.waitForCondition("all is well") { $0.code == METER_OK }
    }

    @Test("TLS with a private authority; without it the broker is not trusted, and the message says what to do")
    func tls() throws {
        let broker = try MosquittoBroker(isSecure: true)
        let device = try ShellyDevice(Self.gen1(), at: broker.port)
        let trusting = try Rig(
            [
                "mqtt_url": broker.secureURL, "mqtt_ca_file": broker.authority, "mains": "emeter/0",
                "devices": "shellyem-B1E6D2",
            ], broker: broker)
        try trusting.start()
        try trusting.waitForReading("a reading", of: [device])
        trusting.stop()
        for (url, file, word) in [
            (broker.secureURL, "", "SHELLY_MQTT_CA_FILE names"),
            ("mqtts://127.0.0.1:\(broker.securePort)", broker.authority, "one of its names"),
            ("mqtts://localhost:\(broker.port)", broker.authority, "no TLS"),
        ] {
            let rig = try Rig(["mqtt_url": url, "mqtt_ca_file": file], broker: broker)
            try rig.start()
            try rig.waitForCondition(url) { $0.code == METER_TLS_FAILED && $0.message.contains(word) }
            #expect(rig.host.emissions.isEmpty)
            rig.stop()
        }
    }

    @Test("A wrong password is said once, without it, and not tried again at once; the right one reads")
    func password() throws {
        let broker = try MosquittoBroker(account: ("meter", "s3cret,word"))
        let wrong = try Rig(["mqtt_username": "meter", "mqtt_password": "hunter2hunter2"], broker: broker)
        try wrong.start()
        try wrong.waitForCondition("the refusal") {
            $0.code == METER_UNAUTHORIZED && $0.message.contains("SHELLY_MQTT_PASSWORD")
                && $0.retryAfter == 60_000_000_000
        }
        #expect(wrong.host.conditions.count == 1)
        let said = wrong.host.logs + wrong.host.conditions.map(\.message)
        #expect(!said.contains { $0.contains("hunter2") })
        let begin = ContinuousClock.now
        wrong.stop()
        #expect(ContinuousClock.now - begin < .milliseconds(500))
        let nobody = try Rig(broker: broker)
        try nobody.start()
        try nobody.waitForCondition("the question for a user") {
            $0.code == METER_UNAUTHORIZED && $0.message.contains("set SHELLY_MQTT_USERNAME")
        }
        nobody.stop()
        let device = try ShellyDevice(Self.gen1(), at: broker.port, account: ("meter", "s3cret,word"))
        let right = try Rig(
            [
                "mqtt_username": "meter", "mqtt_password": "s3cret,word", "mains": "emeter/0",
                "devices": "shellyem-B1E6D2",
            ], broker: broker)
        try right.start()
        try right.waitForReading("a reading", of: [device])
    }

    @Test("A broker that takes the connection and says nothing is no work, and no obstacle to stopping")
    func frozen() throws {
        let broker = try MosquittoBroker(isSecure: true)
        broker.freeze()
        for settings in [["mqtt_url": broker.url], ["mqtt_url": broker.secureURL, "mqtt_ca_file": broker.authority]] {
            let rig = try Rig(settings, broker: broker)
            let thread = try ThreadTime.ofThread(named: "shelly") { try rig.start() }
            try waitUntil("a while", within: 5) { thread.age() > 0.7 }
            #expect(try thread.seconds() < 0.03)
            let begin = ContinuousClock.now
            rig.stop()
            #expect(ContinuousClock.now - begin < .milliseconds(500))
        }
        broker.thaw()
    }

    @Test("A CA file that is not there is a wrong setting")
    func missingFile() throws {
        let rig = try Rig(["mqtt_url": "mqtts://localhost:1", "mqtt_ca_file": "/nonexistent/ca.pem"])
        try rig.start()
        try rig.waitForCondition("the file") {
            $0.code == METER_MISCONFIGURED && $0.message.contains("SHELLY_MQTT_CA_FILE: /nonexistent/ca.pem")
        }
    }

    @Test("The host's process has no idle work: an instance that hears nothing uses next to no time")
    func idle() throws {
        let rig = try Rig()
        let task = try ThreadTime.ofThread(named: "shelly") { try rig.start() }
        try waitUntil("the connection", within: 20) {
            rig.host.logs.contains { $0.contains("connected to the broker") }
        }
        let before = try task.seconds()
        try waitUntil("a second", within: 5) { task.age() > 1.2 }
        #expect(try task.seconds() - before < 0.03)
    }
}
