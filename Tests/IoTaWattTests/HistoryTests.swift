import AdapterABI
import FakeHost
import TestSupport
import Testing

/// What the device's log gives for spans that were missed.
@Suite(.serialized) struct HistoryTests {
    private let model = IoTaWattModel.house(now: Rig.noon)
    private let mains = ["main_1": 1.0, "main_2": 1]
    private static let hour = 3600 * Rig.second
    private static let noon = Int64(Rig.noon) * Rig.second

    private func rig(_ model: IoTaWattModel, deviceAhead: Double = 0) throws -> Rig {
        let rig = try Rig(model, deviceAhead: deviceAhead)
        try rig.instance.start()
        rig.device.forgetRequests()
        return rig
    }

    private func expectTruth(_ records: [EmittedReading], _ model: IoTaWattModel, within tolerance: Double) {
        for record in records {
            let (from, to) = (record.timestamp - record.period, record.timestamp)
            let truth = model.total(mains, from: Int(from / Rig.second), to: Int(to / Rig.second))
            let solar = model.total(["solar": -1], from: Int(from / Rig.second), to: Int(to / Rig.second))
            #expect(abs((record.gridPowerW ?? .nan) - truth.meanW) < 0.2)
            #expect(abs((record.solarPowerW ?? .nan) - solar.meanW) < 0.2)
            let net = (record.periodImportKWh ?? .nan) - (record.periodExportKWh ?? .nan)
            #expect(abs(net - (truth.positiveKWh - truth.negativeKWh)) < tolerance)
        }
    }

    @Test func `a day and two hours come whole, in portions that the device can bear`() throws {
        let rig = try rig(model)
        let walk = try HistoryWalk(
            rig.instance, from: Self.noon - 26 * Self.hour, to: Self.noon, step: 300 * Rig.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.records.count == 312)
        #expect(walk.outcomes.last == METER_HISTORY_COMPLETE)
        #expect(walk.outcomes.dropLast().allSatisfy { $0 == METER_HISTORY_MORE })
        expectTruth(walk.records, model, within: 2e-5)
        // A call is a request, and a request is small.
        #expect(rig.device.requests.count == walk.outcomes.count)
        #expect(rig.device.requests.allSatisfy { $0.answerBytes < 50_000 })
        #expect(walk.outcomes.count <= 8)
        let record = try #require(walk.records.first)
        #expect(record.circuits.map(\.id) == (1...14).map { "input_\($0)" })
        #expect(record.known == METER_GRID_POWER | METER_SOLAR_POWER)
        let truth = model.total(["heat_pump": 1], from: Rig.noon - 26 * 3600, to: Rig.noon)
        let heatPump = walk.records.reduce(0.0) { $0 + ($1.circuits[3].periodEnergyKWh ?? 0) }
        #expect(abs(heatPump - truth.positiveKWh) < 0.001)
    }

