import AdapterABI
import FakeHost
import Foundation
import TestSupport
import Testing

extension EmporiaTests {
    /// The simulated Emporia before its public client libraries: they log in as the adapter does, and read what it reads.
    @Suite struct OracleTests {
        private struct Figures: Decodable {
            struct Chart: Decodable {
                var first: String
                var usages: [Double?]
            }

            var tokens: [String]
            var names: [String: String]
            var minute: [String: Double?]
            var day: [String: Double?]
            var charts: [String: Chart]
        }

        private func read(_ rig: Rig, from: String, to: String) throws -> Figures {
            let python = "\(Checkout.emporiaVenv)/bin/python"
            try #require(FileManager.default.isExecutableFile(atPath: python), "tools/setup.sh test makes \(python)")
            let script = Checkout.root.appendingPathComponent("Tests/EmporiaTests/Fixtures/read_with_pyemvue.py").path
            try rig.cloud.control(["oracle": true])
            let logs = try TemporaryDirectory("pyemvue")
            let child = try ChildProcess(
                python, [script, rig.cloud.url, "2026-01-05T11:58:00+00:00", from, to],
                environment: [
                    "LANG": "C.UTF-8", "EMAIL": rig.cloud.account.email, "PASSWORD": rig.cloud.account.password,
                    "AWS_EC2_METADATA_DISABLED": "true", "HOME": logs.path,
                ], logs: logs, name: "python")
            #expect(try child.waitForEnd(within: 60) == 0, "\(child.errors)")
            return try withExtendedLifetime(logs) {
                try JSONDecoder().decode(Figures.self, from: Data(child.output.utf8))
            }
        }

        private func net(_ circuit: EmittedCircuit) -> Double {
            ((circuit.periodEnergyKWh ?? .nan) - (circuit.periodReturnedKWh ?? .nan))
                * (circuit.kind == METER_KIND_SOLAR ? -1 : 1)
        }

        @Test(arguments: [EmporiaAccount.home, .roof])
        func `the client libraries log in, and read the same figures and names as the adapter`(
            account: EmporiaAccount
        ) throws {
            let rig = try Rig(account)
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            let from = Int64(Rig.noon - 86_400) * Rig.second
            let history = try HistoryWalk(
                rig.instance, from: from, to: from + 3600 * Rig.second, step: 60 * Rig.second)
            let figures = try read(rig, from: "2026-01-04T12:00:00Z", to: "2026-01-04T13:00:00Z")
            #expect(figures.tokens == ["AccessToken", "ExpiresIn", "IdToken", "RefreshToken", "TokenType"])
            #expect(try rig.cloud.state().logins == 2)

            let mains = try #require(figures.minute["2345-1,2,3"] ?? nil)
            #expect(abs((reading.gridPowerW ?? .nan) - mains * 60_000) < 0.001)
            let measured = figures.minute.filter { $0.key.last?.isNumber == true }
            #expect(measured.count == reading.circuits.count + 1)
            for circuit in reading.circuits {
                let kWh = try #require(measured[circuit.id] ?? nil)
                #expect(abs(net(circuit) - kWh) < 1e-7, "\(circuit.name)")
                #expect(circuit.name == figures.names[circuit.id])
            }
            let solar = account.devices.flatMap(\.channels).contains { $0.type_gid == 13 } ? "2345-2" : nil
            let day = try #require(figures.day["2345-1,2,3"] ?? nil)
            let produced = solar.map { -((figures.day[$0] ?? nil) ?? .nan) } ?? 0
            #expect(abs((reading.dayEnergyKWh ?? .nan) - day - produced) < 1e-6)

            #expect(history.records.count == 60 && history.violations.isEmpty)
            for circuit in reading.circuits {
                let chart = try #require(figures.charts[circuit.id])
                #expect(chart.first == "2026-01-04T12:00:00+00:00" && chart.usages.count == 60)
                for (record, usage) in zip(history.records, chart.usages) {
                    let kWh = try #require(record.circuits.first { $0.id == circuit.id }.map(net))
                    #expect(abs(kWh - (usage ?? .nan)) < 1e-7)
                }
            }
        }
    }
}
