import AdapterABI
import FakeHost
import Foundation
import TestSupport
import Testing

/// The simulated device before the IoTaWatt's public client library: what that reads is what the adapter reads.
@Suite(.serialized) struct OracleTests {
    private struct Sensor: Decodable {
        var name: String
        var unit: String
        var value: Double?
    }

    /// The library asks for the last 30 s by the device's clock, and again by this machine's: both are full halves of a
    /// minute.
    private func halfMinute() throws -> Int {
        try waitUntil("the beginning of half a minute", within: 20) {
            Date().timeIntervalSince1970.truncatingRemainder(dividingBy: 30) < 18
        }
        return Int(Date().timeIntervalSince1970) / 30 * 30
    }

    private func sensors(_ rig: Rig, _ credentials: [String]) throws -> [String: Sensor] {
        let python = "\(Checkout.iotawattpyVenv)/bin/python"
        try #require(FileManager.default.isExecutableFile(atPath: python), "tools/setup.sh test makes \(python)")
        let script = Checkout.root.appendingPathComponent("Tests/IoTaWattTests/Fixtures/read_with_iotawattpy.py").path
        let logs = try TemporaryDirectory("iotawattpy")
        let child = try ChildProcess(
            python, [script, "127.0.0.1:\(rig.device.port)"] + credentials, environment: ["LANG": "C.UTF-8"],
            logs: logs, name: "python")
        #expect(try child.waitForEnd(within: 60) == 0, "\(child.errors)")
        return try withExtendedLifetime(logs) {
            try JSONDecoder().decode([String: Sensor].self, from: Data(child.output.utf8))
        }
    }

    @Test(arguments: [[], ["admin", "s3cret"]])
    func `the client library reads the same numbers as the adapter`(credentials: [String]) throws {
        let end = try halfMinute()
        let rig = try Rig(
            .house(now: end), settings: credentials.isEmpty ? [:] : ["username": "admin", "password": "s3cret"],
            accounts: credentials.isEmpty ? [] : [("admin", "s3cret"), ("user", "s3cret")], at: Double(end) - 28)
        try rig.instance.start()
        _ = try rig.read()
        let reading = try #require(try rig.read(after: 30).last)
        #expect(reading.timestamp == Int64(end) * Rig.second && reading.period == 30 * Rig.second)

        let sensors = try sensors(rig, credentials)
        #expect(sensors["input_0"]?.name == "voltage")
        #expect(abs(try #require(sensors["input_0"]?.value) - (reading.voltagesV[0] ?? .nan)) <= 0.051)
        for circuit in reading.circuits {
            let sign = circuit.kind == METER_KIND_SOLAR ? -1.0 : 1
            let power = try #require(sensors[circuit.id])
            #expect(power.name == circuit.name && power.unit == "Watts")
            #expect(abs(try #require(power.value) - sign * (circuit.powerW ?? .nan)) <= 0.11, "\(circuit.name)")
            let energy = try #require(sensors["\(circuit.id)_energy"]?.value)
            let net = (circuit.periodEnergyKWh ?? .nan) - (circuit.periodReturnedKWh ?? .nan)
            #expect(abs(energy - 1000 * sign * net) <= 0.002, "\(circuit.name)")
        }
        let grid = try #require(sensors["input_1"]?.value) + (sensors["input_2"]?.value ?? .nan)
        #expect(abs(grid - (reading.gridPowerW ?? .nan)) <= 0.21)
    }

    @Test func `the library's energy of the year is the sum of the adapter's history`() throws {
        let end = try halfMinute()
        let rig = try Rig(.house(now: end), at: Double(end) + 2)
        try rig.instance.start()
        let midnight = Int64(end / 86_400 * 86_400) * Rig.second
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        let year = try #require(calendar.dateInterval(of: .year, for: Date(timeIntervalSince1970: Double(end)))?.start)
        let begin = Int64(year.timeIntervalSince1970) * Rig.second
        let days = try HistoryWalk(rig.instance, from: begin, to: midnight, step: 86_400 * Rig.second)
        let today = try HistoryWalk(
            rig.instance, from: midnight, to: Int64(end) * Rig.second, step: 30 * Rig.second)
        #expect(days.violations.isEmpty && today.violations.isEmpty)
        var sums: [String: Double] = [:]
        for circuit in (days.records + today.records).flatMap(\.circuits) {
            sums[circuit.id, default: 0] += (circuit.periodEnergyKWh ?? .nan) - (circuit.periodReturnedKWh ?? .nan)
        }
        let sensors = try sensors(rig, [])
        for (id, sum) in sums {
            let total = try #require(sensors["\(id)_total_energy"]?.value) / 1000
            #expect(abs(abs(total) - abs(sum)) <= 0.0005 * abs(sum) + 0.01, "\(id): \(total) and \(sum)")
        }
        #expect(sums.count == 14)
    }
}
