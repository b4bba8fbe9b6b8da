import Foundation
import TestSupport

/// What a host needs that runs all adapters of the release at once, each at a meter that answers: proportional set sizes
/// of the host and of the processes that it runs adapters in.
enum MemoryBenchmark {
    static func run() throws -> [Measurement] {
        let now = Int(Date().timeIntervalSince1970)
        let home = try HomeAssistantServer(
            (1...20).map { .init("Socket \($0)", "\($0 * 10)", unit: "W", deviceClass: "power") })
        let device = try IoTaWattSimulator(.house(now: now))
        let broker = try MosquittoBroker()
        let meters = try MQTTClient(port: broker.port, id: "meters") { _ in }
        var shelly = ShellyGen2("shellyproem50-1", .single, [ShellyLoad { _ in 500 }], at: now)
        let emporia = try EmporiaSimulator()
        let sense = try SenseSimulator([.house()])
        let influx = try InfluxServer()
        let settings = [
            "METER_TYPE": "home_assistant,iotawatt,shelly,emporia,sense,mock", "PRIMARY_METER": "home_assistant",
            "HOME_ASSISTANT_URL": home.url, "HOME_ASSISTANT_TOKEN": home.token, "IOTAWATT_URL": device.url,
            "SHELLY_MQTT_URL": broker.url, "SHELLY_MAINS": "shellyproem50-1/em1:0",
            "EMPORIA_EMAIL": emporia.account.email, "EMPORIA_PASSWORD": emporia.account.password,
            "EMPORIA_API_URL": emporia.url, "EMPORIA_AUTH_URL": emporia.url, "SENSE_EMAIL": sense.account.email,
            "SENSE_PASSWORD": sense.account.password, "SENSE_API_URL": sense.url, "INFLUXDB_URL": influx.url,
            "INFLUXDB_API": "v1", "FETCH_INTERVAL_SECONDS": "10",
        ]
        let ways = [("auto", "all adapters but `http_json`"), ("always", "the same, each in a process of its own")]
        return try ways.map { way, what in
            let host = try HostProcess(settings.merging(["ADAPTER_ISOLATION": way]) { $1 })
            let end = ContinuousClock.now + .seconds(90)
            var instances: Set<String> = []
            meters.publish(shelly.online(true))
            while ContinuousClock.now < end {
                shelly.advance(to: Int(Date().timeIntervalSince1970))
                if let message = shelly.powerNotification(isWhole: true) { meters.publish(message) }
                usleep(1_000_000)
                let readings = try HTTP.get(host.port, "/api/v1/readings").object()["readings"] as? [[String: Any]]
                instances = Set((readings ?? []).compactMap { $0["instance"] as? String })
            }
            guard instances.count == 6 else {
                throw FixtureError("only \(instances.sorted()) gave readings; the log:\n\(host.log.suffix(3000))")
            }
            let facts = ProcessFacts(host.processID)
            let children = facts.runners.map { ProcessFacts($0).proportionalKB }
            let all = facts.proportionalKB + children.reduce(0, +)
            return Measurement(
                what: "A host that runs \(what)", figure: "\(Measurement.rounded(Double(all) / 1024)) MB",
                how:
                    "sum of Pss (smaps_rollup) of the host (\(facts.proportionalKB / 1024) MB) and \(children.count) of its "
                    + "adapters' processes, after 90 s with a meter and history for each, into InfluxDB; aim 60 MB")
        }
    }
}
