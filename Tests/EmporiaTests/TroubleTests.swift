import AdapterABI
import FakeHost
import TestSupport
import Testing

/// What the cloud does now and then: figures that are missing, late or zero, answers that are none.
extension EmporiaTests {
    @Suite struct TroubleTests {
        private func usages(_ rig: Rig) throws -> Int {
            try rig.cloud.takeRequests().filter { $0.contains("1MIN") }.count
        }

        @Test func `a figure that is missing is asked for again, once`() throws {
            let rig = try Rig()
            try rig.instance.start()
            try rig.cloud.control(["nulls": ["2345-1": 1], "forget": true])
            let reading = try #require(try rig.read().last)
            #expect(try usages(rig) == 2)
            #expect(reading.circuits.allSatisfy { $0.powerW != nil })
        }

        @Test
        func `a figure that stays missing is not measured, which is never zero, and costs no second request each time`()
            throws
        {
            let rig = try Rig()
            try rig.instance.start()
            try rig.read()
            try rig.cloud.control(["nulls": ["2345-1": nil as Int?, "9876-1,2,3": nil as Int?], "forget": true])
            var reading = try #require(try rig.read(after: 60).last)
            #expect(try usages(rig) == 2)
            #expect(reading.circuits.filter { $0.powerW == nil }.map(\.name).sorted() == ["Desk lamp", "Dryer"])
            #expect(reading.gridPowerW != nil)
            for _ in 1...3 { reading = try #require(try rig.read(after: 60).last) }
            #expect(try usages(rig) == 3)
            try rig.cloud.control(["nulls": [String: Int]()])
            reading = try #require(try rig.read(after: 60).last)
            #expect(reading.circuits.allSatisfy { $0.powerW != nil })
        }

        @Test func `without the mains' figure the grid is not measured, and the circuits are`() throws {
            let rig = try Rig()
            try rig.instance.start()
            try rig.cloud.control(["nulls": ["2345-1,2,3": nil as Int?]])
            let reading = try #require(try rig.read().last)
            #expect(reading.known == METER_GRID_POWER && reading.gridPowerW == nil && reading.periodImportKWh == nil)
            #expect(reading.circuits.filter { $0.powerW != nil }.count == 5)
        }

        @Test func `a minute without any figure is no reading, and neither is one of zeros only`() throws {
            let rig = try Rig()
            try rig.instance.start()
            try rig.cloud.control(["nulls": ["all": nil as Int?], "forget": true])
            let empty = try failure { try rig.read() }
            #expect(empty.code == METER_NO_DATA && empty.message.contains("2026-01-05T11:58:00Z"))
            #expect(try usages(rig) == 2)
            try rig.cloud.control(["nulls": [String: Int](), "zeros": [0, Rig.noon + 3600]])
            #expect(try failure { try rig.read(after: 60) }.message.contains("zeros only"))
            try rig.cloud.control(["zeros": [0, 0]])
            #expect(try rig.read(after: 60).count == 1)
        }

        @Test(
            arguments: [
                (429, METER_RATE_LIMITED, 77), (500, METER_UNAVAILABLE, 0), (502, METER_UNAVAILABLE, 0),
                (503, METER_UNAVAILABLE, 30), (400, METER_BAD_DATA, 0), (404, METER_BAD_DATA, 0),
            ] as [(Int, Int32, Int)])
        func `a refusal is told, with the pause that is asked for, and its minute comes with the next poll`(
            status: Int, code: Int32, pause: Int
        ) throws {
            let rig = try Rig()
            try rig.instance.start()
            try rig.read()
            try rig.fault("/AppAPI", status, pause > 0 ? ["retry_after": pause] : [:])
            let refusal = try failure { try rig.read(after: 60) }
            #expect(refusal.code == code && refusal.retryAfter == Int64(pause) * Rig.second)
            let readings = try rig.read(after: 60)
            #expect(readings.map(\.timestamp) == [Rig.noon, Rig.noon + 60].map { Int64($0) * Rig.second })
            #expect(readings.allSatisfy { $0.circuits.count == 5 })
        }

        @Test func `after a longer outage the newest minute is read; what lies before is history`() throws {
            let rig = try Rig()
            try rig.instance.start()
            try rig.read()
            _ = try rig.cloud.takeRequests()
            #expect(try rig.read(after: 1800).count == 1)
            #expect(try usages(rig) == 1)
        }

        @Test func `at 300 s every minute is still read, without a chart`() throws {
            let rig = try Rig()
            try rig.instance.start()
            var before = try #require(try rig.read().last).timestamp
            _ = try rig.cloud.takeRequests()
            let late = unsafe try Rig.adapter().descriptor.pointee.late_ns
            func expectMinutes(_ count: Int, _ readings: [EmittedReading]) {
                #expect(readings.map(\.timestamp) == (1...count).map { before + Int64($0) * 60 * Rig.second })
                #expect(readings.allSatisfy { rig.host.wall - $0.timestamp <= late })
                before = readings.last?.timestamp ?? before
            }
            for _ in 0..<3 { expectMinutes(5, try rig.read(after: 300)) }
            // A poll or two may fail.
            for _ in 0..<2 {
                try rig.fault("/AppAPI", 503, count: 2)
                #expect(try failure { try rig.read(after: 300) }.code == METER_UNAVAILABLE)
            }
            expectMinutes(15, try rig.read(after: 300))
            // One that fails comes with the next poll, too.
            try rig.fault("/AppAPI", 503)
            let newest = try #require(try rig.read(after: 300).last)
            let rest = try rig.read(after: 300).map(\.timestamp)
            #expect(rest.count == 9 && !rest.contains(newest.timestamp))
            let requests = try rig.cloud.takeRequests()
            #expect(!requests.contains { $0.contains("getChartUsage") })
            #expect(requests.filter { $0.contains("1MIN") }.count == 45)
        }

        @Test func `a redirect is not followed: the token stays with whom it is for`() throws {
            let other = try FaultServer { _ in .reply(.init(200, "{}")) }
            let rig = try Rig()
            try rig.instance.start()
            try rig.cloud.control([
                "faults": [
                    ["path": "/AppAPI", "status": 307, "location": other.url],
                    ["path": "InitiateAuth", "status": 307, "location": other.url],
                ]
            ])
            #expect(try failure { try rig.read() }.code == METER_BAD_DATA)
            try rig.go(to: rig.time + 4000)
            #expect(try failure { try rig.read() }.code == METER_BAD_DATA)
            #expect(other.count == 0)
        }

        @Test func `Emporia's own notice says whether it is down for maintenance`() throws {
            let token = String(repeating: "t", count: 40)
            let host = FakeHost(settings: ["email": "a@b", "password": "p"]) { request in
                if request.url.hasPrefix("https://s3.amazonaws.com/") {
                    return .answer(status: 200, body: #"{"msg":"down"}"#)
                }
                if request.url.hasPrefix("https://cognito-idp.us-east-2.amazonaws.com/") {
                    return .answer(status: 200, body: #"{"AuthenticationResult":{"IdToken":"\#(token)"}}"#)
                }
                return .answer(status: 503, body: "")
            }
            host.values = [
                "tokens": Array(
                    #"{"email":"a@b","server":"https://cognito-idp.us-east-2.amazonaws.com","refresh_token":"r"}"#.utf8)
            ]
            let instance = try Rig.adapter().create(host)
            let down = try failure { try instance.start() }
            #expect(down.code == METER_UNAVAILABLE && down.message == "Emporia is down for maintenance")
            #expect(down.retryAfter == 900 * Rig.second)
        }
    }
}
