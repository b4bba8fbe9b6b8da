import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Settings that change while it runs", .serialized)
struct ReloadTests {
    @Test("SIGHUP takes over what it can, names what waits for a restart, and forgets that once it is taken back")
    func reload() throws {
        let host = try HostProcess(["METER_TYPE": "mock", "MOCK_SAMPLE_SECONDS": "0.1"])
        try host.waitForConsumption("a reading") { $0["total_power_w"] as? Double != nil }
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try host.logs.write(
            ".env",
            """
            INFLUXDB_URL=http://127.0.0.1:1
            BIND_ADDRESS=0.0.0.0
            FETCH_INTERVAL_SECONDS=1
            HIGH_POWER_THRESHOLD_W=10
            """)
        host.signal(SIGHUP)
        let line = try host.waitForLog("needs a restart: ")
        #expect(line.contains("BIND_ADDRESS, INFLUXDB_URL"), "\(line)")
        try host.waitForHealth("the settings that wait") { health in
            let problems = health["problems"] as? [[String: Any]] ?? []
            let problem = problems.first { "\($0["what"] ?? "")".contains("BIND_ADDRESS, INFLUXDB_URL") }
            return health["status"] as? String == "degraded" && problem?["since"] is String
                && (problem?["todo"] as? String)?.contains("restart") == true
        }
        try host.waitForLog("High power consumption")
        try waitUntil("slots of a second", within: 20) {
            guard try store.newestOrNone() > 0 else { return false }
            let ends = try store.slots().map(\.end)
            return zip(ends, ends.dropFirst()).contains { $1 - $0 == 1_000_000_000 }
        }
        try host.logs.write(".env", "FETCH_INTERVAL_SECONDS=1")
        host.signal(SIGHUP)
        try host.waitForHealth("nothing that waits") { !"\($0["problems"] ?? "")".contains("not in force") }
        #expect(host.log.split(separator: "\n").count { $0.contains("needs a restart: ") } == 1)
    }

    @Test(
        "A meter's own sampling, interval and ration change with SIGHUP, and so does the house once its meter is gone")
    func meters() throws {
        let host = try HostProcess([:], dotEnv: "METER_TYPE=mock,mock@attic\nMOCK_SAMPLE_SECONDS=5")
        func meter(_ name: String) throws -> [String: Any] {
            let answer = try HTTP.get(host.port, "/api/v1/adapters").object()
            let adapters = answer["adapters"] as? [[String: Any]] ?? []
            return adapters.first { $0["instance"] as? String == name } ?? [:]
        }
        try waitUntil("both", within: 15) { (try? meter("mock@attic")["state"] as? String) == "running" }
        try host.logs.write(".env", "METER_TYPE=mock@attic\nMOCK_SAMPLE_SECONDS=0.5\nMOCK_REQUESTS_PER_DAY=1000000")
        host.signal(SIGHUP)
        try waitUntil("the attic as the house; the log:\n\(host.log)", within: 15) {
            let attic = try meter("mock@attic")
            let schedule = attic["schedule"] as? [String: Any]
            return attic["is_house"] as? Bool == true && schedule?["sample_seconds"] as? Double == 0.5
                && schedule?["requests_per_day"] as? Int == 1_000_000
        }
    }
}
