import AdapterABI
import FakeHost
import TestSupport
import Testing

extension EmporiaTests {
    /// The past, from charts.
    @Suite struct HistoryTests {
        private static let hour = 3600
        private static let day = 86_400

        /// Started, with one reading behind it.
        private func rig(_ account: EmporiaAccount = .home, at time: Int = Rig.noon + 5) throws -> Rig {
            let rig = try Rig(account, at: time)
            try rig.instance.start()
            try rig.read()
            _ = try rig.cloud.takeRequests()
            return rig
        }

        private func walk(
            _ rig: Rig, from: Int, to: Int, step: Int = 60, maximumRecords: UInt32 = 1000
        ) throws -> HistoryWalk {
            let walk = try HistoryWalk(
                rig.instance, from: Int64(from) * Rig.second, to: Int64(to) * Rig.second,
                step: Int64(step) * Rig.second, maximumRecords: maximumRecords)
            #expect(walk.violations.isEmpty)
            return walk
        }

        private func expect(
            _ record: EmittedReading, of account: EmporiaAccount, minutes: Int,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let end = Int(record.timestamp / Rig.second)
            let truth = account.kWh(2345, "1,2,3", from: end - minutes * 60, to: end)
            #expect(
                abs((record.periodImportKWh ?? .nan) - (record.periodExportKWh ?? .nan) - truth) < 1e-6,
                sourceLocation: sourceLocation)
            #expect(
                abs((record.gridPowerW ?? .nan) - truth * 60_000 / Double(minutes)) < 0.01,
                sourceLocation: sourceLocation)
            for circuit in record.circuits {
                let parts = circuit.id.split(separator: "-")
                let gid = Int(parts[0]) ?? 0
                let sign = circuit.kind == METER_KIND_SOLAR ? -1.0 : 1
                let kWh = sign * account.kWh(gid, String(parts[1]), from: end - minutes * 60, to: end)
                let net = (circuit.periodEnergyKWh ?? .nan) - (circuit.periodReturnedKWh ?? .nan)
                #expect(abs(net - kWh) < 1e-6, "\(circuit.id)", sourceLocation: sourceLocation)
            }
        }

        @Test(arguments: [EmporiaAccount.home, .roof])
        func `minutes of the last days are what was used, one chart a channel`(account: EmporiaAccount) throws {
            let rig = try rig(account)
            let from = Rig.noon - Self.day
            let walk = try walk(rig, from: from, to: from + 2 * Self.hour)
            #expect(walk.records.count == 120)
            for record in walk.records { expect(record, of: account, minutes: 1) }
            let requests = try rig.cloud.takeRequests()
            #expect(requests.count == (rig.host.emissions.last?.circuits.count ?? 0) + 1)
            #expect(requests.allSatisfy { $0.contains("getChartUsage") && $0.contains("scale=1MIN") })
            #expect(requests.allSatisfy { $0.contains("start=2026-01-04T12:00:00Z&end=2026-01-04T14:00:00Z") })
            #expect(walk.records.first?.circuits.map(\.id) == rig.host.emissions.last?.circuits.map(\.id))
        }

        @Test func `portions that are asked for backwards share charts of twelve hours`() throws {
            let rig = try rig()
            let end = Rig.noon - Self.day
            for hours in [0, 6, 12, 18] {
                let to = end - hours * Self.hour
                let walk = try walk(rig, from: to - 6 * Self.hour, to: to)
                #expect(walk.records.count == 360)
            }
            #expect(try rig.cloud.takeRequests().count == 2 * 6)
        }

        @Test func `what is older than three days comes by the hour`() throws {
            let rig = try rig()
            let from = Rig.noon - 10 * Self.day
            let walk = try walk(rig, from: from, to: from + 5 * Self.hour)
            #expect(walk.records.count == 5)
            for record in walk.records {
                #expect(record.period == 3600 * Rig.second)
                expect(record, of: .home, minutes: 60)
            }
            #expect(try rig.cloud.takeRequests().allSatisfy { $0.contains("scale=1H") })
        }

        @Test func `where hours end and minutes begin nothing is missing and nothing is there twice`() throws {
            let rig = try rig(at: Rig.noon + 1234)
            let from = Rig.noon - 4 * Self.day
            let walk = try walk(rig, from: from, to: Rig.noon - 2 * Self.day)
            var before = Int64(from) * Rig.second
            for record in walk.records {
                #expect(record.timestamp - record.period == before)
                before = record.timestamp
            }
            #expect(before == Int64(Rig.noon - 2 * Self.day) * Rig.second)
            #expect(Set(walk.records.map(\.period)).count == 2)
            #expect(walk.records.filter { $0.period == 60 * Rig.second }.count >= 22 * 60)
        }

        @Test(arguments: [300, 900, 1200])
        func `longer records are sums of minutes`(step: Int) throws {
            let rig = try rig()
            let from = Rig.noon - Self.day
            let walk = try walk(rig, from: from, to: from + Self.hour, step: step)
            #expect(walk.records.count == Self.hour / step)
            for record in walk.records { expect(record, of: .home, minutes: step / 60) }
        }

        @Test func `minutes that Emporia does not have are no records, and no zeros`() throws {
            let rig = try rig()
            let from = Rig.noon - Self.day
            // Each chart of an hour: the first 30 buckets of the dryer's.
            try rig.cloud.control(["nulls": ["2345-1": 30]])
            let partly = try walk(rig, from: from, to: from + Self.hour)
            #expect(partly.records.count == 60)
            let dryer = partly.records.map { $0.circuits.first { $0.id == "2345-1" } }
            #expect(dryer.prefix(30).allSatisfy { $0?.powerW == nil && $0?.periodEnergyKWh == nil })
            #expect(dryer.dropFirst(30).allSatisfy { $0?.powerW != nil })
            try rig.cloud.control(["nulls": ["all": nil as Int?]])
            let nothing = try walk(rig, from: from - Self.hour, to: from)
            #expect(nothing.records.isEmpty && nothing.outcomes == [METER_HISTORY_COMPLETE])
        }

        @Test func `minutes of zeros only are no records`() throws {
            let rig = try rig()
            let from = Rig.noon - Self.day
            try rig.cloud.control(["zeros": [from + 1200, from + 2400]])
            let walk = try walk(rig, from: from, to: from + Self.hour)
            #expect(walk.outcomes.last == METER_HISTORY_COMPLETE)
            #expect(walk.records.count == 40)
            #expect(!walk.records.contains { (from + 1200..<from + 2400).contains(Int($0.timestamp / Rig.second) - 1) })
            for record in walk.records { expect(record, of: .home, minutes: 1) }
        }

        @Test func `young minutes of zeros only are asked for again, until they are what they stay`() throws {
            let rig = try rig()
            let from = Rig.noon - 1800
            try rig.cloud.control(["zeros": [from + 600, Rig.noon]])
            let first = try walk(rig, from: from, to: Rig.noon - 600)
            #expect(first.outcomes.last == METER_HISTORY_NOT_YET)
            #expect(first.coveredTo == Int64(from + 600) * Rig.second)
            #expect(first.records.count == 10)
            // Half of it has come in the meantime; the rest never does.
            try rig.cloud.control(["zeros": [from + 900, Rig.noon]])
            let second = try walk(rig, from: from + 600, to: Rig.noon - 600)
            #expect(second.outcomes.last == METER_HISTORY_NOT_YET && second.records.count == 5)
            try rig.go(to: Rig.noon + 2 * Self.hour)
            let third = try walk(rig, from: from + 900, to: Rig.noon - 600)
            #expect(third.outcomes.last == METER_HISTORY_COMPLETE && third.records.isEmpty)
        }

        @Test func `what has not settled yet is asked for later`() throws {
            let rig = try rig()
            let walk = try walk(rig, from: Rig.noon - 600, to: Rig.noon)
            #expect(walk.outcomes == [METER_HISTORY_NOT_YET])
            #expect(walk.coveredTo == Int64(Rig.noon - 240) * Rig.second)
            try rig.go(to: Rig.noon + 300)
            #expect(try self.walk(rig, from: Rig.noon - 240, to: Rig.noon).records.count == 4)
        }

        @Test func `charts that take longer than a call are kept for the next one`() throws {
            let rig = try rig()
            try rig.cloud.control(["faults": [["path": "/AppAPI?apiMethod=getChart", "status": 503, "count": 1]]])
            let from = Int64(Rig.noon - Self.day) * Rig.second
            let to = from + Int64(Self.hour) * Rig.second
            #expect(throws: AdapterFailure.self) {
                try rig.instance.history(from: from, to: to, step: 60 * Rig.second)
            }
            #expect(throws: AdapterFailure.self, "a deadline that is too near") {
                try rig.instance.history(from: from, to: to, step: 60 * Rig.second, withinSeconds: 0)
            }
            try rig.cloud.control([
                "faults": [["path": "/AppAPI?apiMethod=getChartUsage&deviceGid=9876", "status": 503, "count": 1]],
                "forget": true,
            ])
            #expect(throws: AdapterFailure.self) {
                try rig.instance.history(from: from, to: to, step: 60 * Rig.second)
            }
            let answer = try rig.instance.history(from: from, to: to, step: 60 * Rig.second)
            #expect(answer.outcome == METER_HISTORY_COMPLETE && answer.records.count == 60)
            // Six channels, of which one was asked for twice.
            #expect(try rig.cloud.takeRequests().count == 7)
        }

        @Test func `a sink that has enough ends the call, and the rest needs no further chart`() throws {
            let rig = try rig()
            let from = Rig.noon - Self.day
            let walk = try walk(rig, from: from, to: from + Self.hour, maximumRecords: 7)
            #expect(walk.records.count == 60)
            #expect(try rig.cloud.takeRequests().count == 6)
        }
    }
}
