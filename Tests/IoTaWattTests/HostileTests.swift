import AdapterABI
import AdapterKit
import FakeHost
import Foundation
import TestSupport
import Testing

@testable import IoTaWattAdapter

/// Answers that no device should give: what is bad is named, the rest is used, and nothing ends the process.
@Suite(.serialized) struct HostileTests {
    private func started(_ canned: Canned, _ settings: [String: String] = [:]) throws -> (FakeHost, InstanceUnderTest) {
        let host = FakeHost(settings: ["url": "http://iw"].merging(settings) { $1 }, respond: canned.answer)
        host.wall = Int64(Rig.noon) * Rig.second + 2 * Rig.second
        let instance = try Rig.adapter().create(host)
        try instance.start()
        return (host, instance)
    }

    /// What a table does to a poll: the readings' periods in seconds, the newest grid power, and a word of the warning.
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var query: String
        var periods: [Int64]
        var gridW: Double?
        var warning: String?
        var ovenW: Double? = 200
        var testDescription: String { name }
    }

    private static let tables: [Case] = [
        Case(name: "good", query: Canned.table(Canned.rows()), periods: [60], gridW: 1000, warning: nil),
        Case(
            name: "without a header", query: "[\(Canned.rows().joined(separator: ","))]", periods: [60], gridW: 1000,
            warning: nil),
        Case(
            name: "cut off in a number", query: String(Canned.table(Canned.rows()).dropLast(8)), periods: [55],
            gridW: 1000,
            warning: "cut off after 11 of 12 rows"),
        Case(
            name: "cut off between rows", query: "{\"data\":[" + Canned.rows(7).joined(separator: ",") + ",",
            periods: [35],
            gridW: 1000, warning: "cut off after 7 of 12 rows"),
        Case(
            name: "strings for numbers",
            query: Canned.table(Canned.rows { _ in "\"1000\",\" 200\",\"1010.\",\"210\",121.9,60" }),
            periods: [60], gridW: 1000, warning: nil),
        Case(
            name: "words for numbers", query: Canned.table(Canned.rows { _ in "\"n/a\",200,1010,210,121.9,60" }),
            periods: [60],
            gridW: nil, warning: "main_1.watts has a value that is no number"),
        Case(
            name: "nan and inf", query: Canned.table(Canned.rows { _ in "nan,200,inf,-inf,121.9,60" }), periods: [60],
            gridW: nil, warning: "main_1.watts has a value that is no number"),
        Case(
            name: "one bad cell",
            query: Canned.table(Canned.rows { $0 == 3 ? "{},200,1010,210,121.9,60" : Canned.good }),
            periods: [60], gridW: 1000, warning: "main_1.watts"),
        Case(
            name: "three bad cells",
            query: Canned.table(Canned.rows { $0 < 3 ? "true,200,1010,210,121.9,60" : Canned.good }),
            periods: [60], gridW: nil, warning: "main_1.watts"),
        Case(
            name: "nulls within",
            query: Canned.table(Canned.rows { $0 == 3 ? "null,null,null,null,null,null" : Canned.good }),
            periods: [15, 40], gridW: 1000, warning: nil),
        Case(
            name: "too few columns", query: Canned.table(Canned.rows { $0 == 5 ? "1000" : Canned.good }),
            periods: [25, 30],
            gridW: 1000, warning: "a row has 1 of 6 values"),
        Case(
            name: "too many columns", query: Canned.table(Canned.rows { _ in Canned.good + ",17,\"x\",[]" }),
            periods: [60],
            gridW: 1000,
            warning: nil),
        Case(
            name: "rows of other things",
            query: Canned.table(["7", "null", "[]", "{}", "\"x\"", "[[]]"] + Canned.rows() + ["[\"t\",1]"]),
            periods: [60],
            gridW: 1000, warning: "7 of 19 rows make no sense"),
        Case(
            name: "rows out of order", query: Canned.table(Canned.rows().reversed()), periods: [5], gridW: 1000,
            warning: "11 of 12 rows make no sense"),
        Case(
            name: "times of other years",
            query: Canned.table(["[0,\(Canned.good)]", "[1e300,\(Canned.good)]"] + Canned.rows()),
            periods: [60], gridW: 1000, warning: "2 of 14 rows"),
        Case(
            name: "65,536 lines",
            query: Canned.table(
                Canned.rows() + [String](repeating: "[\(Rig.noon - 30),\r\n\(Canned.good)]\r\n", count: 65_536)),
            periods: [60], gridW: 1000, warning: "65536 of 65548 rows"),
        Case(
            name: "a row of 65,536 values",
            query: Canned.table(Canned.rows { _ in Canned.good + [String](repeating: ",1", count: 65_536).joined() }),
            periods: [60],
            gridW: 1000, warning: nil),
        Case(
            name: "numbers beyond all bounds", query: Canned.table(Canned.rows { _ in "1e999,-1e400,1,1,1,1" }),
            periods: [60],
            gridW: nil, warning: "main_1.watts", ovenW: nil),
    ]

    @Test(arguments: tables)
    func `what is bad in a table is named, the rest is used`(table: Case) throws {
        let canned = Canned()
        let (host, instance) = try started(canned)
        canned.set(query: table.query)
        try instance.read()
        #expect(host.emissions.map { $0.period / Rig.second } == table.periods)
        let newest = try #require(host.emissions.last)
        #expect(newest.gridPowerW == table.gridW)
        #expect(newest.circuits.first { $0.name == "oven" }?.powerW == table.ovenW)
        let warnings = host.logs.filter { $0.hasPrefix("2 ") }
        if let warning = table.warning {
            #expect(warnings.contains { $0.contains(warning) }, "\(warnings)")
        } else {
            #expect(warnings.isEmpty, "\(warnings)")
        }
    }

    @Test func `a fault that lasts is named once, and again when it comes back`() throws {
        let canned = Canned()
        let (host, instance) = try started(canned)
        for (minute, isBad, expected) in [(0, true, 1), (1, true, 1), (2, false, 1), (3, true, 2)] {
            let begin = Rig.noon - 60 + 60 * minute
            host.wall = Int64(begin + 62) * Rig.second
            let values = isBad ? "\"n/a\",200,1010,210,121.9,60" : Canned.good
            canned.set(query: Canned.table((0..<12).map { "[\(begin + 5 * $0),\(values)]" }))
            try instance.read()
            #expect(host.logs.filter { $0.contains("no number") }.count == expected, "minute \(minute)")
        }
    }

    @Test(
        arguments: [
            ("", METER_BAD_DATA), ("<html>router login</html>", METER_BAD_DATA), ("{", METER_BAD_DATA),
            ("17", METER_BAD_DATA),
            ("{\"data\":{}}", METER_BAD_DATA), ("{\"data\":[]}", METER_NO_DATA), ("[]", METER_NO_DATA),
            ("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", METER_NO_DATA),
            ("\u{0}\u{0}", METER_BAD_DATA),
            ("HTTP 400{\"error\":\"invalid query. Invalid group\"}", METER_BAD_DATA),
            ("HTTP 401IoTaWatt-Login", METER_UNAUTHORIZED),
            ("HTTP 404Not found: GET, URI: /query", METER_NOT_FOUND), ("HTTP 429", METER_RATE_LIMITED),
            ("HTTP 500", METER_UNAVAILABLE), ("HTTP 503", METER_UNAVAILABLE), ("HTTP 302", METER_BAD_DATA),
            ("HTTP 301", METER_BAD_DATA),
            ("HTTP 400", METER_BAD_DATA),
        ] as [(String, Int32)])
    func `an answer that is none fails the read with its code, and the next one goes on`(
        query: String, code: Int32
    ) throws {
        let canned = Canned()
        let (host, instance) = try started(canned)
        canned.set(query: query)
        let failure = #expect(throws: AdapterFailure.self) { try instance.read() }
        #expect(failure?.code == code, "\(failure?.message ?? "")")
        if query.hasPrefix("HTTP 3") { #expect(failure?.message.contains("set IOTAWATT_URL to where") == true) }
        canned.set(query: Canned.table(Canned.rows()))
        try instance.read()
        #expect(host.emissions.last?.gridPowerW == 1000)
    }

    @Test(
        arguments: [
            "", "{}", "[]", "{\"inputs\":17}", "{\"inputs\":[{}]}", "{\"inputs\":[{\"channel\":\"x\"}]}", "<html>",
            "null",
            "{\"inputs\":[{\"channel\":0},{\"channel\":1}]}",
        ])
    func `a status that makes no sense is said`(status: String) throws {
        let failure = #expect(throws: AdapterFailure.self) { _ = try started(Canned(status: status)) }
        #expect(failure?.code == METER_BAD_DATA)
        #expect(failure?.message.contains("http://iw") == true)
    }

    @Test(arguments: [
        "", "{}", "{\"series\":17}", "{\"series\":[{\"name\":\"voltage\",\"unit\":\"Volts\"}", "{\"series\":[]}",
        "{\"series\":[1,2,3]}",
    ])
    func `a list of series that makes no sense is said`(series: String) throws {
        let failure = #expect(throws: AdapterFailure.self) { _ = try started(Canned(series: series)) }
        #expect(failure?.code == METER_BAD_DATA)
    }

    @Test func `a series whose name no query can hold is passed over, the others are used`() throws {
        let series = """
            {"series":[{"name":"voltage","unit":"Volts"},{"name":"main_1","unit":"Watts"},\
            {"name":"a,b].[c\\n","unit":"Watts"},{"unit":5}]}
            """
        let canned = Canned(series: series)
        canned.set(query: Canned.table(Canned.rows { _ in "1000,1010,121.9,60" }))
        let (host, instance) = try started(canned)
        try instance.read()
        #expect(host.emissions.last?.circuits.map(\.name) == ["main_1"])
    }

    @Test func `a name of other letters is percent-encoded`() throws {
        let series = Canned.series.replacingOccurrences(of: "oven", with: "Küche & Öfen/1")
        let canned = Canned(series: series)
        let (host, instance) = try started(canned)
        try instance.read()
        #expect(canned.targets.last?.contains("K%C3%BCche%20%26%20%C3%96fen%2F1.watts") == true)
        #expect(canned.targets.last?.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } == true)
        #expect(host.emissions.last?.circuits.map(\.name) == ["main_1", "Küche & Öfen/1"])
    }

    @Test func `status of older firmware has the logs under other names, or not at all`() throws {
        let old = Canned.status.replacingOccurrences(
            of: "\"datalogs\":[",
            with: "\"datalogs\":{\"currlog\":{\"firstkey\":\(Rig.noon - 600),\"lastkey\":\(Rig.noon)}},\"x\":[")
        let noon = Int64(Rig.noon) * Rig.second
        let (_, instance) = try started(Canned(status: old))
        let answer = try instance.history(from: noon - 3600 * Rig.second, to: noon, step: 300 * Rig.second)
        #expect(answer.outcome == METER_HISTORY_NONE_BEFORE && answer.noneBefore == noon - 600 * Rig.second)
        let none = Canned.status.replacingOccurrences(of: "datalogs", with: "nothing")
        let (_, other) = try started(Canned(status: none))
        let failure = #expect(throws: AdapterFailure.self) {
            try other.history(from: noon - 3600 * Rig.second, to: noon, step: 300 * Rig.second)
        }
        #expect(failure?.code == METER_UNSUPPORTED)
    }

    // MARK: History

    @Test func `a table of history that is cut off goes on where it ended`() throws {
        let canned = Canned()
        let (host, instance) = try started(canned)
        let noon = Int64(Rig.noon) * Rig.second
        let from = noon - 3600 * Rig.second
        // main_1, oven, wh of main_1.
        let rows = (0..<60).map { "[\(Rig.noon - 3600 + 60 * $0),1000,200,16.667]" }
        canned.set(query: "{\"data\":[" + rows.prefix(23).joined(separator: ",") + ",[17")
        let answer = try instance.history(from: from, to: noon, step: 300 * Rig.second)
        #expect(answer.records.count == 4)
        #expect(answer.outcome == METER_HISTORY_MORE && answer.coveredTo == from + 1200 * Rig.second)
        #expect(host.logs.contains { $0.contains("cut off after 23 of 60 rows") })
        canned.set(query: "{\"data\":[" + rows.joined(separator: ",") + "],\"limit\":\(Rig.noon - 1800)}")
        let limited = try instance.history(from: from, to: noon, step: 300 * Rig.second)
        #expect(limited.records.count == 6 && limited.coveredTo == noon - 1800 * Rig.second)
        canned.set(query: "{\"data\":[" + rows.joined(separator: ",") + "],\"limit\":5}")
        let failure = #expect(throws: AdapterFailure.self) {
            try instance.history(from: from, to: noon, step: 300 * Rig.second)
        }
        #expect(failure?.code == METER_BAD_DATA)
    }

    // MARK: Anything

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `bytes changed anywhere are read or refused`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let canned = Canned()
        let (host, instance) = try started(canned)
        let whole = Array(Canned.table(Canned.rows()).utf8)
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
                }
            }
            canned.set(query: String(decoding: bytes, as: UTF8.self))
            do {
                try instance.start()
                try instance.read()
                let reading = try #require(host.emissions.last)
                #expect(reading.timestamp <= Int64(Rig.noon) * Rig.second)
                #expect(reading.gridPowerW?.isFinite ?? true)
            } catch let failure as AdapterFailure {
                #expect([METER_BAD_DATA, METER_NO_DATA].contains(failure.code), "seed \(seed): \(failure.message)")
            }
        }
    }

    @Test(
        arguments: [
            ("1432.", 1432), ("-0.5", -0.5), ("+7", 7), (".5", 0.5), ("1e3", 1000), ("\" 1432\"", 1432),
            ("\"1432 \"", 1432),
            ("123456789012345678", 123_456_789_012_345_680), ("0.1", 0.1), ("99999.123456", 99999.123456), ("-", nil),
            ("1.2.3", nil), ("\"\"", nil), ("\"1 2\"", nil), ("true", nil), ("0x10", nil), ("1e999", nil), ("--1", nil),
        ] as [(String, Double?)])
    func `a number is read as a person would`(text: String, value: Double?) {
        #expect(JSON.parseLoosely(Array("[\(text)]".utf8))?.value.list?.first?.looseNumber == value)
    }
}