    @Test func `history is what was said live`() throws {
        let rig = try rig(model)
        var live = try rig.read()
        for _ in 0..<5 { live += try rig.read(after: 60) }
        let walk = try HistoryWalk(
            rig.instance, from: Self.noon - 60 * Rig.second, to: Self.noon + 300 * Rig.second, step: 60 * Rig.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.records.map(\.timestamp) == live.map(\.timestamp))
        for (record, reading) in zip(walk.records, live) {
            #expect(abs((record.gridPowerW ?? .nan) - (reading.gridPowerW ?? .nan)) < 0.15)
            #expect(
                zip(record.circuits, reading.circuits).allSatisfy {
                    abs(($0.powerW ?? .nan) - ($1.powerW ?? .nan)) < 0.15
                })
        }
    }

    @Test(
        arguments: [
            (1, 5), (5, 5), (6, 10), (10, 10), (11, 15), (30, 30), (45, 45), (60, 60), (75, 75), (100, 100), (300, 300),
            (450, 450), (900, 900), (1000, 1800), (3600, 3600), (86_400, 86_400),
        ])
    func `a record is as long as asked for, or the next that fits a quarter hour`(step: Int64, expected: Int64) throws {
        let rig = try rig(model)
        let from = Self.noon - 3 * 24 * Self.hour - 7 * Rig.second
        let walk = try HistoryWalk(
            rig.instance, from: from, to: from + max(600, 3 * expected) * Rig.second, step: step * Rig.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.records.count >= 2)
        #expect(walk.records.allSatisfy { $0.period == expected * Rig.second })
        expectTruth(walk.records, model, within: 0.01)
    }

    @Test func `neighbouring spans give the same records as one`() throws {
        let rig = try rig(model)
        let from = Self.noon - 3 * Self.hour
        let whole = try HistoryWalk(rig.instance, from: from, to: Self.noon, step: 300 * Rig.second)
        var pieces: [EmittedReading] = []
        let borders = [0, 1, 299, 300, 301, 4000, 7200, 10_799, 10_800].map { from + $0 * Rig.second }
        for (begin, end) in zip(borders, borders.dropFirst()) {
            let walk = try HistoryWalk(rig.instance, from: begin, to: end, step: 300 * Rig.second, maximumRecords: 5)
            #expect(walk.violations.isEmpty)
            pieces += walk.records
        }
        #expect(pieces.map(\.timestamp) == whole.records.map(\.timestamp))
        #expect(pieces.map(\.gridPowerW) == whole.records.map(\.gridPowerW))
    }

    @Test func `of what is not written down yet it says when to ask again`() throws {
        let rig = try rig(model)
        let walk = try HistoryWalk(
            rig.instance, from: Self.noon - Self.hour, to: Self.noon + Self.hour, step: 300 * Rig.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.records.count == 12)
        #expect(walk.outcomes.last == METER_HISTORY_NOT_YET)
        #expect(walk.coveredTo == Self.noon)
        let answer = try rig.instance.history(from: Self.noon, to: Self.noon + Self.hour, step: 300 * Rig.second)
        #expect(answer.outcome == METER_HISTORY_NOT_YET && answer.records.isEmpty)
        #expect(answer.retryAfter == 300 * Rig.second)
        rig.time += 305
        let later = try HistoryWalk(
            rig.instance, from: Self.noon, to: Self.noon + Self.hour, step: 300 * Rig.second)
        #expect(later.records.map(\.timestamp) == [Self.noon + 300 * Rig.second])
    }

    @Test func `before the log's beginning there is nothing, and it says where that is`() throws {
        var young = model
        young.currentLogFrom = Rig.noon - 7200
        young.historyLogFrom = Rig.noon - 7200
        let rig = try rig(young)
        let begin = Int64(young.historyLogFrom) * Rig.second
        let walk = try HistoryWalk(
            rig.instance, from: Self.noon - 24 * Self.hour, to: Self.noon, step: 300 * Rig.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.noneBefore == begin)
        #expect(walk.outcomes == [METER_HISTORY_NONE_BEFORE, METER_HISTORY_COMPLETE])
        #expect(walk.records.map(\.timestamp).first == begin + 300 * Rig.second)
        let before = try rig.instance.history(
            from: Self.noon - 24 * Self.hour, to: Self.noon - 20 * Self.hour, step: 300 * Rig.second)
        #expect(before.outcome == METER_HISTORY_NONE_BEFORE && before.coveredTo == Self.noon - 20 * Self.hour)
    }

    @Test func `beyond a year the log is of minutes`() throws {
        let rig = try rig(model)
        let border = Int64(model.currentLogFrom) * Rig.second
        let deep = try HistoryWalk(
            rig.instance, from: border - 400 * 24 * Self.hour, to: border - 400 * 24 * Self.hour + Self.hour,
            step: 5 * Rig.second)
        #expect(deep.violations.isEmpty)
        #expect(deep.records.count == 60)
        #expect(deep.records.allSatisfy { $0.period == 60 * Rig.second })
        // Across the border the records follow each other all the same.
        let across = try HistoryWalk(
            rig.instance, from: border - 120 * Rig.second, to: border + 60 * Rig.second, step: 10 * Rig.second)
        #expect(across.violations.isEmpty)
        for (one, next) in zip(across.records, across.records.dropFirst()) {
            #expect(next.timestamp - next.period == one.timestamp)
        }
        #expect(Set(across.records.map(\.period)) == [60 * Rig.second, 10 * Rig.second])
        expectTruth(across.records, model, within: 1e-4)
    }

    @Test(arguments: [5, 45, 60, 75, 100], [0, 5, 50, 65, 115, 305])
    func `wherever the finer log begins, records get across`(step: Int64, offset: Int) throws {
        var young = model
        young.currentLogFrom = Rig.noon - 3600 + offset
        let rig = try rig(young)
        for start in [0, 1, 65, 299] {
            let from = Self.noon - 3600 * Rig.second + Int64(offset / 60 * 60 - 600 + start) * Rig.second
            let walk = try HistoryWalk(
                rig.instance, from: from, to: from + 1800 * Rig.second, step: step * Rig.second, maximumRecords: 60,
                mostCalls: 50)
            #expect(walk.violations.isEmpty)
            #expect(walk.coveredTo == from + 1800 * Rig.second)
            for (one, next) in zip(walk.records, walk.records.dropFirst()) {
                // Where the grids do not meet, less than a record is left out.
                #expect(next.timestamp - one.timestamp < 2 * next.period)
            }
        }
    }

    @Test func `a record has four fifths of its time, or it is not put`() throws {
        var broken = model
        let start = Rig.noon - 3600
        // Of 300 s: 60 s off; 75 s off; all of it.
        broken.holes = [start + 60..<start + 120, start + 400..<start + 475, start + 900..<start + 1300]
        let rig = try rig(broken)
        let walk = try HistoryWalk(
            rig.instance, from: Int64(start) * Rig.second, to: Self.noon, step: 300 * Rig.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.outcomes == [METER_HISTORY_COMPLETE])
        let ends = walk.records.map { Int($0.timestamp / Rig.second) - start }
        #expect(ends == [300, 900, 1800, 2100, 2400, 2700, 3000, 3300, 3600])
        expectTruth(Array(walk.records.prefix(1)), broken, within: 2e-5)
        // Asked finer, only what was not measured is missing.
        let fine = try HistoryWalk(
            rig.instance, from: Int64(start) * Rig.second, to: Self.noon, step: 60 * Rig.second)
        #expect(fine.records.count == 60 - 1 - 2 - 7)
    }

    @Test func `a wrong clock shifts history as it shifts the present`() throws {
        let rig = try rig(.house(now: Rig.noon - 605), deviceAhead: -605)
        let walk = try HistoryWalk(
            rig.instance, from: Self.noon - Self.hour, to: Self.noon, step: 300 * Rig.second)
        #expect(walk.violations.isEmpty)
        #expect(walk.records.count == 12)
    }

    @Test func `stop ends it with that record`() throws {
        let rig = try rig(model)
        let answer = try rig.instance.history(
            from: Self.noon - Self.hour, to: Self.noon, step: 300 * Rig.second, stopAfter: 3)
        #expect(answer.records.count == 3 && answer.putsAfterStop == 0)
        #expect(answer.outcome == METER_HISTORY_MORE)
        #expect(answer.coveredTo == Self.noon - Self.hour + 900 * Rig.second)
    }

    @Test func `a slow device is asked for less, and gets through`() throws {
        let rig = try rig(model)
        // 240 rows take 2.4 s: more than the second that a call has.
        rig.device.setSlowness(seconds: 0.02, perRow: 0.01)
        var from = Self.noon - 6 * Self.hour
        var records: [EmittedReading] = []
        var failures = 0
        while from < Self.noon {
            do {
                let answer = try rig.instance.history(
                    from: from, to: Self.noon, step: 300 * Rig.second, withinSeconds: 1)
                records += answer.records
                from = answer.coveredTo
            } catch let failure as AdapterFailure {
                #expect(failure.code == METER_TIMEOUT)
                failures += 1
                try #require(failures < 8)
            }
        }
        #expect(failures > 0)
        #expect(records.count == 72)
        expectTruth(records, model, within: 2e-5)
    }

    @Test func `live readings go on between portions`() throws {
        let rig = try rig(model)
        var live = try rig.read()
        var from = Self.noon - 26 * Self.hour
        while from < Self.noon {
            from = try rig.instance.history(from: from, to: Self.noon, step: 300 * Rig.second).coveredTo
            live += try rig.read(after: 60)
        }
        for (one, next) in zip(live, live.dropFirst()) { #expect(next.timestamp - next.period == one.timestamp) }
        #expect(rig.device.overlaps == 0)
    }
}
