import Foundation
import TestSupport

/// The house of these tests, as its Home Assistant shows it.
enum House {
    static let sensors: [HomeAssistantServer.Sensor] = [
        .init("Total Power", "2450.5", unit: "W", deviceClass: "power"),
        .init("Daily Energy", "12.25", unit: "kWh", deviceClass: "energy"),
        .init("Power Kitchen", "0.35", unit: "kW", deviceClass: "power"),
        .init("Power Office", "120", unit: "W", deviceClass: "power"),
        .init("Power Balcony", "-180", unit: "W", deviceClass: "power"),
        .init("Power Garage", "77", unit: "W", deviceClass: "power", isAvailable: false),
        .init("Power Attic", "{{ none }}", unit: "W", deviceClass: "power"),
        .init("Power Broken", "not a number"),
        .init("Power Production Forecast", "900", unit: "W", deviceClass: "power"),
        .init("Total Power Phase 1", "817", unit: "W", deviceClass: "power"),
        .init("Total Power Phase 2", "817", unit: "W", deviceClass: "power"),
        .init("Total Power Phase 3", "816.5", unit: "W", deviceClass: "power"),
    ]

    /// Read every second, stored every second.
    static func settings(_ home: HomeAssistantServer, _ influx: InfluxServer) -> [String: String] {
        [
            "METER_TYPE": "home_assistant", "HOME_ASSISTANT_URL": home.url, "HOME_ASSISTANT_TOKEN": home.token,
            "HOME_ASSISTANT_SAMPLE_SECONDS": "1", "HOME_ASSISTANT_INTERVAL_SECONDS": "1", "INFLUXDB_URL": influx.url,
            "INFLUXDB_API": "v1",
        ]
    }

    /// Wall time in nanoseconds since the epoch.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) * 1_000_000 }
}

/// The mock, sampled every 100 ms, stored every second.
enum QuickMock {
    static let settings = ["METER_TYPE": "mock", "MOCK_SAMPLE_SECONDS": "0.1", "MOCK_INTERVAL_SECONDS": "1"]

    static func to(_ url: String, api: String, token: String? = nil) -> [String: String] {
        var settings = settings
        settings["INFLUXDB_URL"] = url
        settings["INFLUXDB_API"] = api
        settings["INFLUXDB_TOKEN"] = token
        return settings
    }
}
