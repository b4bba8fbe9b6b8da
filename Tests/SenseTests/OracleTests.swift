import AdapterABI
import FakeHost
import Foundation
import TestSupport
import Testing

/// The simulated cloud before Sense's public client library: what that reads is what the adapter reads.
@Suite(.serialized) struct OracleTests {
    private struct Said: Decodable {
        var listed: [String: String]
        var power: Double
        var solar: Double
        var voltage: [Double]
        var frequency: Double
        var devices: [String: Double]
        var today: Double
        var today_production: Double
        var today_from_grid: Double
        var today_to_grid: Double
        var today_devices: [String: Double]
    }

    private func said(_ rig: Rig, code: String?) throws -> Said {
        let python = "\(Checkout.senseVenv)/bin/python"
        try #require(FileManager.default.isExecutableFile(atPath: python), "tools/setup.sh test makes \(python)")
        let script = Checkout.root.appendingPathComponent("Tests/SenseTests/Fixtures/read_with_sense_energy.py").path
        let logs = try TemporaryDirectory("sense_energy")
        let words = [rig.cloud.url, rig.cloud.account.email, rig.cloud.account.password]
        let child = try ChildProcess(
            python, [script] + words + (code.map { [$0] } ?? []), environment: ["LANG": "C.UTF-8"], logs: logs,
            name: "python")
        #expect(try child.waitForEnd(within: 60) == 0, "\(child.errors)")
        return try withExtendedLifetime(logs) {
            try JSONDecoder().decode(Said.self, from: Data(child.output.utf8))
        }
    }

    @Test(arguments: [true, false], [nil, "424242"])
    func `the client library reads the same numbers as the adapter`(withSolar: Bool, code: String?) throws {
        // The library asks for the trend of its own now; the cloud's clock stands still meanwhile.
        let now = Date().timeIntervalSince1970
        let account = code.map { code in SenseSimulator.Account(takesCode: { said, _ in said == code }) }
        let rig = try Rig(
            [.house(withSolar: withSolar)], settings: ["mfa_code": code ?? ""], account: account ?? .init(),
            clock: SimulatedClock(now))
        try rig.instance.start()
        let reading = try rig.read()
        let said = try said(rig, code: code)

        let consumption =
            withSolar ? (reading.gridPowerW ?? .nan) + (reading.solarPowerW ?? .nan) : reading.consumptionPowerW
        #expect(abs((consumption ?? .nan) - said.power) < 1e-6)
        #expect((reading.solarPowerW ?? 0) == said.solar)
        #expect(reading.voltagesV.compactMap { $0 } == said.voltage && reading.frequencyHz == said.frequency)
        // The library takes the text "false" for a yes.
        #expect(Set(said.listed.keys).subtracting(["hidden01"]).isSubset(of: reading.circuits.map(\.id)))
        for circuit in reading.circuits where circuit.id != "solar" || circuit.powerW != 0 {
            #expect(circuit.powerW == said.devices[circuit.id], "\(circuit.name)")
            if let name = said.listed[circuit.id] { #expect(circuit.name == name) }
        }
        // At the first hour of the day nothing is counted yet.
        #expect((reading.dayEnergyKWh ?? 0) == said.today)
        try compareToday(rig, said, withSolar: withSolar)
    }

    /// The library's figures of the day are the sums of the adapter's hours.
    private func compareToday(_ rig: Rig, _ said: Said, withSolar: Bool) throws {
        // Until the last hour has settled, and no further: another one would count in the day's sums.
        rig.goOn(max(0, 900 - rig.time.truncatingRemainder(dividingBy: 3600)))
        let day = try SenseModel.house().day(of: rig.time)
        let end = Int(rig.time - 900) / 3600 * 3600
        guard end > day.start else { return }
        let walk = try HistoryWalk(
            rig.instance, from: Int64(day.start) * Rig.second, to: Int64(end) * Rig.second, step: Rig.hour)
        #expect(walk.violations.isEmpty, "\(walk.violations)")
        func sum(_ value: (EmittedReading) -> Double?) -> Double {
            walk.records.reduce(0) { $0 + (value($1) ?? .nan) }
        }
        if withSolar {
            let used = sum {
                ($0.periodImportKWh ?? .nan) - ($0.periodExportKWh ?? .nan) + ($0.periodProductionKWh ?? .nan)
            }
            #expect(abs(used - said.today) < 1e-6)
            #expect(abs(sum(\.periodProductionKWh) - said.today_production) < 1e-6)
            #expect(abs(sum(\.periodImportKWh) - said.today_from_grid) < 1e-6)
            #expect(abs(sum(\.periodExportKWh) - said.today_to_grid) < 1e-6)
        } else {
            #expect(abs(sum(\.periodConsumptionKWh) - said.today) < 1e-6)
        }
        for id in ["rQRVn4X5", "always_on", "unknown", "fr1dge00"] {
            let energy = sum { record in record.circuits.first { $0.id == id }?.periodEnergyKWh }
            #expect(abs(energy - (said.today_devices[id] ?? .nan)) < 1e-6, "\(id)")
        }
    }
}
