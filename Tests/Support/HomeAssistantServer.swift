import Foundation
import Synchronization

/// A real Home Assistant on a loopback port, with template sensors. `make test` installs it.
public final class HomeAssistantServer: Sendable {
    /// A template sensor; its entity id is `sensor.` and its name in lower case with underscores.
    public struct Sensor: Sendable {
        let name: String
        /// A number, a text, or Jinja.
        let state: String
        let unit: String?
        let deviceClass: String?
        let isAvailable: Bool

        public init(
            _ name: String, _ state: String, unit: String? = nil, deviceClass: String? = nil, isAvailable: Bool = true
        ) {
            self.name = name
            self.state = state
            self.unit = unit
            self.deviceClass = deviceClass
            self.isAvailable = isAvailable
        }
    }

    public let port: UInt16
    public var url: String { "http://127.0.0.1:\(port)" }
    /// An administrator's long-lived access token.
    public let token: String

    /// - Parameter more: further YAML, at the top level.
    public init(_ sensors: [Sensor], more: String = "") throws {
        port = try Loopback.freePort()
        folder = try TemporaryDirectory("home-assistant")
        let template = Checkout.homeAssistantTemplate
        let tokenFile = URL(fileURLWithPath: "\(template)/token")
        guard let text = try? String(contentsOf: tokenFile, encoding: .utf8) else {
            throw FixtureError("no Home Assistant for the tests in \(template); tools/setup.sh test makes it")
        }
        token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        try FileManager.default.copyItem(atPath: template, toPath: configuration.path)
        try folder.write("configuration/configuration.yaml", Self.yaml(port: port, sensors: sensors) + more)
        try start()
    }

    /// Again, after `stop`: the sensors have the states that they were made with.
    public func start() throws {
        let venv = Checkout.homeAssistantVenv
        let child = try ChildProcess(
            "\(venv)/bin/hass", ["--config", configuration.path],
            environment: ["HOME": folder.path, "PATH": "\(venv)/bin:/usr/bin:/bin", "LANG": "C.UTF-8"], logs: folder,
            name: "hass")
        process.withLock { $0 = child }
        try waitUntil("Home Assistant on port \(port)", within: 90) {
            guard child.isRunning else { throw FixtureError("Home Assistant ended: \(child.errors.suffix(1000))") }
            // Running, and not only listening: template sensors have their states by then.
            let answer = try? HTTP.get(port, "/api/config", headers: authorization, timeout: 2)
            return (try? answer?.object())?["state"] as? String == "RUNNING"
        }
    }

    public func stop() {
        process.withLock { $0 }?.terminate(patience: 30)
        process.withLock { $0 = nil }
    }

    /// As a power cut.
    public func kill() {
        process.withLock { $0 }?.kill()
        process.withLock { $0 = nil }
    }

    /// Until Home Assistant itself changes the state; keeps the attributes.
    public func setState(_ entity: String, _ state: String) throws {
        let current = try HTTP.get(port, "/api/states/\(entity)", headers: authorization)
        let attributes = try current.object()["attributes"] as? [String: Any] ?? [:]
        let body: [String: Any] = ["state": state, "attributes": attributes]
        let json = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
        let answer = try HTTP.post(port, "/api/states/\(entity)", body: json, headers: authorization)
        guard answer.status == 200 || answer.status == 201 else {
            throw FixtureError("Home Assistant: \(entity): \(answer.status) \(answer.text)")
        }
    }

    public func state(_ entity: String) throws -> String? {
        try HTTP.get(port, "/api/states/\(entity)", headers: authorization).object()["state"] as? String
    }

    private let folder: TemporaryDirectory
    private let process = Mutex<ChildProcess?>(nil)
    private var configuration: URL { folder.file("configuration") }
    private var authorization: [String: String] {
        ["Authorization": "Bearer \(token)", "Content-Type": "application/json"]
    }

    private static func yaml(port: UInt16, sensors: [Sensor]) -> String {
        var yaml = """
            homeassistant: {name: Test, latitude: 52.5, longitude: 13.4, elevation: 30, unit_system: metric,
              time_zone: UTC, currency: EUR, country: DE}
            http: {server_host: 127.0.0.1, server_port: \(port)}
            api:
            websocket_api:
            recorder:
            history:
            energy:
            input_number:
            template:
              - sensor:

            """
        for sensor in sensors {
            yaml += "      - name: \"\(sensor.name)\"\n        state: \"\(sensor.state)\"\n"
            yaml += "        unique_id: \"\(sensor.name.lowercased().replacingOccurrences(of: " ", with: "_"))\"\n"
            if let unit = sensor.unit { yaml += "        unit_of_measurement: \(unit)\n" }
            if let deviceClass = sensor.deviceClass { yaml += "        device_class: \(deviceClass)\n" }
            if !sensor.isAvailable { yaml += "        availability: \"{{ false }}\"\n" }
        }
        return yaml
    }
}
